"""Configuration by file: documents are loaded, merged, read, compared, applied and written.

`loader` makes nodes of YAML text, `merge` one node of several, `document` typed values of a node, `apply` a running instance's
state of the difference between two documents, and `dump` text of a state. Which keys there are is declared on what they set
(see `goto.settings`) and collected in `keys`.
"""
