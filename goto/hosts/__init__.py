"""The hosts carry traffic between sockets and pipelines. They know no feature."""
