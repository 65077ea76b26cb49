"""The OpenAPI document: it is one, it has every route, and it says what routes declare."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import msgspec
import openapi_spec_validator as validator
import pytest

from goto.api import openapi
from goto.api.openapi import document, in_words
from goto.api.table import RouteTable
from goto.errors import ApiError, Conflict
from goto.flow import Request, Response
from goto.instance.plugins import with_plugins
from goto.instance.wiring import route_table
from goto.routes import Accepted, Forward, get, post, put
from goto.words import Duration, Name, Port

ROOT = Path(__file__).resolve().parents[2]
FLAKY = str(ROOT / "configs" / "features" / "flaky.py")
WHOLE = document(route_table())
TEXT, JSON = "text/plain", "application/json"


class Payload(msgspec.Struct):
    """A thing."""

    name: Name


class Shown(TypedDict):
    """A thing as it is shown."""

    size: int


class SampleThings:
    """Things of every kind.

    More of it.
    """

    @get("/things", "/things/list")
    def list(self) -> list[Shown]:
        """List the things.

        In the order they were added.
        """
        raise NotImplementedError

    @post("/things/add", raises=[Conflict])
    def add(self, payload: Payload) -> str | Accepted:
        """Add a thing."""
        raise NotImplementedError

    @put("/things/{name}/wait/{wait}")
    def wait(self, wait: Duration, name: Name) -> str:
        """Wait for a thing."""
        raise NotImplementedError

    @get("/things/{thing}/wait/{time}")
    def waits(self, thing: Name, time: Duration, port: Port = Port(80)) -> str | dict[str, int]:  # noqa: B008  # immutable
        """Show what waits."""
        raise NotImplementedError

    @post("/things/raw", media=["text/csv"])
    def raw(self, body: bytes) -> Response:
        """Take what comes."""
        raise NotImplementedError

    @get("/things/file", answers={200: {"text/html": str}, 304: {}})
    def file(self, call: Request) -> Response:
        """Show a file."""
        raise NotImplementedError

    @post("/things/send")
    def send(self, call: Request) -> Forward:
        """Send."""
        raise NotImplementedError

    @get("/things/any")
    def untold(self):
        raise NotImplementedError


SAMPLE = document(RouteTable([SampleThings]))


def operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in made["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def content(response: dict[str, Any]) -> dict[str, Any]:
    return {media: described["schema"] for media, described in response.get("content", {}).items()}


@pytest.mark.parametrize("made", [WHOLE, SAMPLE, document(route_table(with_plugins([FLAKY])))], ids=["goto", "sample", "plug-in"])
def test_it_is_one(made: dict[str, Any]) -> None:
    validator.OpenAPIV31SpecValidator(made).validate()


def test_every_route_is_in_it() -> None:
    routes = {(method, route.path) for route in route_table().routes for method in route.methods}
    assert {(method, path) for method, path, _ in operations(WHOLE)} == routes
    plugged = {path for _, path, _ in operations(document(route_table(with_plugins([FLAKY]))))}
    assert plugged - {path for _, path in routes} == {
        route.path for route in route_table(with_plugins([FLAKY])).routes if route.owner.__name__ == "Flaky"
    }


def test_every_operation_says_what_it_is() -> None:
    ids = [operation["operationId"] for _, _, operation in operations(WHOLE)]
    assert len(set(ids)) == len(ids)
    tags = {tag["name"] for tag in WHOLE["tags"] if tag["description"]}
    for method, path, operation in operations(WHOLE):
        assert operation["summary"], path
        assert set(operation["tags"]) <= tags
        assert all(parameter["description"] and "example" in parameter for parameter in operation.get("parameters", ())), path
        assert all(word in operation["operationId"] for word in (method.lower(), path.split("/")[1])), path


def test_ids_stay() -> None:
    """Programs made from the document call these."""
    assert WHOLE["paths"]["/response/delay/set/{delay}"]["put"]["operationId"] == "put_response_delay_set__delay"
    assert WHOLE["paths"]["/client/targets/invoke/all"]["post"]["operationId"] == "post_client_targets_invoke_all"


def test_what_it_says_of_itself() -> None:
    assert WHOLE["openapi"] == "3.1.0"
    assert [server["url"] for server in WHOLE["servers"]] == ["/", "/goto/port/{port}"]
    assert "/goto/port/{port}" in WHOLE["info"]["description"]
    assert "/goto/port" not in "".join(WHOLE["paths"])


def test_owners_are_tags() -> None:
    assert SAMPLE["tags"] == [{"name": "Sample things", "description": "Things of every kind."}]
    assert in_words("URI") == "URI"


def test_another_spelling_says_so() -> None:
    first, second = (SAMPLE["paths"][path]["get"] for path in ("/things", "/things/list"))
    assert first["description"] == "In the order they were added."
    assert second["description"] == "In the order they were added.\n\nThe same as `/things`."


def test_answers() -> None:
    listed = SAMPLE["paths"]["/things"]["get"]["responses"]
    assert content(listed["200"]) == {JSON: {"type": "array", "items": {"$ref": "#/components/schemas/Shown"}}}
    message = {TEXT: {"type": "string"}, JSON: {"$ref": "#/components/schemas/TextAnswer"}}
    added = SAMPLE["paths"]["/things/add"]["post"]["responses"]
    assert (content(added["200"]), content(added["202"])) == (message, message)
    assert set(added["200"]["headers"]) == {"Via-Goto", "Goto-Host"}
    either = content(SAMPLE["paths"]["/things/{name}/wait/{wait}"]["get"]["responses"]["200"])
    assert [*either[JSON]["anyOf"][0], either[TEXT]["type"]] == ["$ref", "string"]
    file = SAMPLE["paths"]["/things/file"]["get"]["responses"]
    assert (content(file["200"]), content(file["304"])) == ({"text/html": {"type": "string"}}, {})
    assert content(SAMPLE["paths"]["/things/any"]["get"]["responses"]["200"])[JSON] == {}
    sent = SAMPLE["paths"]["/things/send"]["post"]["responses"]
    assert content(sent["208"])[JSON]["items"] == {"$ref": "#/components/schemas/Reported"}
    assert {"default", "208"} <= set(sent)
    assert "default" in SAMPLE["paths"]["/things/raw"]["post"]["responses"]


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/things", "get", {"413"}),
        ("/things/add", "post", {"400", "408", "409", "413"}),
        ("/things/raw", "post", {"400", "408", "413"}),
        ("/things/file", "get", {"413"}),
    ],
)
def test_errors(path: str, method: str, statuses: set[str]) -> None:
    responses = SAMPLE["paths"][path][method]["responses"]
    assert {status for status in responses if status.startswith("4")} == statuses | {"401", "403", "421"}


def test_an_error_is_text_or_json() -> None:
    refused = SAMPLE["components"]["responses"]["Conflict"]
    assert refused["description"] == "The present state does not allow the call."
    assert content(refused) == {TEXT: {"type": "string"}, JSON: {"$ref": "#/components/schemas/Error"}}
    assert refused["content"][JSON]["example"] == {"error": Conflict.example}
    assert "Allow" in WHOLE["components"]["responses"]["WrongMethod"]["headers"]


def test_what_needs_a_token_and_what_never_does() -> None:
    assert WHOLE["security"] == [{}, {"token": []}]
    assert WHOLE["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert "WWW-Authenticate" in WHOLE["components"]["responses"]["Unauthorized"]["headers"]
    free = {path for _, path, operation in operations(WHOLE) if operation.get("security") == [{}]}
    pages = {"/goto", "/goto/ui", "/goto/ui/{file}", "/goto/docs", "/goto/docs/{file}", "/goto/openapi.json"}
    assert free == {"/goto/health", "/goto/ready", *pages}
    for _, path, operation in operations(WHOLE):
        assert "403" in operation["responses"]
        assert ("401" in operation["responses"]) is (path not in free)


def test_an_instance_without_a_token_asks_for_none() -> None:
    open_one = document(route_table(), guarded=False)
    assert "security" not in open_one
    assert "securitySchemes" not in open_one["components"]
    assert not any("security" in operation for path in open_one["paths"].values() for operation in path.values())


def test_errors_that_hold_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    class Teapot(ApiError):
        """No coffee here."""

        status = 418

    monkeypatch.setattr(openapi, "FOR_ALL", (Teapot,))
    made = document(route_table())
    assert all("418" in operation["responses"] for _, _, operation in operations(made))
    assert made["components"]["responses"]["Teapot"]["description"] == "No coffee here."


def test_what_comes() -> None:
    added = SAMPLE["paths"]["/things/add"]["post"]["requestBody"]
    assert (added["required"], content(added)) == (True, {JSON: {"$ref": "#/components/schemas/Payload"}})
    assert content(SAMPLE["paths"]["/things/raw"]["post"]["requestBody"]) == {"text/csv": {}}
    assert content(SAMPLE["paths"]["/things/send"]["post"]["requestBody"]) == {
        "application/octet-stream": {"type": "string", "format": "binary"}
    }
    assert "requestBody" not in SAMPLE["paths"]["/things/file"]["get"]
    assert WHOLE["paths"]["/listeners/add"]["post"]["requestBody"]["content"][JSON]["example"]["port"] == 8081


def test_words_of_one_path_have_one_name() -> None:
    """Two paths that differ in names alone are the same to OpenAPI."""
    item = SAMPLE["paths"]["/things/{name}/wait/{wait}"]
    assert "/things/{thing}/wait/{time}" not in SAMPLE["paths"]
    names = {method: [parameter["name"] for parameter in item[method]["parameters"]] for method in item}
    assert names == {"put": ["name", "wait"], "post": ["name", "wait"], "get": ["name", "wait", "port"]}
    port = item["get"]["parameters"][2]
    assert (port["in"], port["required"], port["schema"]) == ("query", False, {"type": "integer", "minimum": 1, "maximum": 65535})


def schemas_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from schemas_in(item)


def test_makers_of_clients_can_do_with_every_schema() -> None:
    for schema in schemas_in(WHOLE):
        assert schema.get("type") not in ("null", ["null"]), schema
        choices = schema.get("enum", [])
        assert not isinstance(choices, list) or not any(isinstance(choice, bool) for choice in choices), schema
