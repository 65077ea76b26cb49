"""Where plug-ins stand among goto's own features.

Each names the feature that it stands just outside of (`Feature.outside`), one of goto's own or another plug-in. Those that name
the same one keep the order they are given in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from goto.feature import Feature

FeatureType = type[Feature]


def in_place(own: Sequence[FeatureType], plugins: Iterable[FeatureType]) -> tuple[FeatureType, ...]:
    """All features from the outside in. Raises `ValueError` where a plug-in names a feature that there is not."""
    features, waiting = list(own), list(plugins)
    while waiting:
        placed = {feature.name: feature for feature in features}
        # one that stands outside of another plug-in waits until that one has its place
        ready = [feature for feature in waiting if feature.outside in placed]
        if not ready:
            raise ValueError(_why(waiting, list(placed)))
        for feature in ready:
            features.insert(features.index(placed[feature.outside]), feature)
        waiting = [feature for feature in waiting if feature not in ready]
    return tuple(features)


def _why(waiting: list[FeatureType], placed: list[str]) -> str:
    """Why none of these has a place."""
    names = {feature.name for feature in waiting}
    for feature in waiting:
        if feature.outside not in names:
            return (
                f"{feature.__name__}: outside names {feature.outside!r}, and there is no feature of that name: "
                f"write one of {', '.join(placed)}"
            )
    return (
        f"{', '.join(feature.__name__ for feature in waiting)}: outside leads from one to the other and to no place: "
        f"let one of them name {Feature.outside}"
    )
