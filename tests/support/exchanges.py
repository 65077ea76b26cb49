"""Exchanges by hand, written into a journal as a listener does it."""

from __future__ import annotations

from typing import Any

from goto.exchange.call import keep_calls
from goto.flow import Call, Flow, Headers, Origin, Peer, Request, encode
from goto.journal.book import Book
from goto.journal.entry import Entry
from goto.journal.keeping import Keeping

Pairs = list[tuple[str, str]]


class Exchange:
    """One exchange, step by step."""

    def __init__(
        self,
        book: Book,
        method: str = "GET",
        target: str = "/",
        *,
        headers: Pairs | None = None,
        body: bytes | None = None,
        port: int = 8080,
        nth: int = 1,
    ) -> None:
        """The head of its request is here. With `body` one is to come, see `send`."""
        fields = [(name.encode(), value.encode()) for name, value in headers or []]
        self._book = book
        self._body = body
        request = Request(method, target, Headers(fields), has_body=body is not None)
        lines = [encode(f"{method} {target} HTTP/1.1"), *(b"%b: %b" % field for field in fields), b"", b""]
        request.head_size = len(b"\r\n".join(lines))
        self.flow = Flow(request)
        self.flow.peer = Peer("127.0.0.1:5", 7)
        self.flow.peer.requests = nth
        self.entry: Entry | None = book.begin(port, self.flow)

    def send(self) -> Exchange:
        """The body of its request comes, all of it."""
        record = self.flow.record
        if record is not None and self._body is not None:
            record.request.more(self._body)
            record.request.end()
        return self

    def calls(self, target: str, status: int = 200) -> Exchange:
        """It is sent on to a target, which answers."""
        call = Call(target, Origin("http", "h", 80), "GET", "/up")
        assert self.flow.record is not None
        keep_calls(self.flow.record, [call])
        assert call.made is not None
        call.made.answered(status)
        return self

    def answer(self, status: int = 200, body: bytes = b"", headers: Pairs | None = None) -> Exchange:
        """The head of its answer goes out, and all of the body."""
        record = self.flow.record
        if record is not None:
            record.answered(status, None, [(name.encode(), value.encode()) for name, value in headers or []])
            record.response.more(body)
            record.response.end()
        return self

    def end(self, *, took: float = 0.001, **how: Any) -> Exchange:
        """It is over: completed, or as `gone`, `aborted`, `broken`, `unanswered` say."""
        flow = self.flow
        flow.completed = not {"gone", "aborted", "broken"} & set(how)
        for name, value in how.items():
            setattr(flow, name, value)
        flow.ended = flow.started + took
        if self.entry is not None:
            self._book.end(self.entry, flow)
        return self


def exchange(book: Book, method: str = "GET", target: str = "/", status: int = 200, **how: Any) -> Exchange:
    """A whole exchange."""
    return Exchange(book, method, target, **how).send().answer(status).end()


def a_book(**keeping: Any) -> Book:
    """A book that is on."""
    book = Book()
    book.keep(Keeping(**keeping))
    return book
