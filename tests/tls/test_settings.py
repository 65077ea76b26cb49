"""What may stand under `tls`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority

from goto.errors import BadInput
from goto.features.proxy.target import ProxyTarget
from goto.tls.settings import CertName, ListenerTls, ServerName, TargetTls, of_target
from goto.words.reading import read_struct


@pytest.mark.parametrize(
    ("text", "name"),
    [("a.example", "a.example"), ("::1", "::1"), ("0::1", "::1"), ("münchen.de", "xn--mnchen-3ya.de"), ("my_pod", "my_pod")],
)
def test_names(text: str, name: str) -> None:
    assert ServerName.parse(text) == CertName.parse(text) == name


@pytest.mark.parametrize("text", ["", ".", "a b", "a..b", "http://a", "a:80", "-a", "a" * 64, "a.*", "\n"])
def test_what_is_no_name(text: str) -> None:
    for kind in (ServerName, CertName):
        with pytest.raises(ValueError, match="neither a host name nor an IP address"):
            kind.parse(text)


def test_a_certificate_may_be_for_many_hosts_and_a_server_is_one() -> None:
    assert CertName.parse("*.a.example") == "*.a.example"
    with pytest.raises(ValueError, match="stands for many hosts"):
        ServerName.parse("*.a.example")


@pytest.mark.parametrize(
    ("tls", "reason"),
    [
        ({"key": "/k"}, "tls.key: cannot be used without a certificate"),
        ({"ca": 1}, "tls.ca: expected a string, got a number"),
        ({"ca": " "}, "tls.ca: must not be empty"),
        ({"ca": "/nowhere"}, "tls.ca: /nowhere: No such file or directory"),
        ({"serverName": "a b"}, "tls.serverName: 'a b' is neither a host name nor an IP address"),
        ([], "tls: expected an object, got a list"),
    ],
)
def test_what_a_target_is_refused_for(tls: Any, reason: str) -> None:
    with pytest.raises(BadInput) as refusal:
        _ = read_struct({"name": "t", "url": "https://a", "tls": tls}, ProxyTarget)[0].origin
    assert refusal.value.message == reason


def test_keys_in_any_case_and_unknown_ones_named() -> None:
    target, unknown = read_struct({"name": "t", "url": "https://a", "TLS": {"CA": "/c", "SERVERNAME": "b", "x": 1}}, ProxyTarget)
    assert target.tls == TargetTls(ca="/c", server_name="b")
    assert unknown == ["TLS.x"]


def test_only_https_has_settings(tmp_path: Path) -> None:
    tls = TargetTls(ca=str(Authority(tmp_path).file))
    assert of_target("HTTPS://a", tls, verify=True) is not None
    assert of_target("https://a", None, verify=True) is None
    assert of_target("http://a", None, verify=False) is None
    with pytest.raises(BadInput, match="the url is not https"):
        of_target("http://a", tls, verify=True)


def test_names_are_for_certificates_made_here() -> None:
    with pytest.raises(BadInput, match=r"^tls\.names: "):
        ListenerTls(cert="/c", names=["a"])
