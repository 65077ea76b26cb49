"""How a `goto ctl` ends."""

from __future__ import annotations

import json

import pytest

from goto.command.ctl.failures import Ended, bad_use, nearest, status_of


@pytest.mark.parametrize(
    ("answered", "path", "status"),
    [
        (200, "", 0),
        (202, "", 0),
        (400, "", 3),
        (404, "", 3),
        (409, "", 3),
        (417, "", 1),
        (500, "", 4),
        (503, "", 4),
        (503, "/goto/ready", 1),
    ],
)
def test_exit_statuses(answered: int, path: str, status: int):
    assert status_of(answered, path) == status


def test_errors_as_json():
    assert bad_use("größe").as_json == '{"error": "größe"}\n'.encode()
    assert Ended(3, "no", b'{"error":"no"}\n').as_json == b'{"error":"no"}\n'
    assert json.loads(Ended(4, 'a "b"').as_json) == {"error": 'a "b"'}


def test_the_nearest_word():
    assert nearest("dealy", ["delay", "status"]) == "; did you mean delay?"
    assert nearest("xyz", ["delay", "status"]) == ""
