"""The version: it stands in goto/__init__.py, and whatever else names it agrees."""

from __future__ import annotations

import re
import tomllib

import pytest
from support import ROOT
from support.sbom import CARRIED, carried, completed

from goto import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_it_stands_in_one_place():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "goto/__init__.py"


def test_the_changelog_begins_with_it():
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert versions[0] in (__version__, "Unreleased")
    assert __version__ in versions


@pytest.mark.parametrize("page", ["SECURITY.md", "deploy/kubernetes/README.md"])
def test_pages_name_this_one(page: str):
    named = set(re.findall(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.])", (ROOT / page).read_text()))
    assert named <= {__version__}


def test_a_bill_of_materials_has_it_and_what_comes_along():
    made = {"bom-ref": "root-component", "name": "goto-http", "type": "application"}
    here = [{"type": "distribution", "url": "file:///tmp/x.whl"}]
    document = {
        "metadata": {"component": made},
        "components": [
            {"bom-ref": "idna==3.11", "name": "idna", "externalReferences": here},
            {"bom-ref": "pip==26.0", "name": "pip"},
            {"bom-ref": "setuptools==80", "name": "setuptools"},
        ],
        "dependencies": [
            {"ref": "root-component", "dependsOn": ["idna==3.11", "setuptools==80"]},
            {"ref": "idna==3.11"},
            {"ref": "pip==26.0"},
            {"ref": "setuptools==80"},
        ],
    }
    bill = completed(document)
    along = [component["bom-ref"] for component in carried()]
    assert bill["metadata"]["component"]["purl"] == f"pkg:pypi/goto-http@{__version__}"
    assert [component["bom-ref"] for component in bill["components"]] == ["idna==3.11", "setuptools==80", *along]
    assert "externalReferences" not in bill["components"][0]
    assert bill["dependencies"] == [
        {"ref": "root-component", "dependsOn": sorted(["idna==3.11", *along])},
        {"ref": "idna==3.11"},
        {"ref": "setuptools==80"},
        *({"ref": ref} for ref in along),
    ]


def test_the_bill_names_all_that_is_carried_along():
    """Each has a licence of its own among the files of goto, which the wheel names."""
    named = {file for pattern in PROJECT["project"]["license-files"] for file in ROOT.glob(pattern)}
    assert {ROOT / one.text for one in CARRIED} == {file for file in named if "LICENSE" in file.name} - {ROOT / "LICENSE"}
    (viewer, _, _) = carried()
    assert f'PACKAGE_VERSION:"{viewer["version"]}"' in (ROOT / "goto/api/swagger-ui/swagger-ui-bundle.js").read_text()
