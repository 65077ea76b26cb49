"""The instance that a `goto ctl` is about, and calls to it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from goto.command.ctl.failures import NOT_REACHED, REFUSED, Ended, bad_use, status_of
from goto.command.ctl.ways import Way
from goto.testing.asking import Answer, Ask, Connection
from goto.testing.failures import NotReached
from goto.words import Duration

URL = "http://localhost:8080"
"""The instance where neither an option nor the environment names one."""

JSON = "application/json"

IN_PATH, IN_QUERY = "!$&'()*+,;=:@-._~", "!$'()*,;:@/?-._~"
"""What may stand as it is."""

LONGEST = 3600.0
"""Seconds that an invocation may take, which answers when all is done."""


class Session:
    """Calls to one instance, as the options about it say."""

    def __init__(self, about: Mapping[str, str], url: str = "") -> None:
        """`url` wins over that of the options. Raises `Ended` for what is no URL, token or port."""
        self.about = about
        self.as_json = "json" in about
        self.url = url or about.get("url") or os.environ.get("GOTO_URL") or URL
        port = about.get("port", "")
        if port and not (port.isascii() and port.isdecimal()):
            raise bad_use(f"--port: {port!r} is not a port")
        self.before = f"/goto/port/{port}" if port else ""
        try:
            self.connection = Connection(self.url, _token(about))
        except ValueError as error:
            raise bad_use(f"--url: {error}") from None

    @property
    def accept(self) -> str:
        """The kind of answer that is asked for; empty for whatever is usual."""
        return JSON if self.as_json else ""

    @property
    def options(self) -> str:
        """The options that name this instance again, for a command that is shown."""
        return "".join(f" --{name} {self.about[name]}" for name in ("url", "port") if name in self.about)

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        accept: str = "",
        kind: str = "",
    ) -> Answer:
        """The answer to a call, whatever it is. Raises `Ended` where there is none."""
        pairs = "&".join(f"{quote(name)}={quote(value, IN_QUERY)}" for name, value in (query or {}).items())
        headers = {"Accept": accept} if accept else {}
        if kind:
            headers["Content-Type"] = kind
        if body is None and method != "GET":
            body = b""
        target = self.before + path + (f"?{pairs}" if pairs else "")
        try:
            return self.connection.ask(Ask(method, target, body, headers, _waits(path, query or {}, body)))
        except NotReached as error:
            raise Ended(NOT_REACHED, error.text) from None

    def call(self, way: Way, words: list[str], given: Mapping[str, Any], body: bytes | None) -> Answer:
        """Make the call of a way. Raises `Ended` where it is refused, or not answered."""
        path = "/" + "/".join(quote(word, IN_PATH) for word in words)
        names = {field.name for field in way.query}
        query = {name: str(value) for name, value in given.items() if name in names}
        fields = {name: value for name, value in given.items() if name not in names}
        kind = ""
        if body is None and way.fields:
            body, kind = json.dumps(fields, ensure_ascii=False).encode(), JSON
        answer = self.answer(way.method, path, query, body, accept=self.accept, kind=kind)
        return self.checked(answer, way.path)

    def checked(self, answer: Answer, path: str = "") -> Answer:
        """The answer, where it is no error. Raises `Ended`."""
        if answer.astray:
            raise Ended(REFUSED, answer.astray)
        if answer.status >= 400:
            text = answer.text
            if answer.is_json:
                said = json.loads(answer.body)
                text = said.get("error", text) if isinstance(said, dict) else text
            raise Ended(status_of(answer.status, path), text, answer.body if answer.is_json else b"")
        return answer

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON of a read. Raises `Ended`."""
        return json.loads(self.checked(self.answer("GET", path, query, accept=JSON)).body)

    def post(self, path: str, body: Mapping[str, Any], *, accept: str = "") -> Answer:
        """The answer to a call with a body of JSON, where it is no error. Raises `Ended`."""
        data = json.dumps(body, ensure_ascii=False).encode()
        return self.checked(self.answer("POST", path, None, data, accept=accept, kind=JSON))


def _waits(path: str, query: Mapping[str, str], body: bytes | None) -> float:
    """Seconds that the instance may wait before it answers."""
    if "/invoke" in path:
        return LONGEST
    given: dict[str, Any] = dict(query)
    with suppress(ValueError, AttributeError):
        given |= {key: value for key, value in json.loads(body or b"").items() if key in ("timeout", "settle")}
    seconds = 0.0
    for key in ("wait", "timeout", "settle"):
        with suppress(ValueError):
            seconds += Duration.parse(str(given.get(key, "0"))).seconds
    return seconds


def _token(about: Mapping[str, str]) -> str | None:
    """Raises `Ended`."""
    if "token" not in about and "GOTO_ADMIN_TOKEN" not in os.environ:
        return None
    from goto.words.token import TokenOption

    try:
        given = TokenOption.parse(about["token"]) if "token" in about else None
        token = TokenOption.of(given, "GOTO_ADMIN_TOKEN")
    except ValueError as error:
        raise bad_use(f"--token: {error}" if "token" in about else str(error)) from None
    return token.field()[1].decode().removeprefix("Bearer ") if token is not None else None
