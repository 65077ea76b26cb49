"""Listeners with protocol https as they are added, configured, started and shown."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority, Pair
from support.goto_process import Goto, run_goto
from support.ports import free_port
from support.scripted import Scripted, answering
from support.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("first")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue("localhost", "127.0.0.1", "::1")


def curl(*args: object) -> str:
    """What curl writes; it must succeed."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    ran = subprocess.run(["curl", "-sS", "--max-time", "20", *map(str, args)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def add(process: Goto, **spec: Any) -> int:
    port = free_port()
    process.api("POST", "/listeners/add", {"port": port, "protocol": "https", **spec})
    process.api("PUT", f"/listeners/{port}/open")
    return port


def test_a_pair_given(process: Goto, authority: Authority, pair: Pair) -> None:
    tls = {"cert": str(pair.cert), "key": str(pair.key)}
    port = add(process, label="sec", tls=tls)
    assert curl("--cacert", authority.file, f"https://localhost:{port}/label") == "Label: sec\n"
    listed = process.api("GET", "/listeners").json()[str(port)]
    assert listed == {"label": "sec", "port": port, "protocol": "https", "open": True, "tls": tls}


def test_one_made_here(process: Goto, tmp_path: Path) -> None:
    answer = process.api("GET", "/goto/ca.pem")
    assert answer.value("content-type") == "application/x-pem-file"
    (tmp_path / "ca.pem").write_bytes(answer.body)
    port = add(process, protocol="HTTPS", tls={"names": ["web.example"]})
    for host in ("localhost", "127.0.0.1"):
        assert curl("--cacert", tmp_path / "ca.pem", f"https://{host}:{port}/goto/ca.pem").encode() == answer.body
    url = f"https://web.example:{port}/status/418"
    assert (
        curl(
            "--cacert",
            tmp_path / "ca.pem",
            "--resolve",
            f"web.example:{port}:127.0.0.1",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            url,
        )
        == "418"
    )
    other = add(process)
    assert curl("--cacert", tmp_path / "ca.pem", f"https://localhost:{other}/label") == f"Label: {other}\n"


def test_a_renewed_pair_is_shown_once_the_listener_is_opened_again(process: Goto, authority: Authority, tmp_path: Path) -> None:
    first, second = Authority(tmp_path, "first"), Authority(tmp_path, "second")
    files = first.issue("localhost")
    port = add(process, tls={"cert": str(files.both)})
    assert curl("--cacert", first.file, f"https://localhost:{port}/label")
    (files.both).write_bytes(second.issue("localhost").both.read_bytes())
    both = files.cert.with_name("first-leaf-both.pem")
    both.write_bytes(second.issue("localhost").both.read_bytes())
    process.api("PUT", f"/listeners/{port}/close")
    process.api("PUT", f"/listeners/{port}/open")
    assert curl("--cacert", second.file, f"https://localhost:{port}/label")
    process.api("PUT", f"/listeners/{port}/close")
    both.write_bytes(b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    answer = process.call("PUT", f"/listeners/{port}/open")
    assert (answer.status, answer.text) == (400, f"tls.cert: {both}: holds no certificate in PEM form\n")
    assert process.api("GET", "/listeners").json()[str(port)]["open"] is False


def test_what_is_refused_changes_nothing(process: Goto, authority: Authority, pair: Pair) -> None:
    cert, key = str(pair.cert), str(pair.key)
    other = str(authority.issue("other", file="other").key)
    before = process.api("GET", "/listeners").json()
    for spec, reason in (
        ({"protocol": "tls"}, "protocol: 'tls' is not served, use http or https"),
        ({"protocol": "http", "tls": {"cert": cert}}, "tls: the protocol is http: leave tls out, or make it https"),
        ({"tls": {"key": key}}, "tls.key: cannot be used without a certificate"),
        ({"tls": {"cert": "/nowhere"}}, "tls.cert: /nowhere: No such file or directory"),
        ({"tls": {"cert": cert, "key": other}}, f"tls.key: {other}: does not belong to the certificate in {cert}"),
        (
            {"tls": {"cert": cert, "key": str(pair.encrypted)}},
            f"tls.key: {pair.encrypted}: the key is encrypted: give one without a password",
        ),
        (
            {"tls": {"cert": cert, "names": ["a"]}},
            "tls.names: cannot be given together with a certificate",
        ),
        (
            {"tls": {"names": ["a b"]}},
            "tls.names[0]: 'a b' is neither a host name nor an IP address",
        ),
        ({"tls": {"cert": 1}}, "tls.cert: expected a string, got a number"),
    ):
        answer = process.call("POST", "/listeners/add", {"port": free_port(), "protocol": "https", **spec})
        assert (answer.status, answer.text) == (400, f"{reason}\n")
    assert process.api("GET", "/listeners").json() == before


def test_a_configuration_names_files_and_reads_back(
    goto: Callable[..., Goto], authority: Authority, pair: Pair, tmp_path: Path
) -> None:
    port, made = free_port(), free_port()
    document = f"""
listeners:
  - {{port: {port}, protocol: https, tls: {{cert: {pair.cert}, key: {pair.key}}}}}
  - {{port: {made}, protocol: https}}
"""
    (tmp_path / "goto.yaml").write_text(document)
    process = goto(None, "--config", str(tmp_path / "goto.yaml"))
    assert curl("--cacert", authority.file, f"https://localhost:{port}/label") == f"Label: {port}\n"
    shown = process.api("GET", "/goto/config").text
    assert (str(pair.key) in shown, "PRIVATE" in shown) == (True, False)
    assert process.api("POST", "/goto/config?replace=y", shown).status == 200
    assert process.api("GET", "/goto/config").text == shown
    answer = process.call("POST", "/goto/config?replace=y", {"listeners": [{"port": port, "protocol": "https"}]})
    assert (answer.status, f"{port} has another certificate" in answer.text) == (409, True)
    answer = process.call(
        "POST", "/goto/config", {"listeners": [{"port": free_port(), "protocol": "https", "tls": {"cert": "/nowhere"}}]}
    )
    assert (answer.status, "tls.cert: /nowhere: No such file" in answer.text) == (400, True)
    (tmp_path / "bad.yaml").write_text(document.replace(str(pair.key), "/nowhere"))
    status, _, error = run_goto("check", str(tmp_path / "bad.yaml"))
    assert (status, "bad.yaml:3:" in error, "/nowhere: No such file" in error) == (2, True, True)


# ---------------------------------------------------------------- the command
def test_the_first_listener_may_be_https(goto: Callable[..., Goto], authority: Authority, pair: Pair) -> None:
    process = goto("sec", "--protocol", "https", "--cert", str(pair.cert), "--key", str(pair.key))
    assert curl("--cacert", authority.file, f"https://localhost:{process.port}/label") == "Label: sec\n"
    eventually(
        lambda: process.log, lambda log: f"serves https://localhost:{process.port} as sec; its API: curl -k https://" in log
    )
    assert run_goto("health", f"https://127.0.0.1:{process.port}")[0] == 0


def test_health_checks_the_certificates_of_other_machines(
    goto: Callable[..., Goto], authority: Authority, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = goto("sec", "--protocol", "https", "--cert", str(pair.both))
    url = f"https://127.0.0.2:{process.port}"  # no name of the certificate's, and not one of this machine's three
    status, _, error = run_goto("health", url)
    assert (status, "certificate not accepted" in error) == (1, True)
    assert run_goto("health", "-k", url)[0] == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--protocol", "ftp"], "argument --protocol: invalid choice: 'ftp'"),
        (["--cert", "/nowhere"], "--cert: the protocol is http"),
        (["--protocol", "https", "--cert", "/nowhere"], "--cert: /nowhere: No such file"),
        (["--protocol", "https", "--key", "/nowhere"], "--key: cannot be used without a certificate"),
        (["--protocol", "https", "--cert-name", "a b"], "argument --cert-name: 'a b' is neither"),
    ],
)
def test_options_that_make_no_sense(options: list[str], reason: str) -> None:
    status, out, error = run_goto("--port", str(free_port()), *options)
    assert (status, out) == (2, "")
    assert error.startswith(f"goto: {reason}")
    assert error.count("\n") == 1


# ---------------------------------------------------------------- the registry
def test_a_worker_with_https_is_registered_with_it_and_pushed_to(
    goto: Callable[..., Goto], authority: Authority, pair: Pair
) -> None:
    trusts = {"SSL_CERT_FILE": str(authority.file), "POD_IP": "127.0.0.1"}
    registry = goto("registry", "--protocol", "https", "--cert", str(pair.both), env=trusts)
    worker = goto(
        "web", "--protocol", "https", "--cert", str(pair.both), "--registry", f"https://localhost:{registry.port}", env=trusts
    )

    def api(port: int, path: str, *args: object) -> Any:
        return json.loads(
            curl("--cacert", authority.file, "-H", "Accept: application/json", *args, f"https://localhost:{port}{path}")
        )

    peers = eventually(lambda: api(registry.port, "/registry/peers"))
    assert peers[0]["address"] == f"https://127.0.0.1:{worker.port}"
    target = {"name": "t", "method": "GET", "url": "http://127.0.0.1:1/"}
    api(registry.port, "/registry/peers/web/targets/add", "--data", json.dumps(target))
    eventually(lambda: api(worker.port, "/client/targets"))
    worker.stop()
    assert api(registry.port, "/registry/peers") == []


# ---------------------------------------------------------------- upstreams
NGINX = """
    listen 127.0.0.1:%(tls)s ssl;
    ssl_certificate %(cert)s; ssl_certificate_key %(key)s;
    ssl_client_certificate %(ca)s; ssl_verify_client on;
    location / { return 200 '$ssl_client_s_dn|$http_host|$ssl_server_name'; }
"""


def test_an_nginx_that_asks_for_a_certificate(process: Goto, nginx: Callable[..., Any], authority: Authority) -> None:
    site, me, tls = authority.issue("inner.example", file="inner"), authority.issue("me", file="me"), free_port()
    nginx(NGINX % {"tls": tls, "cert": site.cert, "key": site.key, "ca": authority.file})
    url = f"https://127.0.0.1:{tls}"
    secure = {"ca": str(authority.file), "cert": str(me.cert), "key": str(me.key), "serverName": "inner.example"}
    port = free_port()
    process.api("POST", "/listeners/add", {"port": port})
    process.api("PUT", f"/listeners/{port}/open")

    def add_target(**fields: Any) -> None:
        spec = {"name": "t", "url": url, "match": {"uris": ["/"]}, **fields}
        process.api("POST", f"/goto/port/{port}/request/proxy/targets/add", spec)

    add_target(tls=secure)
    got = curl(f"http://127.0.0.1:{port}/x")
    assert ("O=trustme" in got, got.endswith(f"|127.0.0.1:{tls}|inner.example")) == (True, True)
    add_target(tls={"ca": secure["ca"], "serverName": "inner.example"})
    assert "No required SSL certificate was sent" in curl(f"http://127.0.0.1:{port}/x")
    add_target(tls={key: secure[key] for key in ("ca", "cert", "key")})
    assert "certificate not accepted" in curl(f"http://127.0.0.1:{port}/x")
    add_target(tls={key: secure[key] for key in ("cert", "key")}, verifyTLS=False)
    assert "O=trustme" in curl(f"http://127.0.0.1:{port}/x")
    # the client, by API and as a command
    process.api(
        "POST",
        "/client/targets/add",
        {"name": "c", "method": "GET", "url": url, "tls": secure, "requestCount": 3, "autoInvoke": True},
    )
    eventually(
        lambda: process.api("GET", "/client/results").json()["countsByTargetStatusCode"].get("c"), lambda got: got == {"200": 3}
    )
    assert process.api("GET", "/client/targets").json()["c"]["tls"] == secure
    options = ["--cert", str(me.both), "--fail-if", "status!=200"]
    assert run_goto("send", "-k", *options, url)[0] == 0
    assert run_goto("send", "--cacert", str(authority.file), *options, url)[0] == 1  # not the name of the certificate


def test_a_server_that_misses_a_certificate_says_so(process: Goto, authority: Authority) -> None:
    context = authority.server(authority.issue("127.0.0.1"), ask=True)

    def refusing(connection: socket.socket) -> None:
        # kept open and read to its end, so that no reset overtakes the alert
        with connection.dup() as kept:
            with contextlib.suppress(ssl.SSLError):
                context.wrap_socket(connection, server_side=True)
            while kept.recv(65536):
                pass

    with Scripted(refusing) as server:
        spec = {"name": "asks", "url": f"https://127.0.0.1:{server.port}", "tls": {"ca": str(authority.file)}}
        process.api("POST", "/request/proxy/targets/add", spec)
        answer = process.call("POST", "/request/proxy/targets/asks/invoke")
        assert answer.status == 502
        assert re.search("closed the connection without an answer: .*certificate required", answer.text), answer.text


@pytest.mark.parametrize("route", ["/request/proxy/targets", "/client/targets"])
def test_targets_that_will_not_do_change_nothing(process: Goto, pair: Pair, route: str) -> None:
    for url, tls, reason in (
        ("https://a", {"ca": "/nowhere"}, "tls.ca: /nowhere: No such file or directory"),
        ("https://a", {"cert": str(pair.cert)}, f"tls.cert: {pair.cert}: holds no key in PEM form that can be used"),
        ("http://a", {"serverName": "b"}, "tls: the url is not https: leave tls out, or write https"),
    ):
        answer = process.call("POST", f"{route}/add", {"name": "bad", "method": "GET", "url": url, "tls": tls})
        assert (answer.status, answer.text.split(" (")[0].strip()) == (400, reason)
    assert "bad" not in process.api("GET", route).json()


def test_a_file_that_has_changed_is_read_when_its_target_is_added_again(process: Goto, tmp_path: Path) -> None:
    first, second = Authority(tmp_path, "first"), Authority(tmp_path, "second")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(first.file.read_bytes())
    with Scripted(answering(OK), tls=second.server(second.issue("127.0.0.1"))) as server:
        spec = {"name": "renewed", "url": f"https://127.0.0.1:{server.port}", "tls": {"ca": str(trusted)}}

        def invoke() -> int:
            return process.call("POST", "/request/proxy/targets/renewed/invoke").status

        process.api("POST", "/request/proxy/targets/add", spec)
        assert invoke() == 502
        trusted.write_bytes(second.file.read_bytes())
        assert invoke() == 502
        process.api("POST", "/request/proxy/targets/add", spec)
        assert invoke() == 200


def test_send_says_which_option_is_wrong(pair: Pair) -> None:
    status, _, error = run_goto("send", "--cacert", "/nowhere", "https://127.0.0.1:1/")
    assert (status, error) == (2, "goto: --cacert: /nowhere: No such file or directory\n")
    assert (
        run_goto("send", "--key", "/nowhere", "https://127.0.0.1:1/")[2] == "goto: --key: cannot be used without a certificate\n"
    )
