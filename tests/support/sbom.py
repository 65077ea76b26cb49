"""What goto ships, as a bill of materials: what `make sbom` writes, with what its tool cannot see.

The tool reads an environment that has goto and nothing else. It knows neither which version goto is of, since that stands in
the sources, nor what goto carries along.

    python -m support.sbom FILE
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from goto import __version__
from support import ROOT

PATHS = ("file:",)
"""How references begin that lead to this machine, where the wheel was."""


class Carried(NamedTuple):
    """A package of npm of which goto has files of its own."""

    name: str
    variable: str
    """Of the Makefile, which says the version."""
    licence: str
    """By its SPDX identifier."""
    text: str
    """The file of its licence in goto."""


CARRIED = (
    Carried("swagger-ui-dist", "VIEWER", "Apache-2.0", "goto/api/swagger-ui/LICENSE"),
    Carried("htm", "HTM", "Apache-2.0", "goto/api/ui/LICENSE-htm"),
    Carried("preact", "PREACT", "MIT", "goto/api/ui/LICENSE-preact"),
)


def carried() -> list[dict[str, Any]]:
    """What comes along, as components. Raises KeyError where the Makefile does not say a version."""
    versions = dict(re.findall(r"^(\w+) := ([\d.]+)$", (ROOT / "Makefile").read_text(), re.M))
    return [
        {
            "bom-ref": f"{one.name}@{versions[one.variable]}",
            "type": "library",
            "name": one.name,
            "version": versions[one.variable],
            "purl": f"pkg:npm/{one.name}@{versions[one.variable]}",
            "description": f"In {one.text.rpartition('/')[0]}",
            "licenses": [{"license": {"id": one.licence}}],
        }
        for one in CARRIED
    ]


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """A CycloneDX document with the version of goto, and with what comes along."""
    root, along = document["metadata"]["component"], carried()
    root |= {"version": __version__, "purl": f"pkg:pypi/goto-http@{__version__}"}
    components = [_here(component) for component in document["components"] if component["name"] not in ("pip", "goto-http")]
    names = {component["bom-ref"]: component["name"] for component in components}
    dependencies = [dependency for dependency in document["dependencies"] if dependency["ref"] in {*names, root["bom-ref"]}]
    for dependency in dependencies:
        if dependency["ref"] == root["bom-ref"]:
            own = [ref for ref in dependency.get("dependsOn", []) if _normal(names.get(ref, "")) in _required()]
            dependency["dependsOn"] = sorted([*own, *(one["bom-ref"] for one in along)])
    dependencies += [{"ref": one["bom-ref"]} for one in along]
    return document | {"components": [*components, *along], "dependencies": dependencies}


def _required() -> set[str]:
    """What goto needs to run, its extras included; the tool takes what its tests need for that too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [requirement for extra in ("mitmproxy", "tls") for requirement in project["optional-dependencies"][extra]]
    return {_normal(re.split(r"[^\w.-]", requirement)[0]) for requirement in [*project["dependencies"], *extras]}


def _normal(name: str) -> str:
    """A name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _here(component: dict[str, Any]) -> dict[str, Any]:
    """A component without references to files of this machine."""
    references = [one for one in component.get("externalReferences", []) if not one["url"].startswith(PATHS)]
    return {key: value for key, value in component.items() if key != "externalReferences"} | (
        {"externalReferences": references} if references else {}
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="make sbom")
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    document = completed(json.loads(options.file.read_text()))
    options.file.write_text(json.dumps(document, indent=2) + "\n")
    print(f"{options.file}: goto {__version__} and {len(document['components'])} components")


if __name__ == "__main__":
    main()
