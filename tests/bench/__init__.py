"""`make bench` and `make profile`: how fast goto is beside nginx, hey and mitmdump on this machine, and where its time goes.

Real processes, everything on 127.0.0.1. These are no tests and are not collected as such; docs/performance.md has what came out.
"""
