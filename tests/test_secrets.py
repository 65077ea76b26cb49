"""No token is ever shown: in no answer, log, document, message or schema, whatever is asked and whatever goes wrong."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.calls import call
from support.goto_process import Goto, run_goto
from support.ports import free_port
from support.upstream import Upstream
from support.waiting import eventually

from goto.command.check import check, print_schema
from goto.instance.wiring import route_table

SECRETS = st.from_regex(r"s3cr3t[A-Za-z0-9._~+/-]{0,30}={0,2}", fullmatch=True)
ADMIN, PEER = "admin-s3cr3t+/==", "peer-s3cr3t+/=="

# documents that hold a token T where it belongs, or nearly
DOCUMENTS = [
    "admin: {token: T}",
    "registry: {token: T}",
    "admin: {token: T, port: 70000}",
    "admin: {token: 'T with blanks'}",
    'admin: {token: "T\\u00e9"}',
    "admin: {token: [T]}",
    "admin: {token: {T: T}}".replace("{T: T}", "{a: T}"),
    "admin: {tokn: T}",
    "admin: T",
    "admin: [T]",
    "admin: {off: T}",
    "admin: {port: 80, token: T, token: T}",
    "admin: {token: T}\nnope: 1",
    "admin: {token: T",
    "admin: {token: &a T}\nregistry: {token: *a, peers: *a}",
    "admin: {token: !!str T, off: !!str T}",
    "listeners: [{port: 81, admin: T}]",
    "listeners: [{port: 81, token: T}]",
    "registry: {token: T, url: nowhere}",
    '{"admin": {"token": "T", "port": "no"}}',
]


@given(SECRETS, st.sampled_from(DOCUMENTS))
def test_no_check_of_a_file_shows_it(tmp_path_factory: pytest.TempPathFactory, secret: str, document: str):
    file = tmp_path_factory.mktemp("secrets") / "goto.yaml"
    file.write_text(document.replace("T", secret))
    said = Output()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        check([str(file)])
    assert "goto.yaml" in said.text
    assert secret not in said.text


class Output(list[str]):
    def write(self, text: str) -> int:
        self.append(text)
        return len(text)

    def flush(self) -> None:
        pass

    @property
    def text(self) -> str:
        return "".join(self)


def test_no_schema_has_an_example_of_one(capsys: pytest.CaptureFixture[str]):
    print_schema()
    schema = json.loads(capsys.readouterr().out)
    for folder in ("admin", "registry"):
        described = schema["properties"][folder]["properties"]["token"]
        assert described["writeOnly"] is True
        assert not {"examples", "example", "default", "enum", "const"} & set(described)


@pytest.fixture(scope="module", params=["text", "json"])
def process(request: pytest.FixtureRequest, goto: Callable[..., Goto], tmp_path_factory: pytest.TempPathFactory) -> Goto:
    """A goto that is given its tokens in every way, one over the other."""
    file = tmp_path_factory.mktemp("seed") / "goto.yaml"
    file.write_text("admin: {token: file-s3cr3t}\nregistry: {token: file-s3cr3t}\n")
    args = ("--log-format", request.param, "--registry-token", PEER, "--config", str(file), "--watch")
    return goto("secret", *args, env={"GOTO_ADMIN_TOKEN": ADMIN})


def everything(process: Goto, shows: dict[str, str]) -> Iterator[str]:
    """What each route answers to each method, with bodies and words that are right and wrong."""
    bodies = (b"", b"{", b'{"name": "n", "method": "GET", "url": "http://127.0.0.1:1/", "port": 1, "address": "127.0.0.1:1"}')
    for route in route_table().routes:
        for word in ("1", "a%0Ab"):
            for method in (*route.methods, "DELETE"):
                for body in bodies:
                    if "/listeners/" in route.path and "add" not in route.path:
                        continue  # the only one stays open
                    path = re.sub(r"\{\w+\}", word, route.path)
                    answer = process.call(method, path, body, headers={**shows, "Accept": "application/json"})
                    yield f"{answer.headers} {answer.text}"


@pytest.mark.parametrize("token", [ADMIN, PEER, "wrong-s3cr3t", ""])
def test_no_answer_and_no_line_of_a_log_shows_one(process: Goto, token: str) -> None:
    shows = {"Authorization": f"Bearer {token}"} if token else {}
    said = list(everything(process, shows))
    assert len(said) > 300
    assert [text for text in said if "s3cr3t" in text] == []
    config = {"Authorization": f"Bearer {ADMIN}"}
    for body in ("admin: {token: body-s3cr3t}", "admin: {token: 'body-s3cr3t !'}", "registry: {token: [body-s3cr3t]}"):
        answer = process.call("POST", "/goto/config", body, headers=config)
        assert (answer.status in (400, 409), "s3cr3t" in answer.text) == (True, False)
    assert process.call("GET", "/goto/config", headers=config).status == 200
    assert "s3cr3t" not in process.call("GET", "/goto/config", headers=config).text
    eventually(lambda: process.log.count("/goto/config"), lambda count: count >= 5)
    assert "s3cr3t" not in process.log


def test_no_refusal_at_the_start_shows_one(tmp_path: Path) -> None:
    file = tmp_path / "goto.yaml"
    file.write_text("admin: {token: s3cr3t, nope: 1}")
    port = str(free_port())
    for words in (
        ["--admin-token", "s3cr3t with blanks"],
        ["--admin-token", "@s3cr3t"],
        ["--registry-token", 's3cr3t"'],
        ["--admin-token", "s3cr3t", "--admin-host", "a:1"],
        ["--admin-token", "s3cr3t", "--nope"],
        ["--config", str(file)],
        ["--admin-token", "s3cr3t", "--admin-port", "1x"],
    ):
        status, out, error = run_goto("--port", port, *words)
        assert (status, out) == (2, "")
        assert "s3cr3t" not in error, words


def test_tracking_sees_none(goto: Callable[..., Goto], upstream: Upstream) -> None:
    """Not even where Authorization is what is tracked."""
    admin = free_port()
    shows = {"Authorization": f"Bearer {ADMIN}"}
    process = goto("tracking", "--admin-port", str(admin), env={"GOTO_ADMIN_TOKEN": ADMIN})
    for port in (process.port, admin):
        call(port, "PUT", "/request/headers/track/add/Authorization", headers=shows)
        call(port, "PUT", "/request/timeout/track/headers/Authorization", headers=shows)
        call(port, "POST", "/request/proxy/targets/add", {"name": "t", "url": upstream.base}, headers=shows)
        call(port, "POST", "/request/proxy/targets/t/invoke", headers=shows)
        for path in ("/request/headers/track/counts", "/request/timeout/status", "/goto/config"):
            assert "s3cr3t" not in call(port, "GET", path, headers=shows).text
    assert {str(received.headers).count("s3cr3t") for received in upstream.take(2)} == {0}
