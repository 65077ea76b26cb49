"""Ids of requests."""

from __future__ import annotations

import uuid

from goto.http.request_id import fresh_id


def test_ids_are_random_uuids() -> None:
    ids = {fresh_id() for _ in range(1000)}
    assert len(ids) == 1000
    for text in ids:
        read = uuid.UUID(text)
        assert (str(read), read.version, read.variant) == (text, 4, uuid.RFC_4122)
    assert {text[19] for text in ids} == set("89ab")
