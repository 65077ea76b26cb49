"""Who may manage goto in mitmproxy: the same rules, and nothing of a token in what mitmproxy shows and saves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.calls import call
from support.goto_process import Goto
from support.mitm_process import Mitmdump, starts_not
from support.ports import free_port
from support.upstream import Upstream
from support.waiting import eventually

ADMIN, PEER = "admin-s3cr3t", "peer-s3cr3t"
BEARER = {"Authorization": f"Bearer {ADMIN}"}


@pytest.fixture(scope="module")
def behind() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def test_the_token_is_needed_and_neither_sent_on_nor_saved(behind: Upstream, tmp_path: Path) -> None:
    flows, admin = tmp_path / "flows", free_port()
    args = ("-v", "-w", str(flows), "--set", f"goto_admin_port={admin}")
    with Mitmdump(f"reverse:{behind.base}", *args, env={"GOTO_ADMIN_TOKEN": ADMIN}, expect_errors=True) as mitmdump:
        for port in (mitmdump.port, admin):
            for method, path in (
                ("GET", "/label"),
                ("PUT", "/label/set/evil"),
                ("DELETE", "/label"),
                ("GET", "/goto/port/1/label"),
            ):
                answer = call(port, method, path)
                assert (answer.status, answer.value("www-authenticate")) == (401, "Bearer")
                assert call(port, method, path, headers={"Authorization": "Bearer wrong-s3cr3t"}).status == 401
            assert call(port, "GET", "/goto/health").status == 200
            assert call(port, "GET", "/label", headers=BEARER).text == f"Label: {mitmdump.port}\n"
            assert call(port, "DELETE", "/label", headers=BEARER).status == 405
            evil = {**BEARER, "Sec-Fetch-Site": "cross-site"}
            assert call(port, "PUT", "/label/set/evil", headers=evil).status == 403
        behind.take()
        theirs = {"Authorization": "Bearer theirs"}
        assert mitmdump.call("GET", "/x", headers=theirs).text == "hello\n"
        target = {"name": "t", "url": behind.base}
        assert mitmdump.call("POST", "/request/proxy/targets/add", target, headers=BEARER).status == 200
        assert mitmdump.call("POST", "/request/proxy/targets/t/invoke", "hi", headers=BEARER).text == "hello\n"
        assert [received.values("authorization") for received in behind.take(2)] == [["Bearer theirs"], []]
        log = mitmdump.stop()
    assert "/request/proxy/targets/t/invoke" in log
    assert "s3cr3t" not in log
    saved = flows.read_bytes()
    assert b"Bearer theirs" in saved
    assert b"/request/proxy/targets/t/invoke" in saved
    assert b"s3cr3t" not in saved


def test_several_hosts_and_the_probes(behind: Upstream) -> None:
    with Mitmdump(f"reverse:{behind.base}", "--set", "goto_admin_host=goto.test, other.test") as mitmdump:
        eventually(lambda: mitmdump.call("GET", "/goto/ready").text, lambda text: text == "ready\n")
        for host in ("goto.test", "other.test:80"):
            assert mitmdump.call("GET", "/label", headers={"Host": host}).text == f"Label: {mitmdump.port}\n"
        assert mitmdump.call("GET", "/label").text == "hello\n"


def test_by_file_management_is_off_where_it_is_said(behind: Upstream, tmp_path: Path) -> None:
    admin, seed = free_port(), tmp_path / "goto.yaml"
    seed.write_text(f"admin: {{token: {ADMIN}, port: {admin}, off: true}}\n")
    with Mitmdump(f"reverse:{behind.base}", "--set", f"goto_config={seed}") as mitmdump:
        eventually(lambda: mitmdump.call("GET", "/label", headers=BEARER).text, lambda text: text == "hello\n")
        assert mitmdump.call("GET", "/goto/health").text == "hello\n"
        assert call(admin, "GET", "/label").status == 401
        assert call(admin, "GET", "/label", headers=BEARER).text == f"Label: {mitmdump.port}\n"


def test_a_worker_in_mitmproxy(behind: Upstream) -> None:
    env = {"GOTO_REGISTRY_TOKEN": PEER, "GOTO_ADMIN_TOKEN": ADMIN, "POD_IP": "127.0.0.1"}
    with Goto("registry", env=env) as registry:

        def peers() -> list[dict[str, str]]:
            return registry.call("GET", "/registry/peers", headers=BEARER).json()

        options = ("--set", f"goto_registry={registry.base}", "--set", "goto_label=edge", "--set", "goto_admin_host=goto.test")
        with Mitmdump(f"reverse:{behind.base}", *options, env=env) as mitmdump:
            assert [peer["name"] for peer in eventually(peers)] == ["edge"]
            target = {"name": "t", "method": "GET", "url": behind.base}
            done = registry.call("POST", "/registry/peers/edge/targets/add", target, headers=BEARER)
            assert done.text.startswith("Added target t of edge")
            named = {**BEARER, "Host": "goto.test"}
            eventually(lambda: mitmdump.call("GET", "/client/targets", headers=named).json().keys(), lambda got: got == {"t"})
        assert peers() == []


@pytest.mark.parametrize("listen", ["0.0.0.0", "127.0.0.1"])
def test_an_open_instance_says_so(listen: str) -> None:
    args = ("-v", "--listen-host", listen)
    with Mitmdump("reverse:http://127.0.0.1:1", *args, expect_errors=True) as mitmdump:
        log = mitmdump.stop()
    assert log.count("whoever reaches this instance may manage it") == (listen == "0.0.0.0")


def test_bad_ones_are_refused_without_being_shown() -> None:
    for args, env, says in (
        (("--set", "goto_admin_token=s3cr3t with blanks"), {}, "goto_admin_token: a token is made of"),
        ((), {"GOTO_ADMIN_TOKEN": ""}, "GOTO_ADMIN_TOKEN: a token must not be empty"),
        ((), {"GOTO_REGISTRY_TOKEN": "s3cr3t!"}, "GOTO_REGISTRY_TOKEN: a token is made of"),
        (
            ("--set", "goto_registry=http://127.0.0.1:1", "--set", "goto_admin_host=none"),
            {},
            "goto_registry: the registry's calls",
        ),
    ):
        said = starts_not("--mode", f"reverse:http://127.0.0.1:1@{free_port()}", *args, env=env)
        assert says in said
        assert "s3cr3t" not in said
