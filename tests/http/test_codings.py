"""Content codings undone."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.http.codings import codings_of, undo


def raw_deflate(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


FORMS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "two members": ("gzip", lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:])),
    "zlib": ("deflate", zlib.compress),
    "raw": ("deflate", raw_deflate),
    "stored": ("deflate", lambda data: zlib.compress(data, 0)),
}
forms = pytest.mark.parametrize("form", FORMS)
BODIES = st.binary(max_size=200) | st.integers(0, 100_000).map(lambda size: b"0123456789" * (size // 10))


@forms
@given(body=BODIES, more=st.integers(0, 3))
def test_what_was_coded_comes_back(form: str, body: bytes, more: int) -> None:
    coding, code = FORMS[form]
    assert undo(code(body), coding, len(body) + more) == (body, True)


@forms
@given(body=BODIES.filter(len), part=st.floats(0, 0.99))
def test_no_more_than_allowed(form: str, body: bytes, part: float) -> None:
    coding, code = FORMS[form]
    most = int(len(body) * part)
    assert undo(code(body), coding, most) == (body[:most], False)


@forms
@given(body=BODIES, part=st.floats(0, 0.99))
def test_what_is_cut_off_comes_as_far_as_it_goes(form: str, body: bytes, part: float) -> None:
    coding, code = FORMS[form]
    coded = code(body)
    made, whole = undo(coded[: int(len(coded) * part)], coding, len(body))
    assert body.startswith(made)
    # the first of two members may be whole
    assert not whole or form == "two members" or not int(len(coded) * part)


@given(body=st.binary(min_size=1, max_size=3000), junk=st.binary(min_size=1, max_size=9))
def test_a_fault_takes_nothing_with_it_that_came_before(body: bytes, junk: bytes) -> None:
    coded = gzip.compress(body)
    assert undo(coded[:-8] + bytes(byte ^ 255 for byte in coded[-8:]), "gzip", 10_000) == (body, False)
    assert undo(coded + b"\0" + junk, "gzip", 10_000) == (body, False)


@given(data=st.binary(max_size=300), coding=st.sampled_from(["gzip", "deflate"]), most=st.integers(0, 50))
def test_anything_at_all(data: bytes, coding: str, most: int) -> None:
    made, _ = undo(data, coding, most)
    assert len(made) <= most


def test_a_bomb_makes_no_more_than_allowed() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert undo(bomb, "gzip", 1000) == (bytes(1000), False)


@pytest.mark.parametrize(
    ("values", "codings"),
    [
        ([], []),
        ([b"gzip"], ["gzip"]),
        ([b"GZip"], ["gzip"]),
        ([b" deflate , gzip"], ["deflate", "gzip"]),
        ([b"deflate", b"x-gzip"], ["deflate", "x-gzip"]),
        ([b"identity, gzip,"], ["gzip"]),
        ([b"br"], []),
        ([b"br, gzip"], []),
        ([b"gzip, gzip, gzip"], []),
        ([b"\xff"], []),
    ],
)
def test_which_codings_a_body_has(values: list[bytes], codings: list[str]) -> None:
    assert codings_of([(b"X", b"gzip"), *((b"Content-encoding", value) for value in values)]) == codings
