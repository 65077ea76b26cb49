"""Who may make management calls to a real goto, and on which of its ports."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT
from support.calls import call
from support.goto_process import Goto, run_goto
from support.ports import free_port
from support.upstream import Upstream
from support.waiting import eventually

from goto.instance.wiring import route_table

ADMIN, PEER = "admin-s3cr3t", "peer-s3cr3t"
BEARER = {"Authorization": f"Bearer {ADMIN}"}


def start_line(process: Goto) -> str:
    return eventually(lambda: process.log.splitlines())[0]


@pytest.fixture(scope="module")
def guarded(goto: Callable[..., Goto]) -> tuple[Goto, int]:
    """A goto with a token and an admin port, and that port."""
    admin = free_port()
    return goto("guarded", "--admin-port", str(admin), env={"GOTO_ADMIN_TOKEN": ADMIN}), admin


def test_every_route_needs_the_token_on_every_port(guarded: tuple[Goto, int]) -> None:
    process, admin = guarded
    for route in route_table().routes:
        path = re.sub(r"\{\w+\}", "1", route.path)
        for port, prefix in ((process.port, ""), (admin, ""), (admin, f"/goto/port/{process.port}")):
            for method in route.methods:
                answer = call(port, method, prefix + path, headers={"Accept": "application/json"})
                if route.who.anybody:
                    assert answer.status in (200, 302, 404)
                    continue
                assert (answer.status, answer.value("www-authenticate")) == (401, "Bearer"), (method, path)
                assert answer.json() == {"error": "this call needs a token: send the header Authorization: Bearer TOKEN"}
                assert call(port, method, prefix + path, headers={"Authorization": "Bearer x"}).status == 401
    for port in (process.port, admin):
        assert call(port, "GET", "/label", headers=BEARER).text == "Label: guarded\n"
        # what exists is not told either
        assert call(port, "GET", "/goto/port/1/label").status == 401
        assert call(port, "DELETE", "/label").status == 401
        assert call(port, "DELETE", "/label", headers=BEARER).status == 405
    assert run_goto("health", process.base)[0] == 0
    assert run_goto("health", f"http://127.0.0.1:{admin}")[0] == 0


def test_traffic_does_not_need_it_and_keeps_its_own(guarded: tuple[Goto, int]) -> None:
    process, _ = guarded
    theirs = {"Authorization": "Bearer theirs"}
    assert process.call("GET", "/x").status == 200
    assert process.call("GET", "/status/418", headers=theirs).status == 418
    assert process.call("POST", "/x", "body", headers=theirs).json()["RequestHeaders"]["Authorization"] == ["Bearer theirs"]


def test_a_refused_body_is_not_waited_for_and_the_connection_goes_on(guarded: tuple[Goto, int]) -> None:
    process, _ = guarded
    answer = process.raw(
        b"POST /client/targets/add HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        b"GET /goto/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"401", b"200"]


def test_an_invocation_does_not_send_the_token_on(guarded: tuple[Goto, int], upstream: Upstream) -> None:
    process, _ = guarded
    target = {"name": "t", "url": upstream.base, "addHeaders": [["x", "1"]]}
    assert process.call("POST", "/request/proxy/targets/add", target, headers=BEARER).status == 200
    assert process.call("POST", "/request/proxy/targets/t/invoke", "hi", headers={**BEARER, "y": "2"}).status == 200
    (received,) = upstream.take(1)
    assert (received.values("authorization"), received.values("x"), received.values("y")) == ([], ["1"], ["2"])
    process.call("POST", "/request/proxy/targets/clear", headers=BEARER)


def test_an_open_goto_sends_on_what_an_invocation_has(goto: Callable[..., Goto], upstream: Upstream) -> None:
    process = goto("open", "--host", "127.0.0.1")
    process.api("POST", "/request/proxy/targets/add", {"name": "t", "url": upstream.base})
    process.call("POST", "/request/proxy/targets/t/invoke", headers={"Authorization": "Bearer theirs"})
    assert upstream.take(1)[0].values("authorization") == ["Bearer theirs"]


def test_a_page_of_another_site_is_refused(guarded: tuple[Goto, int]) -> None:
    process, admin = guarded
    for port in (process.port, admin):
        for fields in ({"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = call(port, "PUT", "/label/set/evil", headers={**BEARER, **fields})
            assert (answer.status, answer.text) == (403, "a page of another site may not manage goto\n")
    assert process.call("GET", "/x", headers={"Origin": "http://evil.test"}).status == 200
    own = {**BEARER, "Origin": process.base, "Host": f"127.0.0.1:{process.port}"}
    assert process.call("GET", "/label", headers=own).text == "Label: guarded\n"


def test_without_management_a_listener_has_traffic_alone(goto: Callable[..., Goto]) -> None:
    admin, other, third = free_port(), free_port(), free_port()
    process = goto("closed", "--no-admin", "--admin-port", str(admin))
    assert f"its API: curl http://localhost:{admin}/goto/help" in start_line(process)
    for path in ("/label", "/goto/health", "/goto/config", f"/goto/port/{process.port}/label", "/goto/port/1/label"):
        assert process.call("GET", path).json()["RequestURI"] == path
    assert process.call("DELETE", "/label").json()["RequestURI"] == "/label"
    assert call(admin, "GET", "/label").text == "Label: closed\n"
    assert call(admin, "GET", "/goto/health").status == 200
    # listeners added later may be so too
    for port, spec in ((other, {"admin": False}), (third, {})):
        assert call(admin, "POST", "/listeners/add", {"port": port, "label": "l", **spec}).status == 200
        assert call(admin, "PUT", f"/listeners/{port}/open").status == 200
    assert call(other, "GET", "/label").json()["RequestURI"] == "/label"
    assert call(third, "GET", "/label").text == "Label: l\n"
    assert call(third, "GET", f"/goto/port/{other}/label").text == "Label: l\n"
    listed = call(admin, "GET", "/listeners").json()
    assert [listed[str(port)].get("admin") for port in (process.port, other, third)] == [False, False, None]
    assert call(admin, "POST", "/listeners/add", {"port": free_port(), "admin": "no"}).status == 400


def test_a_seeded_goto_without_management_still_says_how_it_is(goto: Callable[..., Goto], tmp_path: Path) -> None:
    seed = tmp_path / "goto.yaml"
    seed.write_text("response: {status: 503}\n")
    process = goto("sealed", "--no-admin", "--config", str(seed))
    assert start_line(process).endswith("; its API is off")
    assert process.call("GET", "/label").status == 503
    assert process.call("GET", "/goto/help").status == 503
    assert process.call("GET", "/goto/ready").text == "ready\n"
    assert run_goto("health", process.base)[0] == 0
    assert process.call("GET", "/goto/ready", headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert "whoever" not in process.stop()


def test_management_may_be_kept_to_some_hosts(goto: Callable[..., Goto]) -> None:
    admin = free_port()
    process = goto("named", "--admin-host", "goto.test,localhost", "--admin-host", "[::1]", "--admin-port", str(admin))
    for host in ("goto.test", f"localhost:{process.port}", "[::1]"):
        assert process.call("GET", "/label", headers={"Host": host}).text == "Label: named\n"
        assert call(admin, "GET", "/label", headers={"Host": host}).text == "Label: named\n"
    for host in ("evil.test", "127.0.0.1"):
        assert process.call("PUT", "/label/set/evil", headers={"Host": host}).json()["RequestURI"] == "/label/set/evil"
        answer = call(admin, "PUT", "/label/set/evil", headers={"Host": host})
        assert (answer.status, answer.text) == (421, f"management is not served for {host} (--admin-host)\n")
        assert call(admin, "GET", "/goto/ready", headers={"Host": host}).status == 200
    assert process.call("GET", "/x").value("via-goto") == "named"


def test_all_of_it_by_file(goto: Callable[..., Goto], tmp_path: Path) -> None:
    admin, inner = free_port(), free_port()
    seed = tmp_path / "goto.yaml"
    seed.write_text(
        f"admin: {{token: {ADMIN}, port: {admin}, host: goto.test, off: true}}\nregistry: {{token: {PEER}}}\n"
        f"listeners: [{{port: {inner}, admin: false}}]\n"
    )
    process = goto("filed", "--config", str(seed), "--watch")
    named = {**BEARER, "Host": "goto.test"}
    assert process.call("GET", "/label", headers=named).json()["RequestURI"] == "/label"
    assert call(inner, "GET", "/label", headers=named).json()["RequestURI"] == "/label"
    assert call(admin, "GET", "/label", headers=named).text == "Label: filed\n"
    assert call(admin, "GET", "/label", headers=BEARER).status == 421
    assert call(admin, "GET", "/label", headers={"Host": "goto.test"}).status == 401
    # it is neither shown nor changed while it runs
    shown = call(admin, "GET", "/goto/config", headers={**named, "Accept": "application/json"}).json()
    assert shown == {"label": "filed", "listeners": [{"port": inner, "protocol": "http", "open": True, "admin": False}]}
    for path, body in (
        ("admin.token", {"admin": {"token": "other"}}),
        ("admin.off", {"admin": {"off": False}}),
        ("admin.host", {"admin": {"host": "evil.test"}}),
        ("admin.port", {"admin": {"port": free_port()}}),
        ("registry.token", {"registry": {"token": "other"}}),
    ):
        for query in ("", "?replace=y"):
            answer = call(admin, "POST", f"/goto/config{query}", {"listeners": shown["listeners"], **body}, headers=named)
            assert (answer.status, answer.text) == (409, f"{path}: read at the start only: restart goto to change it\n")
    answer = call(admin, "POST", "/goto/config", {"listeners": [{"port": inner, "admin": True}]}, headers=named)
    assert (answer.status, f"listeners: {inner} was added with admin false" in answer.text) == (409, True)
    assert call(admin, "POST", "/goto/config?replace=y", shown, headers=named).status == 200
    assert call(inner, "GET", "/label", headers=named).json()["RequestURI"] == "/label"
    seed.write_text(seed.read_text().replace(ADMIN, "changed-s3cr3t"))
    eventually(lambda: "admin.token: read at the start only" in process.log)
    assert call(admin, "GET", "/label", headers=named).status == 200


def test_the_command_line_wins_over_the_environment_and_that_over_files(goto: Callable[..., Goto], tmp_path: Path) -> None:
    seed, token = tmp_path / "goto.yaml", tmp_path / "token"
    seed.write_text("admin: {token: of-the-file}\n")
    token.write_text("of-the-option\n")
    variable = {"GOTO_ADMIN_TOKEN": "of-the-variable"}
    both = goto("both", "--config", str(seed), "--admin-token", f"@{token}", env=variable)
    environment = goto("environment", "--config", str(seed), env=variable)
    file = goto("file", "--config", str(seed))
    for process, good in ((both, "of-the-option"), (environment, "of-the-variable"), (file, "of-the-file")):
        for word in ("of-the-option", "of-the-variable", "of-the-file"):
            status = process.call("GET", "/label", headers={"Authorization": f"Bearer {word}"}).status
            assert status == (200 if word == good else 401), (process.label, word)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["--admin-host", "a:80"],
            "goto: --admin-host: 'a:80' is not a name or address of a host: write it without scheme and port",
        ),
        (["--admin-host", "none", "--admin-host", "a"], "goto: --admin-host: none goes with no other host"),
        (
            ["--no-admin", "--registry", "http://127.0.0.1:1"],
            "goto: --registry: the registry's calls need a port, and management is off",
        ),
    ],
)
def test_what_makes_no_sense_is_one_line_and_status_2(words: list[str], says: str) -> None:
    status, out, error = run_goto("--port", str(free_port()), *words)
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert error.startswith(says)


@pytest.mark.parametrize(
    ("args", "env", "warned"),
    [
        ((), {}, True),
        (("--admin-port", "PORT", "--no-admin"), {}, True),
        (("--host", "127.0.0.1"), {}, False),
        (("--no-admin",), {}, False),
        (("--quiet",), {}, False),
        ((), {"GOTO_ADMIN_TOKEN": ADMIN}, False),
    ],
)
def test_an_open_instance_says_so_in_one_line(args: tuple[str, ...], env: dict[str, str], warned: bool) -> None:
    words = [str(free_port()) if word == "PORT" else word for word in args]
    with Goto("warned", *words, env=env) as process:
        if "--quiet" not in words:
            eventually(lambda: "serves" in process.log)
        log = process.stop().splitlines()
    assert [line for line in log if "whoever reaches this instance may manage it" in line] == log[1:2] * warned
    assert len(log) == (0 if "--quiet" in words else 1 + warned)
    assert not warned or "(docs/security.md)" in log[1]
    assert (ROOT / "docs" / "security.md").exists()
