"""What goto ships, as a bill of materials: what `make sbom` writes, with what its tool cannot see.

The tool reads an environment that has goto and nothing else. It knows neither which version goto is of, since that stands in
the sources, nor what goto carries along.

    python -m support.sbom FILE --viewer VERSION
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from pathlib import Path
from typing import Any

from goto import __version__
from support import ROOT

PATHS = ("file:",)
"""How references begin that lead to this machine, where the wheel was."""


def completed(document: dict[str, Any], viewer: str) -> dict[str, Any]:
    """A CycloneDX document with the version of goto, and with Swagger UI, which comes along as files of its own."""
    root = document["metadata"]["component"]
    root |= {"version": __version__, "purl": f"pkg:pypi/goto-http@{__version__}"}
    swagger = {
        "bom-ref": f"swagger-ui-dist@{viewer}",
        "type": "library",
        "name": "swagger-ui-dist",
        "version": viewer,
        "purl": f"pkg:npm/swagger-ui-dist@{viewer}",
        "description": "The page at /goto/docs, in goto/api/swagger-ui",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    components = [_here(component) for component in document["components"] if component["name"] not in ("pip", "goto-http")]
    known = {component["bom-ref"] for component in components} | {root["bom-ref"]}
    names = {component["bom-ref"]: component["name"] for component in components}
    dependencies = [dependency for dependency in document["dependencies"] if dependency["ref"] in known]
    for dependency in dependencies:
        if dependency["ref"] == root["bom-ref"]:
            own = [ref for ref in dependency.get("dependsOn", []) if _normal(names.get(ref, "")) in _required()]
            dependency["dependsOn"] = sorted([*own, swagger["bom-ref"]])
    dependencies.append({"ref": swagger["bom-ref"]})
    return document | {"components": [*components, swagger], "dependencies": dependencies}


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
    parser.add_argument("--viewer", required=True)
    options = parser.parse_args()
    document = completed(json.loads(options.file.read_text()), options.viewer)
    options.file.write_text(json.dumps(document, indent=2) + "\n")
    print(f"{options.file}: goto {__version__} and {len(document['components'])} components")


if __name__ == "__main__":
    main()
