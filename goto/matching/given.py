"""URIs as people give them, made into what can stand in a request (RFC 3986, 2.1).

A client sends what cannot stand in a path percent-encoded, so a URI that holds it as it is would match nothing.
"""

from __future__ import annotations

import re

from goto.http.targets import percent_encoded
from goto.matching.templates import parse_template

_NOT_SENT = re.compile(r"""[^!-~]|["<>\\^`#]|%(?![0-9A-Fa-f]{2})""")


def as_sent(text: str) -> str:
    """Literal text of a path or query, with what cannot stand there percent-encoded: `/my file` is `/my%20file`.

    What is percent-encoded already stays, and so do braces, brackets and bars, which clients send as they are.
    """
    return _NOT_SENT.sub(lambda found: percent_encoded(found[0]), text)


def template_as_sent(text: str) -> str:
    """The same for a template of a path, whose variables stay as they are. Raises ValueError for one that cannot be parsed."""
    return "".join(as_sent(piece) if isinstance(piece, str) else str(piece) for piece in parse_template(text))
