"""The JSON Schema says of documents what goto says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from support.documents import data
from support.strategies import documents

from goto.config.loader import load_file
from goto.config.schema import schema
from goto.instance.plugins import load
from goto.instance.wiring import config_keys

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = schema(config_keys())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_it_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@given(documents)
def test_what_goto_takes_fits(taken: dict[str, Any]):
    VALIDATOR.validate(taken)


@pytest.mark.parametrize(
    ("refused", "path"),
    [
        ({"respons": {}}, []),
        ({"response": {"dealy": "1s"}}, ["response"]),
        ({"response": {"status": "99"}}, ["response", "status"]),
        ({"request": {"uri": {"bypass": {"status": 700}}}}, ["request", "uri", "bypass", "status"]),
        ({"listeners": [{"label": "x"}]}, ["listeners", 0]),
        ({"client": {"targets": [{"name": "x", "method": "GET"}]}}, ["client", "targets"]),
        ({"response": {"headers": [["x"]]}}, ["response", "headers", 0]),
    ],
)
def test_what_goto_refuses_does_not(refused: dict[str, Any], path: list[Any]):
    (error,) = VALIDATOR.iter_errors(refused)
    assert list(error.absolute_path)[: len(path)] == path


@pytest.mark.parametrize("file", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda file: file.name)
def test_the_examples_fit(file: Path):
    features = load(str(ROOT / "configs" / "features" / "flaky.py"))
    made = schema(config_keys(features) if file.stem == "flaky" else config_keys())
    jsonschema.Draft202012Validator(made).validate(data(load_file(str(file))))


def described(node: Any, path: str = "") -> list[str]:
    """Paths of properties that say nothing of themselves."""
    missing = []
    for name, inner in node.get("properties", {}).items():
        if "description" not in inner and not inner.get("properties"):
            missing.append(f"{path}.{name}")
        missing += described(inner, f"{path}.{name}")
    return missing


def test_every_setting_says_what_it_is():
    assert described(SCHEMA) == []
    assert described(SCHEMA["properties"]["listeners"]["items"]) == []
    target = SCHEMA["$defs"]["ClientTarget"]
    assert target["properties"]["delay"]["description"].startswith("Waited after each round")
    assert target["properties"]["replicas"]["default"] == 1
    assert target["required"] == ["name", "method", "url"]
