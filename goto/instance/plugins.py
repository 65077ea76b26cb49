"""Features that users bring along: from files, and from installed packages by the entry-point group `goto.features`.

All that could be wrong with one is found at the start, and told in one line.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from goto.api.table import Route, routes_of
from goto.config.keys import KeyClash
from goto.counting.measures import Measure, measures_of
from goto.feature import Feature
from goto.features import FEATURES
from goto.instance.onion import FeatureType, in_place
from goto.instance.wiring import config_keys, route_table
from goto.words.failures import plain_text

GROUP = "goto.features"
"""The entry points of this group name a Feature each, or a module with some."""

TRAFFIC = frozenset(("status", "echo"))
"""First segments that are traffic and stay so."""

OURS = ("goto_", "process_", "python_")
"""How metrics begin that are not a plug-in's."""


class PluginError(Exception):
    """A plug-in that cannot be used, and why, in one line."""


def with_plugins(files: Iterable[str] = ()) -> tuple[FeatureType, ...]:
    """The features in their order, installed plug-ins and those of these files among them. Raises `PluginError`."""
    plugins = [feature for entry in entry_points(group=GROUP) for feature in _installed(entry)]
    plugins += [feature for file in files for feature in load(file)]
    if not plugins:
        return FEATURES
    for feature in plugins:
        _check(feature)
    _check_names((*FEATURES, *dict.fromkeys(plugins)))
    try:
        features = in_place(FEATURES, dict.fromkeys(plugins))
    except ValueError as error:
        raise PluginError(str(error)) from None
    _check_measures(features)
    _check_routes(route_table(features).routes)
    try:
        config_keys(features)
    except KeyClash as error:
        raise PluginError(str(error)) from None
    return features


def load(file: str) -> list[FeatureType]:
    """The features that a file defines, in their order. Raises `PluginError`."""
    path = Path(file)
    if not path.is_file():
        raise PluginError(f"{file}: no such file")
    name = f"goto_plugin_{path.stem}_{abs(hash(path.resolve())):x}"
    if name in sys.modules:
        return _features(sys.modules[name], file)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    # types that are named in annotations are looked up there
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        return _features(module, file)
    except PluginError:
        del sys.modules[name]
        raise
    except Exception as error:
        del sys.modules[name]
        raise PluginError(f"{_place(file, error)}: {_reason(error)}") from error


def _installed(entry: EntryPoint) -> list[FeatureType]:
    where = f"{entry.name} ({entry.value})"
    try:
        found = entry.load()
    except Exception as error:
        raise PluginError(f"{where}: {_reason(error)}") from error
    if isinstance(found, ModuleType):
        return _features(found, where)
    if isinstance(found, type) and issubclass(found, Feature):
        return [found]
    raise PluginError(f"{where}: neither a subclass of goto.feature.Feature nor a module that defines one")


def _features(module: ModuleType, where: str) -> list[FeatureType]:
    """Those that a module defines itself; a leading underscore marks a base class of others."""
    found = [
        member
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, Feature)
        and member.__module__ == module.__name__
        and not member.__name__.startswith("_")
    ]
    if not found:
        raise PluginError(f"{where}: it defines no subclass of goto.feature.Feature")
    return list(dict.fromkeys(found))


def _check(feature: FeatureType) -> None:
    """What every listener would stumble over."""
    who = feature.__name__
    try:
        feature()
        routes = routes_of(feature)
    except Exception as error:
        raise PluginError(f"{who}: {_reason(error)}") from error
    for route in routes:
        first = route.path.removeprefix("/").split("/")[0]
        if not route.path.startswith("/") or not first or "{" in first:
            raise PluginError(f"{who}: the route {route.path} must begin with a slash and a fixed word, as in /{feature.name}/…")
        if first in TRAFFIC:
            raise PluginError(f"{who}: the route {route.path} would take /{first} from traffic: begin it with another word")
    for measure in measures_of(feature):
        if measure.name.startswith(OURS):
            raise PluginError(f"{who}: the metric {measure.name} would be taken for goto's own: begin it with {feature.name}_")


def _check_measures(features: Sequence[FeatureType]) -> None:
    """A metric is read by one method."""
    known: dict[str, tuple[FeatureType, Measure]] = {}
    for feature in features:
        for measure in measures_of(feature):
            other = known.setdefault(measure.name, (feature, measure))
            if other != (feature, measure):
                raise PluginError(f"{feature.__name__}: there is a metric {measure.name} of {other[0].__name__} already")


def _check_names(features: Sequence[FeatureType]) -> None:
    names: dict[str, FeatureType] = {}
    for feature in features:
        other = names.setdefault(feature.name, feature)
        if other is not feature:
            raise PluginError(f"{feature.__name__}: there is a feature {feature.name} already: give this one another name")


def _check_routes(routes: Iterable[Route]) -> None:
    """Two routes of one method and path cannot both be served."""
    served: dict[tuple[str, str], Route] = {}
    for route in routes:
        path = "/".join("{}" if segment.startswith("{") else segment for segment in route.path.split("/"))
        for method in route.methods:
            other = served.setdefault((method, path), route)
            if other is not route:
                raise PluginError(
                    f"{route.owner.__name__}: {method} {route.path} is served already, by {other.owner.__name__} as {other.path}"
                )


def _place(file: str, error: Exception) -> str:
    """The file, and the line of it where an error came from."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{file}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == Path(file).absolute()]
    return f"{file}:{lines[-1]}" if lines else file


def _reason(error: Exception) -> str:
    first = plain_text(str(error.msg if isinstance(error, SyntaxError) else error).partition("\n")[0])
    return first if isinstance(error, SyntaxError) else f"{type(error).__name__}: {first}" if first else type(error).__name__
