"""What mitmproxy cannot carry is sent by goto, and waited for."""

from __future__ import annotations

import asyncio

import pytest
from support.flows import flow
from support.ports import free_port
from support.scripted import Scripted, answering
from support.upstream import Reply, held
from support.upstream import Upstream as Server
from support.waiting import PATIENCE

from goto.flow import Call, ClientGone, Origin, Response
from goto.hosts.mitm import send as mitm_send
from goto.hosts.mitm.messages import made
from goto.hosts.mitm.send import send_whole
from goto.upstream.answer import Upstream


def call(port: int, path: str = "/", timeout: float = 5) -> Call:
    return Call("t", Origin("http", "127.0.0.1", port), "POST", path, [(b"Host", b"a")], timeout)


def sent(*calls: Call, body: bytes = b"body") -> Response:
    async def main() -> Response:
        upstream = Upstream()
        try:
            return await send_whole(upstream, flow(), calls, body)
        finally:
            await upstream.close()

    return asyncio.run(main())


def test_one_call_is_answered_by_its_whole_answer(upstream: Server) -> None:
    upstream.on("/x", Reply(299, [b"one", b"two"], [("X", "1"), ("Connection", "close")]))
    response = sent(call(upstream.port, "/x"))
    assert (response.status, response.body, response.stream) == (299, b"onetwo", None)
    assert [field for field in response.headers.fields if field[0] != b"Transfer-Encoding"] == [(b"X", b"1")]
    assert upstream.take(1)[0].body == b"body"


def test_several_are_answered_in_one(upstream: Server) -> None:
    assert sent(call(upstream.port), call(upstream.port)).status == 208


def test_a_failure_names_the_target(upstream: Server) -> None:
    response = sent(call(free_port()))
    assert response.status == 502
    assert response.body.startswith(b"target t: cannot connect to ")
    with held() as event:
        upstream.on("/slow", Reply(hold=event))
        response = sent(call(upstream.port, "/slow", 1))
    assert (response.status, response.body) == (504, b"target t: no answer within 1s\n")


def test_an_answer_that_is_too_long_to_be_held(upstream: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mitm_send, "FAN_OUT_LIMIT", 10)
    upstream.on("/x", Reply(body=b"x" * 11))
    response = sent(call(upstream.port, "/x"))
    assert (response.status, response.body) == (502, b"target t: more than 10 bytes, which cannot be streamed here\n")


def test_a_client_that_leaves_ends_it(upstream: Server) -> None:
    async def main() -> None:
        sender, one = Upstream(), flow()
        sending = asyncio.ensure_future(send_whole(sender, one, [call(upstream.port, "/slow")], b""))
        while not upstream.received:
            await asyncio.sleep(0.01)
        one.leave()
        with pytest.raises(ClientGone):
            await sending
        await sender.close()

    with held() as event:
        upstream.on("/slow", Reply(hold=event))
        asyncio.run(main())
        assert upstream.take(1)[0].aborted.wait(PATIENCE)


@pytest.mark.parametrize("status", [304, 200])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_length_of_a_body_that_is_not_sent_passes(method: str, status: int) -> None:
    async def main() -> Response:
        upstream = Upstream()
        try:
            one = Call("t", Origin("http", "127.0.0.1", server.port), method, "/", [(b"Host", b"a")], 5)
            return await send_whole(upstream, flow(), [one], b"")
        finally:
            await upstream.close()

    body = b"" if status == 304 or method == "HEAD" else b"x" * 99
    with Scripted(answering(b"HTTP/1.1 %d A\r\nContent-Length: 99\r\n\r\n" % status + body)) as server:
        response = asyncio.run(main())
    page = made(response, [], method)
    assert (page.headers.get_all("content-length"), page.raw_content) == (["99"], body)
