"""Documents for one listener of several."""

from __future__ import annotations

from typing import Any

import pytest

from goto.testing import BadInput
from goto.testing.documents import for_listener


@pytest.mark.parametrize(
    ("document", "made"),
    [
        ("response: {status: 503}", {"listeners": [{"port": 81, "response": {"status": 503}}]}),
        (b'{"Label": "a"}', {"listeners": [{"port": 81, "label": "a"}]}),
        ({"label": "a", "journal": {}}, {"journal": {}, "listeners": [{"port": 81, "label": "a"}]}),
        ("listeners: [{port: 82}]\nlabel: a", {"listeners": [{"port": 81, "label": "a"}, {"port": 82}]}),
        ("", {"listeners": [{"port": 81}]}),
    ],
)
def test_keys_at_the_top_are_those_of_the_listener(document: Any, made: dict[str, Any]):
    assert for_listener(document, 81) == made


def test_what_is_no_document():
    with pytest.raises(BadInput, match=r"^a\.yaml:2:1: not YAML"):
        for_listener("a: [", 81, "a.yaml")
    with pytest.raises(BadInput, match=r"a\.yaml"):
        for_listener("- a", 81, "a.yaml")
