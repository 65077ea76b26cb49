"""The mitmproxy host as a whole: options, whose request it is, listeners at run time, the end."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import ROOT
from support.calls import call
from support.certificates import Authority
from support.client import Client, get
from support.goto_process import Goto
from support.mitm_process import ADDON, START_PATIENCE, Mitmdump, command, confdir, starts_not
from support.ports import free_port
from support.scrape import scraped
from support.scripted import Scripted, answering
from support.site import Site
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, eventually

from goto.hosts.mitm.host import MitmHost

CONFIG = """
label: seeded
response: {headers: [[z, "1"]]}
request:
  proxy: {targets: [{name: t, url: "%s", match: {uris: [/t]}}]}
listeners: [{port: %d, label: inner}]
"""


EXTRA = """
from goto.feature import Feature
class Extra(Feature):
    def response(self, flow):
        flow.response.headers.add("extra", "1")
"""


@pytest.fixture(scope="module")
def behind() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def process(behind: Upstream) -> Iterator[Mitmdump]:
    with Mitmdump(f"reverse:{behind.base}") as mitmdump:
        yield mitmdump


# ---------------------------------------------------------------- the start
def test_a_connection_before_goto_runs_reaches_no_upstream(tmp_path: Path) -> None:
    """mitmproxy listens before its addons run, and would connect upstream as soon as a client does."""
    (tmp_path / "slow.py").write_text("import asyncio\nasync def running():\n    await asyncio.sleep(0.5)\n")
    with Scripted(lambda _: None) as server:
        with Mitmdump(f"reverse:http://127.0.0.1:{server.port}", "-s", str(tmp_path / "slow.py")):
            pass
        assert server.connections == 0


# ---------------------------------------------------------------- options
@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("goto_lable=x", "goto: unknown option goto_lable, is goto_label meant?"),
        ("goto_label=a\nb", "goto: goto_label: "),
        ("goto_admin_port=http", "goto: goto_admin_port: 'http' is not a port from 1 to 65535"),
        ("goto_registry=ftp://x", "goto: goto_registry: "),
        ("goto_features=nothing.py", "goto: goto_features: nothing.py: no such file"),
        ("goto_config=nothing.yaml", "goto: nothing.yaml"),
    ],
)
def test_an_option_that_makes_no_sense_is_one_line_and_exit_status_1(option: str, says: str) -> None:
    lines = starts_not("--set", option, "--mode", f"regular@{free_port()}").splitlines()
    assert len(lines) == 2, lines
    assert says in lines[0]


def test_a_configuration_that_is_wrong_is_named_by_file_line_and_key(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("label: x\nrespones: {}\n")
    lines = starts_not("--set", f"goto_config={file}", "--mode", f"regular@{free_port()}").splitlines()
    assert len(lines) == 2, lines
    assert f"goto: {file}:2:1: respones: " in lines[0]


def test_an_admin_port_that_is_taken(process: Mitmdump) -> None:
    lines = starts_not("--set", f"goto_admin_port={process.port}", "--mode", f"regular@{free_port()}").splitlines()
    assert len(lines) == 2, lines
    assert f"goto: goto_admin_port: cannot listen on {process.port}: " in lines[0]


def test_a_seeded_port_that_is_taken(process: Mitmdump, tmp_path: Path) -> None:
    file = tmp_path / "taken.yaml"
    file.write_text(f"listeners: [{{port: {process.port}}}]\n")
    said = starts_not("--set", f"goto_config={file}", "--mode", f"regular@{free_port()}")
    assert f"goto: port: cannot open listener {process.port}: " in said


def test_files_seed_it_and_options_win(upstream: Upstream, tmp_path: Path) -> None:
    inner = free_port()
    (tmp_path / "a.yaml").write_text(CONFIG % (upstream.base, inner))
    (tmp_path / "b.yaml").write_text("response: {status: '418:1'}\n")
    (tmp_path / "feature.py").write_text(EXTRA)
    options = {
        "config": f"{tmp_path / 'a.yaml'}, {tmp_path / 'b.yaml'}",
        "label": "edge",
        "features": str(tmp_path / "feature.py"),
    }
    settings = [word for name, text in options.items() for word in ("--set", f"goto_{name}={text}")]
    with Mitmdump("regular", *settings) as mitmdump:
        answers = [mitmdump.call("GET", f"http://127.0.0.1:{mitmdump.port}/status/200") for _ in range(2)]
        assert [answer.status for answer in answers] == [418, 200]
        assert [answers[1].value(name) for name in ("via-goto", "z", "extra")] == ["edge", "1", "1"]
        assert mitmdump.call("GET", "http://some.test/t").status == 200
        assert upstream.take(1)[0].values("host") == [f"127.0.0.1:{upstream.port}"]
        assert call(inner, "GET", "/label").text == "Label: inner\n"
        assert mitmdump.api("GET", "/goto/ready").text == "ready\n"
        shown = mitmdump.call("GET", "/goto/config", headers={"Accept": "application/json"}).json()
        assert [one["port"] for one in shown["listeners"]] == [inner]


def test_a_worker_registers_and_deregisters(goto: Callable[..., Goto]) -> None:
    registry = goto("registry")
    registry.api("POST", "/registry/peers/edge/targets/add", {"name": "t", "method": "GET", "url": registry.base})
    options = ["--set", f"goto_registry={registry.base}", "--set", "goto_label=edge"]

    def peers() -> list[dict[str, str]]:
        listed: list[dict[str, str]] = registry.api("GET", "/registry/peers").json()
        return listed

    with Mitmdump("regular", *options, env={"POD_IP": "127.0.0.1"}) as mitmdump:
        (peer,) = eventually(peers)
        assert (peer["name"], peer["address"]) == ("edge", f"127.0.0.1:{mitmdump.port}")
        eventually(lambda: mitmdump.api("GET", "/client/targets").json(), lambda targets: "t" in targets)
        registry.api("POST", "/registry/peers/edge/targets/add", {"name": "pushed", "method": "GET", "url": registry.base})
        eventually(lambda: mitmdump.api("GET", "/client/targets").json(), lambda targets: "pushed" in targets)
    assert peers() == []


def test_the_api_is_described_here_too(behind: Upstream) -> None:
    with Mitmdump(f"reverse:{behind.base}") as mitmdump:
        assert "/response/delay" in mitmdump.api("GET", "/goto/openapi.json").json()["paths"]
        assert "swagger-ui" in mitmdump.api("GET", "/goto/docs").text
        script = mitmdump.call("GET", "/goto/docs/swagger-ui-bundle.js")
        assert len(script.body) == int(script.value("content-length") or 0) > 1 << 20


# ---------------------------------------------------------------- whose request it is
def test_management_may_be_kept_to_one_host(behind: Upstream) -> None:
    with Mitmdump(f"reverse:{behind.base}", "--set", "goto_admin_host=Goto.Test") as mitmdump:
        assert mitmdump.call("GET", "/label").text == "hello\n"
        for host in ("goto.test", f"GOTO.test:{mitmdump.port}"):
            assert mitmdump.call("GET", "/label", headers={"Host": host}).text == f"Label: {mitmdump.port}\n"
        assert mitmdump.call("GET", "/status/418").status == 418


def test_management_may_have_a_port_of_its_own(behind: Upstream) -> None:
    port = free_port()
    options = ("--set", f"goto_admin_port={port}", "--set", "goto_admin_host=none")
    with Mitmdump(f"reverse:{behind.base}", *options) as mitmdump:
        assert mitmdump.call("GET", "/label", headers={"Host": "none"}).text == "hello\n"
        call(port, "PUT", "/label/set/admin")
        assert call(port, "GET", "/label").text == "Label: admin\n"
        assert mitmdump.call("GET", "/x").value("via-goto") == "admin"
        assert call(port, "GET", "/x").status == 404
        other = free_port()
        call(port, "POST", "/listeners/add", {"port": other})
        call(port, "PUT", f"/listeners/{other}/open")
        call(port, "PUT", f"/goto/port/{other}/label/set/other")
        assert call(other, "GET", "/x").value("via-goto") == "other"


@pytest.mark.parametrize("kind", ["regular", "upstream"])
def test_a_proxy_answers_what_is_addressed_to_it(kind: str, upstream: Upstream) -> None:
    upstream.on("/status/200", Reply(203))
    with Upstream() as parent, Mitmdump("regular" if kind == "regular" else f"upstream:{parent.base}") as proxy:
        site = f"http://127.0.0.1:{upstream.port}"
        for own in (f"http://127.0.0.1:{proxy.port}", f"http://localhost:{proxy.port}", ""):
            assert proxy.call("GET", f"{own}/label").text == f"Label: {proxy.port}\n"
            assert proxy.call("GET", f"{own}/status/418").status == 418
            assert proxy.call("GET", f"{own}/echo").json()["RequestURI"] == "/echo"
        if kind == "regular":
            assert proxy.call("GET", f"{site}/status/200").status == 203
            assert proxy.call("GET", f"{site}/label").text == "hello\n"
            assert [received.target for received in upstream.take(2)] == ["/status/200", "/label"]
        else:
            assert proxy.call("GET", f"{site}/label").text == "hello\n"
            assert parent.take(1)[0].target == f"{site}/label"
        # a target is reached from here, whoever stands in the way of other sites
        proxy.api("POST", "/request/proxy/targets/add", {"name": "t", "url": site, "match": {"headers": [["Host", "some.test"]]}})
        assert proxy.call("GET", "http://some.test/x?y").status == 200
        assert upstream.take(1)[0].target == "/x?y"
        assert parent.take() == []


def test_a_site_behind_a_proxy_may_bear_the_name_that_management_goes_by(upstream: Upstream) -> None:
    with Mitmdump("regular", "--set", "goto_admin_host=goto.test") as proxy:
        assert proxy.call("GET", "http://goto.test/label").text == f"Label: {proxy.port}\n"
        assert proxy.call("GET", "http://Goto.Test./status/418").status == 418
        assert proxy.call("GET", f"{upstream.base}/label").text == "hello\n"


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """An https server that answers with what it was asked, and its certificate; as a port."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    server = [sys.executable, "-c", SECURE, str(certificate), str(key)]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline()), certificate
        process.kill()


SECURE = """
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        data = f"{self.path} {self.headers['host']} {self.headers['x']}".encode()
        self.send_response(200); self.send_header("Content-Length", str(len(data))); self.end_headers(); self.wfile.write(data)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH); context.load_cert_chain(*sys.argv[1:])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True); server.serve_forever()
"""


def curl(*args: str) -> str:
    """What curl writes; it must succeed."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    ran = subprocess.run(["curl", "-sS", "--max-time", "20", *args], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_curl_through_a_proxy_to_an_https_server(secure: tuple[int, Path], upstream: Upstream) -> None:
    port, certificate = secure
    ca, site = confdir() / "mitmproxy-ca-cert.pem", f"https://127.0.0.1:{port}"
    upstream.on("/there", Reply(body=b"rerouted"))
    with Mitmdump("regular", "--set", f"ssl_verify_upstream_trusted_ca={certificate}") as proxy:
        through = ("--proxy", proxy.base, "--cacert", str(ca), "-w", " %{http_code} %{http_version}")
        assert curl(*through, f"{site}/a?b") == f"/a?b 127.0.0.1:{port} None 200 2"
        rewritten = {
            "name": "t",
            "url": site,
            "match": {"uris": ["/a/{x}"]},
            "replaceURI": "/b/{x}",
            "addHeaders": [["x", "{x}"]],
        }
        proxy.api("POST", "/request/proxy/targets/add", rewritten)
        assert curl(*through, f"{site}/a/1") == f"/b/1 127.0.0.1:{port} 1 200 2"
        proxy.api("POST", "/request/proxy/targets/add", {"name": "u", "url": upstream.base, "match": {"uris": ["/there"]}})
        assert curl(*through, f"{site}/there") == "rerouted 200 2"
        proxy.api("PUT", "/response/status/set/503:1")
        assert curl(*through, f"{site}/a") == " 503 2"
        assert curl(*through, f"{site}/status/418").startswith("/status/418 ")


def test_clients_may_speak_http_2(behind: Upstream, upstream: Upstream) -> None:
    upstream.on("/chunks", Reply(body=[b"one", b"two"], headers=[("Connection", "X-Hop"), ("X-Hop", "1")]))
    with Mitmdump(f"reverse:{behind.base}") as mitmdump, held() as event:
        site = f"https://127.0.0.1:{mitmdump.port}"
        options = ("--http2", "-k", "-w", " %{http_code} %{http_version}")
        dead = free_port()
        for name, port, more in (("t", upstream.port, {}), ("late", upstream.port, {"requestTimeout": "1s"}), ("dead", dead, {})):
            spec = {"name": name, "url": f"http://127.0.0.1:{port}", "match": {"uris": [f"/{name}/{{x}}"]}, "replaceURI": "/{x}"}
            mitmdump.api("POST", "/request/proxy/targets/add", {**spec, **more})
        assert curl(*options, f"{site}/label") == f"Label: {mitmdump.port}\n 200 2"
        assert curl(*options, f"{site}/x") == "hello\n 200 2"
        assert curl(*options, "-d", "body", f"{site}/t/y") == "hello\n 200 2"
        assert upstream.take(1)[0].body == b"body"
        assert curl(*options, f"{site}/t/chunks") == "onetwo 200 2"
        assert curl(*options, f"{site}/echo").endswith(" 200 2")
        refused = f"target dead: cannot connect to http://127.0.0.1:{dead}: Connection refused\n"
        assert curl(*options, "-H", "Connection: close", f"{site}/dead/1", f"{site}/dead/2") == f"{refused} 502 2" * 2
        upstream.on("/slow", Reply(hold=event))
        assert curl(*options, f"{site}/late/slow") == "target late: no answer within 1s\n 504 2"
        large = curl(*options, "--data-binary", f"@{ROOT / 'README.md'}", f"{site}/request/proxy/targets/add")
        assert large.endswith(" 400 2")
        mitmdump.api("PUT", "/request/timeout/track/all")
        assert curl(*options, "-I", f"{site}/status/204").endswith(" 204 2")
        ends = eventually(lambda: mitmdump.api("GET", "/request/timeout/status").json()["all"], lambda ends: sum(ends.values()))
        assert ends == {"ConnectionClosed": 0, "RequestCompleted": 1}


def test_a_body_over_the_limit_in_http_2(process: Mitmdump, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(2 << 20))
    sent = f"@{tmp_path / 'large'}"
    url = f"https://127.0.0.1:{process.port}/request/proxy/targets/add"
    said = curl("--http2", "-k", "--data-binary", sent, "-w", " %{http_code} %{http_version}", url)
    assert said == "body: more than the limit of 1048576 bytes\n 413 2"


def test_what_a_target_shows_and_trusts_is_its_own(behind: Upstream, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    site, me = authority.issue("inner.example", file="inner"), authority.issue("me", file="me")
    answer = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
    with Scripted(answer, tls=authority.server(site, ask=True)) as server, Mitmdump(f"reverse:{behind.base}") as mitmdump:
        tls = {"ca": str(authority.file), "cert": str(me.cert), "key": str(me.key), "serverName": "inner.example"}
        spec = {"name": "t", "url": f"https://127.0.0.1:{server.port}", "match": {"uris": ["/a"]}, "tls": tls}
        mitmdump.api("POST", "/request/proxy/targets/add", spec)
        assert mitmdump.call("GET", "/a").text == "secret"
        mitmdump.api("POST", "/request/proxy/targets/add", {**spec, "tls": {**tls, "serverName": "other.example"}})
        assert mitmdump.call("GET", "/a").status == 502


def test_tls_of_listeners_is_mitmproxys(process: Mitmdump) -> None:
    answer = process.call("POST", "/listeners/add", {"port": free_port(), "protocol": "https"})
    assert (answer.status, answer.text.startswith("protocol: 'https' is not served, since mitmproxy does TLS here")) == (
        400,
        True,
    )
    assert process.call("GET", "/goto/ca.pem").status == 404
    assert curl("-k", f"https://127.0.0.1:{process.port}/label") == f"Label: {process.port}\n"


# ---------------------------------------------------------------- listeners at run time
def test_a_listener_takes_the_mode_of_the_one_it_was_added_through(behind: Upstream, upstream: Upstream) -> None:
    regular, added = free_port(), [free_port(), free_port()]
    behind.reset()
    with Mitmdump(f"reverse:{behind.base}", "--mode", f"regular@127.0.0.1:{regular}") as mitmdump:
        assert set(mitmdump.api("GET", "/listeners").json()) == {str(mitmdump.port), str(regular)}
        for through, port in zip((mitmdump.port, regular), added, strict=True):
            assert call(through, "POST", "/listeners/add", {"port": port}).status == 200
            assert call(mitmdump.port, "PUT", f"/listeners/{port}/open").status == 200
        assert call(added[0], "GET", "/x").text == "hello\n"
        assert behind.take(1)[0].target == "/x"
        assert call(added[1], "GET", f"{upstream.base}/y").text == "hello\n"
        assert upstream.take(1)[0].target == "/y"
        with socket.socket() as elsewhere:  # it listens where the one that it was added through does
            assert elsewhere.connect_ex(("127.0.0.2", added[1])) != 0
            assert elsewhere.connect_ex(("127.0.0.2", added[0])) == 0


def test_a_port_that_is_taken_is_409_and_spoils_nothing(behind: Upstream, upstream: Upstream) -> None:
    free = free_port()
    with Mitmdump(f"reverse:{behind.base}", expect_errors=True) as mitmdump:
        for port in (upstream.port, free):
            mitmdump.api("POST", "/listeners/add", {"port": port})
        for _ in range(3):
            answer = mitmdump.call("PUT", f"/listeners/{upstream.port}/open")
            assert answer.status == 409
            assert "address already in use" in answer.text.lower()
        assert mitmdump.api("GET", "/listeners").json()[str(upstream.port)]["open"] is False
        mitmdump.api("PUT", f"/listeners/{free}/open")
        assert call(free, "GET", "/x").status == 200
        lines = eventually(lambda: mitmdump.log.splitlines(), lambda lines: len(lines) >= 3)
        assert len(lines) == 3, lines
        assert all("failed to listen on" in line for line in lines)


def test_closing_ends_kept_connections(process: Mitmdump) -> None:
    site = Site(process)
    with site.client() as idle, site.client() as used:
        used.send(get("/label"))
        assert used.answer().status == 200
        process.api("PUT", f"/listeners/{site.port}/close")
        assert (idle.rest(), used.rest()) == (b"", b"")
        with socket.socket() as late:
            assert late.connect_ex(("127.0.0.1", site.port)) != 0
    process.api("PUT", f"/listeners/{site.port}/open")
    assert call(site.port, "GET", "/label").status == 200


@pytest.mark.parametrize("how", ["close", "remove"])
def test_closing_lets_exchanges_in_flight_finish(process: Mitmdump, upstream: Upstream, how: str) -> None:
    site = Site(process)
    site.target(upstream.port)
    with held() as event, site.client() as waiting, site.client() as streaming:
        upstream.on("/held", Reply(hold=event))

        def pieces() -> Iterator[bytes]:
            yield b"one"
            event.wait(PATIENCE)
            yield b"two"

        upstream.on("/stream", lambda _: Reply(body=pieces()))
        waiting.send(get("/held"))
        streaming.send(get("/stream"))
        assert streaming.head()[0] == 200
        upstream.take(2)
        process.api("PUT", f"/listeners/{site.port}/{how}")
        streaming.send(get("/late"))
        event.set()
        answer = waiting.answer()
        assert (answer.status, answer.value("connection")) == (200, "close")
        assert waiting.rest() == b""
        assert streaming.rest() == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    assert upstream.take() == []


def test_a_listener_may_close_itself(process: Mitmdump) -> None:
    site = Site(process)
    with site.client() as client:
        client.send(get(f"/listeners/{site.port}/close", method="PUT", body=b""))
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (200, "close")
        assert client.rest() == b""


def test_listeners_may_come_and_go_all_at_once(process: Mitmdump) -> None:
    ports = [free_port() for _ in range(8)]
    for port in ports:
        process.api("POST", "/listeners/add", {"port": port})
    for how in ("open", "close", "open", "remove"):
        clients = [Client(process.port) for _ in ports]
        for client, port in zip(clients, ports, strict=True):
            client.send(get(f"/listeners/{port}/{how}", method="PUT", body=b""))
        assert [client.answer().status for client in clients] == [200] * 8
        for client in clients:
            client.close()
        if how == "open":
            assert [call(port, "GET", "/label").text for port in ports] == [f"Label: {port}\n" for port in ports]


# ---------------------------------------------------------------- the rest
def test_flows_can_be_saved_and_read(behind: Upstream, upstream: Upstream, tmp_path: Path) -> None:
    file = tmp_path / "flows"
    with Mitmdump(f"reverse:{behind.base}", "-w", str(file)) as mitmdump:
        site = Site(mitmdump)
        site.target(upstream.port, "/t")
        site.target(1, "/down")
        for path in ("/t", "/u", "/down", "/status/418"):
            site.call("GET", path)
        with held() as event:
            upstream.on("/t", Reply(hold=event))
            with site.client() as client:
                client.send(get("/t"))
                *_, received = eventually(lambda: list(upstream.received), lambda got: len(got) == 2)
            assert received.aborted.wait(PATIENCE)
    ran = subprocess.run(
        [*command("mitmdump", "-n", "-r", str(file), "-s", str(ADDON), "--set", f"confdir={confdir()}")],
        capture_output=True,
        text=True,
        timeout=START_PATIENCE,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout
    assert " << 418 I'm a teapot" in ran.stdout
    assert f"GET http://127.0.0.1:{upstream.port}/t" in ran.stdout


def test_other_addons_see_the_bodies_of_flows_that_goto_leaves_alone(behind: Upstream) -> None:
    behind.on("/m", Reply(body=b"much ado"))
    with Mitmdump(
        f"reverse:{behind.base}", "--modify-body", "/~s/ado/todo", "--map-local", f"|/local|{ROOT / 'LICENSE'}"
    ) as mitmdump:
        assert mitmdump.call("GET", "/m").text == "much todo"
        answer = mitmdump.call("GET", "/local")
        assert answer.body == (ROOT / "LICENSE").read_bytes()
        assert answer.value("via-goto") is None


def test_no_connection_is_forgotten_nor_kept_for_ever(behind: Upstream) -> None:
    """A script of its own looks into the host."""
    probe = Path(ADDON).parent.parent / "tests" / "hosts" / "mitm" / "probe.py"
    with Mitmdump(f"reverse:{behind.base}", "-s", str(probe), "--set", "flow_detail=0") as mitmdump:
        for _ in range(20):
            for path in ("/x", "/status/200", "/echo", "/label"):
                mitmdump.call("GET", path)
            with Client(mitmdump.port) as client:
                client.send(get("/x", "Content-Length: 5", method="POST"))
        own = {"clients": 1, "exchanges": 1, "limits": 0}  # those of the call that asks
        eventually(lambda: mitmdump.call("GET", "/probe").json(), lambda kept: kept == own)


@pytest.mark.parametrize("tool", ["mitmweb"])
def test_it_works_in_the_browser_too(tool: str, behind: Upstream) -> None:
    web = free_port()
    options = ("--set", f"web_port={web}", "--no-web-open-browser")
    with Mitmdump(f"reverse:{behind.base}", *options, tool=tool, expect_errors=True) as mitmweb:
        assert mitmweb.call("GET", "/x").value("via-goto") == str(mitmweb.port)
        assert mitmweb.call("GET", "/status/418").status == 418
        assert call(web, "GET", "/").status in (200, 403)


def test_a_script_that_is_added_at_run_time_serves(behind: Upstream, tmp_path: Path) -> None:
    loader = tmp_path / "loader.py"
    add = f"ctx.options.update(scripts=[*ctx.options.scripts, {str(ADDON)!r}])"
    loader.write_text(
        "import asyncio\nfrom mitmproxy import ctx\n"
        "class Loader:\n"
        "  def running(self):\n"
        f"    asyncio.get_running_loop().call_later(0.1, lambda: {add})\n"
        "addons = [Loader()]\n"
    )
    with Mitmdump(f"reverse:{behind.base}", addon=loader) as mitmdump:
        eventually(lambda: mitmdump.call("GET", "/label"), lambda answer: answer.text == f"Label: {mitmdump.port}\n")


def test_sigterm_in_the_middle_of_exchanges_ends_it(behind: Upstream, upstream: Upstream) -> None:
    with held() as event:
        upstream.on("/held", Reply(hold=event))
        mitmdump = Mitmdump(f"reverse:{behind.base}", expect_errors=True)
        site = Site(mitmdump)
        site.target(upstream.port)
        site.api("PUT", "/request/timeout/track/all")
        with site.client() as client:
            client.send(get("/held"))
            upstream.take(1)
            assert "Traceback" not in mitmdump.stop()


# ---------------------------------------------------------------- metrics
def test_metrics_are_those_of_the_other_host(behind: Upstream) -> None:
    with Mitmdump(f"reverse:{behind.base}") as mitmdump, held() as event:
        targets = {"up": behind.base, "dead": f"http://127.0.0.1:{free_port()}", "drops": behind.base, "half": behind.base}
        for name, url in {**targets, "slow": behind.base}.items():
            more = {"requestTimeout": "1s"} if name == "slow" else {}
            target = {"name": name, "url": url, "match": {"uris": [f"/{name}"]}, **more}
            mitmdump.api("POST", "/request/proxy/targets/add", target)
        behind.on("/drops", Reply(verbatim=b""))
        behind.on("/half", Reply(verbatim=b"HTTP/1.1 203 Half\r\nContent-Length: 10\r\n\r\nhello"))
        behind.on("/slow", Reply(hold=event))
        assert [mitmdump.call("GET", path).status for path in ("/up", "/up", "/dead", "/drops", "/slow")] == [
            200,
            200,
            502,
            502,
            504,
        ]
        mitmdump.api("PUT", "/response/status/set/503:2")
        assert [mitmdump.call("GET", "/up").status for _ in range(3)] == [503, 503, 200]
        assert mitmdump.call("GET", "/elsewhere").status == 200
        mitmdump.raw(get("/half"))

        mitmdump.api("PUT", "/response/delay/set/1m:1")
        with Client(mitmdump.port) as client:
            client.send(get("/up"))
            # how those before it ended may be known a little later than they were answered
            over = scraped(mitmdump, lambda now: now("goto_exchanges_total") == 10)
            assert over("goto_exchanges_total", status="200") == 4
            scraped(mitmdump, lambda now: now("goto_exchanges_in_flight") == 1)
        # the last connection is that of the scrape itself
        read = scraped(mitmdump, lambda now: now("goto_exchanges_total") == 11 and now("goto_connections") == 1)
        assert read.by("goto_exchanges_total", "status", "outcome") == {
            ("200", "completed"): 4,
            ("200", "client_gone"): 1,
            ("203", "broke_off"): 1,
            ("502", "upstream_failed"): 2,
            ("503", "completed"): 2,
            ("504", "upstream_failed"): 1,
        }
        assert read.by("goto_upstream_latency_seconds_count", "target") == {("up",): 4, ("half",): 1}
        assert read.by("goto_upstream_failures_total", "target", "kind") == {
            ("dead", "connect"): 1,
            ("drops", "broken"): 1,
            ("half", "broken"): 1,
            ("slow", "timeout"): 1,
        }
        assert read("goto_response_delay_seconds_count") == 1
        assert read("goto_info", host="mitmproxy") == 1


def test_the_name_that_tls_asks_for_has_neither_a_dot_at_its_end_nor_a_zone() -> None:
    for name, asked in (("a.test.", "a.test"), ("fe80::1%eth0", "fe80::1"), ("a.test", "a.test"), (None, None)):
        data = SimpleNamespace(client=SimpleNamespace(id="unknown"), server=SimpleNamespace(sni=name))
        MitmHost().server_connect(data)
        assert data.server.sni == asked
