"""Configuration by file: documents are loaded, merged, read, compared, applied and written.

`loader` turns YAML text into nodes, `merge` several nodes into one, and `document` a node into typed values. `apply` changes a
running instance by the difference between two documents, and `dump` writes the present state as text. The keys are declared on
what they set (see `goto.settings`) and collected in `keys`.
"""
