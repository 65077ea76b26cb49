"""What may be meant otherwise in proxy targets: URIs that match less than it seems, and targets that are called together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from goto.features.proxy.target import ProxyTarget
from goto.matching.remarks import about_uri, covered

MOST_COMPARED = 300
"""Targets of a listener that are compared with each other; with more of them nothing is said of those called together."""

MOST_SAID = 5
"""Remarks on one target."""


def about_target(target: ProxyTarget, others: Iterable[ProxyTarget]) -> list[str]:
    """Remarks on a target, which stands beside others."""
    uris = target.match.uris if target.when is None else target.when.uris
    said = [*filter(None, map(about_uri, uris)), *_together(target, others)]
    if not target.match and target.when is None:
        said.append("matches nothing: it is called by hand only")
    if len(said) > MOST_SAID:
        said[MOST_SAID:] = [f"and {len(said) - MOST_SAID} more remarks"]
    return said


def _together(target: ProxyTarget, others: Iterable[ProxyTarget]) -> Iterator[str]:
    """The targets that are called together with this one, since the URI of one is matched by the other too."""
    if not target.enabled or target.fallback:
        return
    for other in others:
        if other.name == target.name or not other.enabled or other.fallback:
            continue
        for narrow, wide in ((target, other), (other, target)):
            uri = next(covered(narrow.match.uris, by=wide.match.uris), None)
            if uri is not None:
                yield (
                    f'{wide.name} matches {uri} too: both are called and the answer is a list; give {wide.name} "fallback": true'
                )
                break
