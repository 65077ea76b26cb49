"""Certificates and keys: read from files, made here, shown by listeners, and trusted of upstreams."""
