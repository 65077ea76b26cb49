"""Reason phrases are Go's on every Python."""

from __future__ import annotations

import pytest

from goto.http.reasons import REASONS, status_text


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "200 OK"),
        (203, "203 Non-Authoritative Information"),
        (208, "208 Already Reported"),
        (413, "413 Request Entity Too Large"),  # Python 3.13 says Content Too Large
        (414, "414 Request URI Too Long"),
        (416, "416 Requested Range Not Satisfiable"),
        (418, "418 I'm a teapot"),  # Python: I'm a Teapot
        (422, "422 Unprocessable Entity"),
        (503, "503 Service Unavailable"),
        (299, "299"),
        (599, "599"),
    ],
)
def test_status_text(status: int, text: str):
    assert status_text(status) == text


def test_phrases_stand_in_a_status_line():
    assert all(phrase.isascii() and phrase.isprintable() and phrase.strip() == phrase for phrase in REASONS.values())
