"""TLS: certificates and keys from files, what upstreams are trusted by, what listeners show, and a CA of this process's own."""
