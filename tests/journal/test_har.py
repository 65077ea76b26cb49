"""An archive is complete: by a JSON Schema of HAR 1.2, and for another reader."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.exchanges import Exchange, a_book, exchange
from support.har_schema import VALID

from goto.flow import Delivery
from goto.journal.book import Book
from goto.journal.har import archive
from goto.journal.keeping import BodySize
from goto.words.writing import json_bytes


def written(book: Book) -> dict[str, Any]:
    """The archive as it is read, checked against the schema."""
    read = json.loads(json_bytes(archive([*book.rings.newest(None)][::-1])))
    VALID.validate(read)
    for entry in read["log"]["entries"]:
        timings = {name: ms for name, ms in entry["timings"].items() if ms >= 0 and name != "ssl"}
        assert entry["time"] == pytest.approx(sum(timings.values()), abs=0.01)
        assert entry["pageref"] == read["log"]["pages"][0]["id"]
    return read


def only(book: Book) -> dict[str, Any]:
    (entry,) = written(book)["log"]["entries"]
    return entry


def test_what_every_archive_has() -> None:
    log = written(a_book())["log"]
    assert (log["version"], log["creator"]["name"], log["entries"]) == ("1.2", "goto", [])
    assert [(page["id"], page["pageTimings"]) for page in log["pages"]] == [("goto", {})]


def test_a_request() -> None:
    book = a_book(mask=[])
    headers = [("Host", "h:81"), ("Cookie", 'a=b; c="d=e"'), ("Content-Type", "text/plain"), ("x-envoy-attempt-count", "2")]
    exchange(book, "POST", "/a?p=1&q=%20b+c&r", headers=headers, body=b"hello")
    entry = only(book)
    request = entry["request"]
    assert (request["method"], request["url"], request["httpVersion"]) == ("POST", "http://h:81/a?p=1&q=%20b+c&r", "HTTP/1.1")
    pairs = [{"name": "p", "value": "1"}, {"name": "q", "value": " b c"}, {"name": "r", "value": ""}]
    assert request["queryString"] == pairs
    assert request["cookies"] == [{"name": "a", "value": "b"}, {"name": "c", "value": "d=e"}]
    assert request["postData"] == {"mimeType": "text/plain", "text": "hello"}
    head = b"POST /a?p=1&q=%20b+c&r HTTP/1.1\r\n" + b"".join(f"{name}: {value}\r\n".encode() for name, value in headers) + b"\r\n"
    assert (request["headersSize"], request["bodySize"]) == (len(head), 5)
    assert (entry["_seq"], entry["_goto"]) == (1, {"listener": 8080, "by": [], "end": "completed", "attempt": 2})
    assert entry["connection"] == "7"


def test_bodies_of_requests() -> None:
    book = a_book(bodies=BodySize(10))
    form = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
    for body, headers in ((b"a=1&b=%20", form), (b"a=1&b=22222", form), (b"\xff\xfe", []), (b"", [])):
        exchange(book, "POST", body=body, headers=headers)
    found = [entry["request"].get("postData") for entry in written(book)["log"]["entries"]]
    assert found == [
        {"mimeType": form[0][1], "params": [{"name": "a", "value": "1"}, {"name": "b", "value": " "}]},
        {"mimeType": form[0][1], "text": "a=1&b=2222", "_truncated": True},
        {"mimeType": "x-unknown", "text": "//4=", "_encoding": "base64"},
        None,
    ]


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_codings_are_undone_where_a_body_was_kept_whole(coding: str, pack: Any) -> None:
    book, body = a_book(), b"hello " * 500
    packed = pack(body)
    headers = [("Content-Encoding", coding), ("Content-Type", "text/plain")]
    Exchange(book).answer(200, packed, headers).end()
    response = only(book)["response"]
    assert response["bodySize"] == len(packed)
    assert response["content"] == {
        "size": len(body),
        "compression": len(body) - len(packed),
        "mimeType": "text/plain",
        "text": body.decode(),
    }
    cut = a_book(bodies=BodySize(10))
    Exchange(cut).answer(200, packed, headers).end()
    content = only(cut)["response"]["content"]
    assert (content["size"], content["_truncated"], content["encoding"]) == (len(packed), True, "base64")
    bomb = a_book(bodies=BodySize(1 << 20))
    Exchange(bomb).answer(200, pack(bytes(3 << 20)), headers).end()
    assert "compression" not in only(bomb)["response"]["content"]


def test_an_answer() -> None:
    book = a_book(mask=[])
    headers = [
        ("Location", "/b"),
        ("Set-Cookie", "a=b; Path=/x; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Secure; HttpOnly; SameSite=Lax"),
        ("Set-Cookie", "c=d; Expires=never"),
    ]
    made = Exchange(book).calls("t")
    assert made.flow.record is not None
    made.flow.record.calls[0].reached(("10.0.0.1", 80))
    made.flow.record.calls[0].connected(0.010, 0.004)
    made.flow.record.held = 0.3
    made.answer(302, b"\xff", headers).end(took=1.0)
    entry = only(book)
    response = entry["response"]
    assert (response["status"], response["statusText"], response["redirectURL"]) == (302, "Found", "/b")
    assert response["cookies"] == [
        {
            "name": "a",
            "value": "b",
            "path": "/x",
            "expires": "2027-06-09T10:18:14Z",
            "secure": True,
            "httpOnly": True,
            "sameSite": "Lax",
        },
        {"name": "c", "value": "d"},
    ]
    assert response["content"] == {"size": 1, "mimeType": "x-unknown", "text": "/w==", "encoding": "base64"}
    assert entry["serverIPAddress"] == "10.0.0.1"
    assert (entry["timings"]["connect"], entry["timings"]["ssl"], entry["timings"]["dns"]) == (10.0, 4.0, -1)
    assert entry["timings"]["wait"] >= 290


def test_what_has_no_answer_says_why() -> None:
    book = a_book()
    for end, marks in (("reset", ["rule:flaky"]), ("close", [])):
        made = Exchange(book)
        made.flow.delivery = Delivery(end=end)
        for mark in marks:
            made.flow.mark(mark)
        made.end(aborted=True)
    Exchange(book).end(gone=True)
    Exchange(book)
    responses = [entry["response"] for entry in written(book)["log"]["entries"]]
    errors = ["reset by rule flaky", "closed by goto", "the client left", "not answered yet"]
    assert [response.pop("_error") for response in responses] == errors
    for response in responses:
        assert response == {
            "status": 0,
            "statusText": "",
            "httpVersion": "",
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": "x-unknown"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        }


def test_masked_values_stay_masked() -> None:
    book = a_book()
    made = Exchange(book, headers=[("Cookie", "a=secret"), ("Authorization", "secret")])
    made.answer(200, headers=[("Set-Cookie", "a=secret; Path=/")]).end()
    assert "secret" not in json.dumps(written(book))
    assert only(book)["request"]["cookies"] == only(book)["response"]["cookies"] == []


def test_without_a_host_the_url_is_absolute_all_the_same() -> None:
    book = a_book()
    made = Exchange(book, "OPTIONS", "*")
    made.flow.peer.secure = True
    made.answer().end()
    assert only(book)["request"]["url"] == "http://localhost:8080/*"


@given(st.binary(max_size=30), st.binary(max_size=30), st.text(max_size=20))
def test_whatever_passes_is_an_archive(body: bytes, answer: bytes, target: str) -> None:
    book = a_book(bodies=BodySize(20), mask=[])
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", target), ("Host", "h")]
    made = Exchange(book, "POST", f"/{target}?{target}", headers=headers, body=body).send()
    made.answer(200, answer, [("Content-Encoding", "gzip"), ("Set-Cookie", target)]).end()
    written(book)


def test_another_reader_finds_what_passed() -> None:
    mitm = pytest.importorskip("mitmproxy.io", reason="mitmproxy is not installed in this Python")
    book = a_book()
    exchange(book, "POST", "/a?b=c", headers=[("Host", "h"), ("Content-Type", "text/plain")], body=b"hello")
    packed = gzip.compress(b"text")
    Exchange(book, target="/z", headers=[("Host", "h")]).answer(201, packed, [("Content-Encoding", "gzip")]).end()
    Exchange(book, target="/gone", headers=[("Host", "h")]).end(gone=True)
    read = list(mitm.FlowReader(io.BytesIO(json.dumps(written(book)).encode())).stream())
    assert [(flow.request.method, flow.request.path, flow.request.content) for flow in read] == [
        ("POST", "/a?b=c", b"hello"),
        ("GET", "/z", b""),
        ("GET", "/gone", b""),
    ]
    assert [(flow.response.status_code, flow.response.content) for flow in read][:2] == [(200, b""), (201, b"text")]
