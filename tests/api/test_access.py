"""Who may make management calls: the rules."""

from __future__ import annotations

from typing import Any

import pytest

from goto.api.access import NO_HOST, Access, Hosts, host_of, is_cross_site, refusals
from goto.client.source import REGISTRY
from goto.errors import ApiError, Forbidden, Misdirected, Unauthorized
from goto.flow import Headers, Request
from goto.instance.wiring import route_table
from goto.routes import ADMIN as ADMIN_ALONE
from goto.routes import ANYBODY, PROBE, WORKER, Who
from goto.words.token import Token

ADMIN, PEER = "admin-s3cr3t", "peer-s3cr3t"
BEARER = {"Authorization": f"Bearer {ADMIN}"}


def request(method: str = "GET", **fields: str) -> Request:
    named = {"Host": "localhost:8080", **{name.replace("_", "-"): value for name, value in fields.items()}}
    return Request(method, "/label", Headers((name.encode(), value.encode()) for name, value in named.items() if value))


def access(**given: object) -> Access:
    made = Access()
    made.take({path.replace("_", "."): value for path, value in given.items()})
    return made


def refused(rules: Access, asked: Request, who: Who = ADMIN_ALONE, *, apart: bool = False) -> type[ApiError] | None:
    try:
        rules.admit(asked, who, apart=apart)
    except ApiError as error:
        return type(error)
    return None


# ---------------------------------------------------------------- tokens
def test_which_routes_are_open_to_others_than_the_admin():
    """All that need no admin token, by hand: one more is seen here."""
    assert {(route.path, route.who) for route in route_table().routes if route.who != ADMIN_ALONE} == {
        ("/goto/health", PROBE),
        ("/goto/ready", PROBE),
        ("/goto", ANYBODY),
        ("/goto/ui", ANYBODY),
        ("/goto/ui/{file}", ANYBODY),
        ("/goto/docs", ANYBODY),
        ("/goto/docs/{file}", ANYBODY),
        ("/goto/openapi.json", ANYBODY),
        ("/registry/peers/add", WORKER),
        ("/registry/peers/{peer}/remove/{address}", WORKER),
        ("/client/targets/add", REGISTRY),
        ("/client/targets/{target}/remove", REGISTRY),
        ("/client/targets/clear", REGISTRY),
        ("/client/results", REGISTRY),
    }


def test_what_a_route_may_be_refused_with():
    assert [error.status for error in refusals(ADMIN_ALONE)] == [401, 403, 421]
    assert [error.status for error in refusals(WORKER)] == [401, 403, 421]
    assert [error.status for error in refusals(ANYBODY)] == [403, 421]
    assert [error.status for error in refusals(PROBE)] == [403]


CALLS = {
    "a call": (ADMIN_ALONE, {}),
    "a probe": (PROBE, {}),
    "a page": (ANYBODY, {}),
    "registering": (WORKER, {}),
    "a push": (REGISTRY, {"Goto-Registry-Epoch": "e"}),
    "a push of the original": (REGISTRY, {}),
}
# who gets in: o without a token, a with the admin token, r with the registry token
GETS_IN = {
    "a call": ("oar", "a", "oar", "a"),
    "a probe": ("oar", "oar", "oar", "oar"),
    "a page": ("oar", "oar", "oar", "oar"),
    "registering": ("oar", "a", "r", "ar"),
    "a push": ("oar", "a", "r", "ar"),
    "a push of the original": ("oar", "a", "oar", "ar"),
}


@pytest.mark.parametrize("what", CALLS)
@pytest.mark.parametrize("with_registry", [False, True])
@pytest.mark.parametrize("with_admin", [False, True])
def test_who_gets_in(what: str, with_admin: bool, with_registry: bool):
    route_for, fields = CALLS[what]
    tokens = {"admin.token": Token.parse(ADMIN) if with_admin else None}
    tokens["registry.token"] = Token.parse(PEER) if with_registry else None
    rules = Access()
    rules.take(tokens)
    got_in = ""
    for who, shows in {"o": "", "a": f"Bearer {ADMIN}", "r": f"Bearer {PEER}"}.items():
        error = refused(rules, request(Authorization=shows, **fields), route_for)
        assert error in (None, Unauthorized)
        got_in += who if error is None else ""
    assert got_in == GETS_IN[what][with_admin + 2 * with_registry]


@pytest.mark.parametrize("shows", ["Basic YTpi", f"Bearer {ADMIN}x", f"Bearer {ADMIN[:-1]}", ADMIN, f"Bearer {ADMIN} {ADMIN}"])
def test_what_does_not_count_as_a_token(shows: str):
    assert refused(access(admin_token=Token.parse(ADMIN)), request(Authorization=shows)) is Unauthorized


def test_what_was_shown_is_taken_off_the_call():
    for shows in (ADMIN, "wrong"):
        asked = request(Authorization=f"Bearer {shows}")
        refused(access(admin_token=Token.parse(ADMIN)), asked)
        assert "authorization" not in asked.headers
    from_a_page = request(Authorization=f"Bearer {ADMIN}", Origin="null")
    assert refused(access(admin_token=Token.parse(ADMIN)), from_a_page) is Forbidden
    assert "authorization" not in from_a_page.headers
    theirs = request(Authorization="Bearer theirs")
    assert refused(access(registry_token=Token.parse(PEER)), theirs) is None
    assert theirs.headers.get("authorization") == "Bearer theirs"


# ---------------------------------------------------------------- pages of other sites
@pytest.mark.parametrize(
    ("method", "fields", "cross"),
    [
        ("POST", {}, False),
        ("POST", {"Sec-Fetch-Site": "same-origin"}, False),
        ("GET", {"Sec-Fetch-Site": "none"}, False),
        ("GET", {"Sec-Fetch-Site": "same-site"}, True),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, True),
        ("GET", {"Sec-Fetch-Site": "something-new"}, True),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, False),
        ("HEAD", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, False),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, True),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, True),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, True),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, True),
        # where a browser says both, its word on the site counts
        ("POST", {"Sec-Fetch-Site": "same-origin", "Origin": "http://behind.a.proxy"}, False),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8080"}, True),
        ("POST", {"Origin": "http://localhost:8080"}, False),
        ("POST", {"Origin": "HTTP://LocalHost:8080"}, False),
        ("POST", {"Origin": "http://localhost"}, True),
        ("POST", {"Origin": "http://localhost:80801"}, True),
        ("GET", {"Origin": "http://127.0.0.1:8080"}, True),
        ("POST", {"Origin": "null"}, True),
        ("POST", {"Origin": "file://"}, True),
        ("POST", {"Origin": "http://a@localhost:8080"}, True),
        ("POST", {"Origin": "http://localhost:8080/x"}, True),
        ("POST", {"Origin": "http://goto.test", "Host": "goto.test:80"}, False),
        ("POST", {"Origin": "http://goto.test:80", "Host": "goto.test"}, False),
        ("POST", {"Origin": "https://goto.test", "Host": "goto.test:443"}, False),
        ("POST", {"Origin": "https://goto.test", "Host": "goto.test:80"}, True),
        ("POST", {"Origin": "http://[::1]:8080", "Host": "[::1]:8080"}, False),
        ("POST", {"Origin": "http://goto.test", "Host": ""}, True),
    ],
)
def test_pages_of_other_sites(method: str, fields: dict[str, str], cross: bool):
    assert is_cross_site(request(method, **fields)) is cross
    assert refused(access(), request(method, **fields)) is (Forbidden if cross else None)
    # nor does a token help, which a page may have been given
    token = access(admin_token=Token.parse(ADMIN))
    assert refused(token, request(method, **BEARER, **fields)) is (Forbidden if cross else None)


def test_headers_that_come_twice_are_not_trusted():
    twice = request("POST", Origin="http://localhost:8080")
    twice.headers.add("Origin", "http://evil.test")
    assert is_cross_site(twice)
    hosts = request("POST", Origin="http://localhost:8080")
    hosts.headers.add("Host", "evil.test")
    assert is_cross_site(hosts)
    assert host_of(hosts) == ""


# ---------------------------------------------------------------- hosts
@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("Goto.Test", {"goto.test"}),
        ("Goto.Test.", {"goto.test"}),
        ("a, b ,[::1]", {"a", "b", "::1"}),
        ("127.0.0.1", {"127.0.0.1"}),
        (NO_HOST, {NO_HOST}),
    ],
)
def test_hosts(text: str, hosts: set[str]):
    assert Hosts.parse(text) == hosts


@pytest.mark.parametrize("text", ["", "a,", "a:80", "[::1]:80", "http://a", "a b", "none,a", "a/b"])
def test_what_is_no_host(text: str):
    with pytest.raises(ValueError, match=r"write it without scheme and port|write it alone"):
        Hosts.parse(text)


@pytest.mark.parametrize(
    ("host", "goes"),
    [
        *((host, True) for host in ("goto.test", "GOTO.test:81", "goto.test.", "Goto.Test.:80", "goto.test:")),
        *((host, False) for host in ("goto.test..", "evil.test", "")),
    ],
)
def test_calls_by_another_host_are_traffic(host: str, goes: bool):
    rules = access(admin_host=Hosts.parse("goto.test"))
    assert rules.serves(request(Host=host), ADMIN_ALONE, managed=True) is goes
    assert rules.serves(request(Host=host), PROBE, managed=True)
    assert refused(rules, request(Host=host), apart=True) is (None if goes else Misdirected)
    assert refused(rules, request(Host=host), PROBE, apart=True) is None


def test_where_a_registry_reaches_it_is_a_host_of_it():
    rules = access(admin_host=Hosts.parse("goto.test"))
    rules.own_host = "10.0.0.7"
    assert rules.serves(request(Host="10.0.0.7:8080"), ADMIN_ALONE, managed=True)


@pytest.mark.parametrize(
    ("given", "managed", "calls", "probes"),
    [
        ({}, True, True, True),
        ({}, False, False, True),
        ({"admin_port": 81}, False, False, False),
        ({"admin_port": 81}, True, True, True),
        ({"admin_host": Hosts((NO_HOST,))}, True, False, True),
        ({"admin_host": Hosts((NO_HOST,)), "admin_port": 81}, True, False, False),
    ],
)
def test_where_management_is(given: dict[str, Any], managed: bool, calls: bool, probes: bool):
    rules = access(**given)
    for who in (ADMIN_ALONE, ANYBODY, WORKER, REGISTRY):
        assert rules.serves(request(), who, managed=managed) is calls
    assert rules.serves(request(), PROBE, managed=managed) is probes
    assert rules.managed_port(80, managed=managed) == (80 if calls else given.get("admin_port"))


@pytest.mark.parametrize(
    ("given", "address", "managed", "exposed"),
    [
        ({}, None, True, True),
        ({}, "0.0.0.0", True, True),
        ({}, "10.0.0.7", True, True),
        ({}, "goto.test", True, True),
        ({}, "127.0.0.1", True, False),
        ({}, "127.0.0.2", True, False),
        ({}, "::1", True, False),
        ({}, "localhost", True, False),
        ({}, None, False, False),
        ({"admin_port": 81}, None, False, True),
        ({"admin_host": Hosts((NO_HOST,))}, None, True, False),
        ({"admin_token": Token.parse("a")}, None, True, False),
        ({"registry_token": Token.parse("a")}, None, True, True),
    ],
)
def test_when_there_is_a_warning(given: dict[str, Any], address: str | None, managed: bool, exposed: bool):
    assert access(**given).exposed(address, managed=managed) is exposed
