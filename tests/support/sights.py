"""Rows of tables that say a call and what a client sees: the call is made, and a client looks, by a socket of its own.

The column of calls has code: `PUT /path`, `POST /path {"json": 1}`, a rule as YAML (`abort: reset`), or a file of configs/. The
column of sights has what is asked in code, `GET /` if nothing is, and what is seen, one for each request:

    `GET /orders/1` 503, 503, 200; with `user: ann` 503
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from support import ROOT
from support.goto_process import Goto
from support.pages import Row
from support.waiting import PATIENCE

QUIET = 0.4
"""Seconds in which nothing comes, where a page says so. Never a measure of how fast something is."""

CODE = re.compile(r"`([^`]+)`")


def outside_code(mark: str) -> re.Pattern[str]:
    """A mark and a blank that do not stand in code."""
    return re.compile(rf"{mark} (?=(?:[^`]*`[^`]*`)*[^`]*$)")


@dataclass(frozen=True)
class Asked:
    """A request as a row writes it."""

    method: str = "GET"
    path: str = "/"
    headers: tuple[str, ...] = ()
    body: str = ""
    port: str = "8080"

    def with_code(self, code: str) -> Asked:
        """With what stands in code: a request, a header, or a body of JSON."""
        if found := re.fullmatch(r"([A-Z]+) (/\S*)(?: (\{.*\}))?", code):
            return replace(self, method=found[1], path=found[2], headers=(), body=found[3] or "")
        if code.startswith("{"):
            return replace(self, body=code)
        return replace(self, headers=(*self.headers, code))


class _Bytes:
    """What `http.client` reads from in the place of a socket."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, *_: Any) -> io.BytesIO:
        return io.BytesIO(self._raw)


@dataclass
class Seen:
    """What came of a request, until its end or until nothing came any more."""

    raw: bytes = b""
    end: str = "open"
    """`refused`, `reset`, `end`, or `open` if the connection stands still."""
    took: float = 0.0

    @property
    def answer(self) -> http.client.HTTPResponse:
        """Raises HTTPException for what is no HTTP."""

        answer = http.client.HTTPResponse(_Bytes(self.raw))  # type: ignore[arg-type]  # `makefile` is all that it asks of a socket
        answer.begin()
        return answer

    def body(self) -> bytes:
        """As far as it came."""
        try:
            return self.answer.read()
        except http.client.IncompleteRead as broken:
            return broken.partial


@dataclass
class Client:
    """A connection, made anew for each request unless it is kept."""

    ports: dict[str, int]
    kept: socket.socket | None = None

    def ask(self, asked: Asked, *, keep: bool = False, until_quiet: bool = False) -> Seen:
        seen, begun = Seen(), time.monotonic()
        head = [f"{asked.method} {asked.path} HTTP/1.1", "Host: localhost", *asked.headers]
        if asked.body:
            head.append(f"Content-Length: {len(asked.body.encode())}")
        if not keep:
            head.append("Connection: close")
        try:
            connection = self.kept or socket.create_connection(
                ("127.0.0.1", self.ports.get(asked.port, int(asked.port))), PATIENCE
            )
        except ConnectionRefusedError:
            return Seen(end="refused")
        self.kept = connection if keep else None
        connection.settimeout(QUIET if until_quiet else PATIENCE)
        try:
            connection.sendall("\r\n".join([*head, "", asked.body]).encode())
            while not (keep and _whole(seen)):
                more = connection.recv(65536)
                if not more:
                    seen.end = "end"
                    break
                seen.raw += more
        except ConnectionResetError:
            seen.end = "reset"
        except TimeoutError:
            pass
        seen.took = time.monotonic() - begun
        if not keep:
            connection.close()
        return seen

    def close(self) -> None:
        if self.kept:
            self.kept.close()
            self.kept = None


def _whole(seen: Seen) -> bool:
    with contextlib.suppress(http.client.HTTPException, ValueError, IndexError):
        seen.answer.read()
        return True
    return False


def _status(seen: Seen, status: str) -> bool:
    return seen.answer.status == int(status) and _whole(seen)


SECONDS = {"ms": 0.001, "s": 1.0}


def _late(seen: Seen, status: str, number: str, unit: str) -> bool:
    return _status(seen, status) and seen.took >= float(number) * SECONDS[unit]


def _header(seen: Seen, status: str, header: str) -> bool:
    name, _, value = header.partition(": ")
    return _status(seen, status) and value in (seen.answer.headers.get_all(name) or [])


def _part(seen: Seen, part: str, whole: str, then: str) -> bool:
    return (int(seen.answer.headers["Content-Length"]), len(seen.body())) == (int(whole), int(part)) and seen.end == ENDS[then]


def _chunks(seen: Seen, part: str, then: str) -> bool:
    return seen.answer.headers["Transfer-Encoding"] == "chunked" and len(seen.body()) == int(part) and seen.end == ENDS[then]


def _no_http(seen: Seen) -> bool:
    try:
        seen.answer.read()
    except (http.client.HTTPException, ValueError):
        return True
    return any(len(seen.answer.headers.get_all(name) or []) > 1 for name in ("Content-Length", "Transfer-Encoding"))


ENDS = {"the end": "end", "a reset": "reset", "nothing more": "open"}

SIGHTS: list[tuple[str, Callable[..., bool]]] = [
    (r"(\d{3})", _status),
    (r"(\d{3}) after (\d+(?:\.\d+)?)(ms|s)", _late),
    (r"(\d{3}) with `([^`]+)`", _header),
    (r"(\d{3}) and `([^`]+)`", lambda seen, status, text: _status(seen, status) and text in seen.body().decode()),
    (r"(\d{3}) of (\d+) bytes", lambda seen, status, size: _status(seen, status) and len(seen.body()) == int(size)),
    (r"connection refused", lambda seen: seen.end == "refused"),
    (r"a reset", lambda seen: (seen.raw, seen.end) == (b"", "reset")),
    (r"the end without a byte", lambda seen: (seen.raw, seen.end) == (b"", "end")),
    (r"nothing", lambda seen: (seen.raw, seen.end) == (b"", "open")),
    (r"(\d+) of (\d+) bytes and then (the end|a reset|nothing more)", _part),
    (r"(\d+) bytes in chunks and then (the end|a reset|nothing more)", _chunks),
    (r"what is not HTTP", _no_http),
]
"""What a client may see, as the pages write it."""


@dataclass
class Stage:
    """An instance that rows are tried on, and the ports that pages write."""

    goto: Goto
    ports: dict[str, int]
    made: int = field(default=0)

    def given(self, text: str) -> str:
        for written, port in self.ports.items():
            text = re.sub(rf"\b{written}\b", str(port), text)
        return text

    def carry_out(self, calls: str) -> None:
        """Make the calls of a cell. Raises AssertionError for one that fails, or for none at all."""
        codes = CODE.findall(calls)
        assert codes, f"no call in {calls!r}"
        for code in codes:
            self._call(code)

    def _call(self, code: str) -> None:
        if found := re.fullmatch(r"(GET|PUT|POST) (/\S*)(?: (.*))?", code, re.S):
            self.goto.api(found[1], self.given(found[2]), self.given(found[3] or ""))
        elif code.endswith(".yaml"):
            text = self.given((ROOT / code).read_text())
            self.goto.api("POST", "/goto/config", text)
        else:
            rule = yaml.safe_load(self.given(code if code.startswith("{") else f"{{{code}}}"))
            self.made += 1
            self.goto.api("POST", "/response/rules/add", json.dumps({"name": f"rule{self.made}", **rule}))

    def look(self, sights: str) -> list[str]:
        """What a cell says that is not seen; nothing if all is as it says."""
        wrong = []
        for part in outside_code(";").split(sights):
            client, asked = Client(self.ports), Asked()
            keep = part.startswith("on one connection: ")
            part = part.removeprefix("on one connection: ")
            if found := re.match(r"on port (\d+): ", part):
                asked, part = replace(asked, port=found[1]), part[found.end() :]
            while found := re.match(r"(?:with )?`([^`]+)`(?: with(?= `))? ", part):
                asked, part = asked.with_code(found[1]), part[found.end() :]
            for sight in outside_code(",").split(part):
                check = next(((check, found) for form, check in SIGHTS if (found := re.fullmatch(form, sight))), None)
                if check is None:
                    return [f"{sight!r} is nothing that can be seen: write one of {[form for form, _ in SIGHTS]}"]
                seen = client.ask(asked, keep=keep, until_quiet="nothing" in sight)
                try:
                    fits = check[0](seen, *check[1].groups())
                except http.client.HTTPException as error:
                    fits, seen.end = False, f"{seen.end}, {error!r}"
                if not fits:
                    wrong.append(f"{asked}: {sight}: saw {seen.end} after {seen.took:.2f} s: {seen.raw[:600]!r}")
            client.close()
        return wrong


def try_row(row: Row, stage: Stage) -> list[str]:
    """What of a row is not so."""
    stage.carry_out(row.cells[1])
    return stage.look(row.cells[2])
