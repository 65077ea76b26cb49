"""Header fields, as bytes and as text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goto.http.fields import Headers, decode, encode


@given(st.binary())
def test_bytes_survive_the_way_through_text(data: bytes):
    assert encode(decode(data)) == data


class TestHeaders:
    def test_names_compare_in_any_case_and_stay_as_they_are(self):
        headers = Headers([(b"X-A", b"1"), (b"x-b", b"2"), (b"x-a", b"3")])
        assert headers.get("x-A") == "1"
        assert headers.get_all("X-A") == ["1", "3"]
        assert "X-B" in headers
        assert "x-c" not in headers
        assert list(headers) == [("X-A", "1"), ("x-b", "2"), ("x-a", "3")]

    def test_what_is_not_there(self):
        headers = Headers()
        assert headers.get("a") is None
        assert headers.get("a", "b") == "b"
        assert headers.get_all("a") == []
        headers.remove("a")
        assert headers.fields == []

    def test_an_empty_value_is_there(self):
        headers = Headers([(b"A", b"")])
        assert headers.get("a", "default") == ""
        assert "a" in headers

    def test_a_change_is_seen_by_the_next_look_up(self):
        headers = Headers([(b"A", b"1")])
        assert headers.get_all("a") == ["1"]
        headers.add("a", "2")
        assert headers.get_all("a") == ["1", "2"]
        headers.extend([(b"B", b"3"), (b"A", b"4")])
        assert headers.get_all("a") == ["1", "2", "4"]
        assert headers.get("b") == "3"
        headers.remove("A", "nothing")
        assert "a" not in headers
        assert headers.fields == [(b"B", b"3")]

    def test_the_fields_given_are_not_shared(self):
        fields = [(b"A", b"1")]
        Headers(fields).add("B", "2")
        assert fields == [(b"A", b"1")]

    def test_values_may_be_any_bytes(self):
        headers = Headers([(b"A", "grüße".encode()), (b"B", b"\xff")])
        assert headers.get("a") == "grüße"
        assert encode(headers.get("b") or "") == b"\xff"

    @given(
        st.lists(st.tuples(st.sampled_from([b"A", b"a", b"B", b"x-C"]), st.binary(max_size=3))),
        st.sampled_from(["a", "B", "X-c"]),
    )
    def test_removing_takes_every_field_of_the_name_and_no_other(self, fields: list[tuple[bytes, bytes]], name: str):
        headers = Headers(fields)
        count = len(headers.get_all(name))
        headers.remove(name)
        assert headers.get_all(name) == []
        assert headers.fields == [field for field in fields if field[0].lower() != name.lower().encode()]
        assert len(headers.fields) == len(fields) - count
