"""HTTP/1.1 as bytes and as messages; no sockets."""
