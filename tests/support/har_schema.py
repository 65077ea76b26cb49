"""A JSON Schema of HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/); names that begin with `_` are anyone's."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
SIZE = {"type": "integer", "minimum": -1}
OPTIONAL_MS = {"type": "number", "minimum": -1}
MS = {"type": "number", "minimum": 0}


def obj(optional: Schema | None = None, **required: Schema) -> Schema:
    properties = {**required, **(optional or {}), "comment": TEXT}
    return {
        "type": "object",
        "properties": properties,
        "required": [*required],
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


def listed(items: Schema) -> Schema:
    return {"type": "array", "items": items}


PAIR = obj(name=TEXT, value=TEXT)
COOKIE = obj(
    {
        "path": TEXT,
        "domain": TEXT,
        "expires": TIME,
        "httpOnly": {"type": "boolean"},
        "secure": {"type": "boolean"},
        "sameSite": TEXT,
    },
    name=TEXT,
    value=TEXT,
)
PARAM = obj({"value": TEXT, "fileName": TEXT, "contentType": TEXT}, name=TEXT)
POST_DATA = {
    **obj({"params": listed(PARAM), "text": TEXT}, mimeType=TEXT),
    "oneOf": [{"required": ["params"]}, {"required": ["text"]}],
}
CONTENT = obj(
    {"compression": {"type": "integer"}, "text": TEXT, "encoding": {"const": "base64"}},
    size={"type": "integer", "minimum": 0},
    mimeType=TEXT,
)
REQUEST = obj(
    {"postData": POST_DATA},
    method=TEXT,
    url={"type": "string", "pattern": "^https?://[^/]+/"},
    httpVersion=TEXT,
    cookies=listed(COOKIE),
    headers=listed(PAIR),
    queryString=listed(PAIR),
    headersSize=SIZE,
    bodySize=SIZE,
)
RESPONSE = obj(
    status={"type": "integer", "minimum": 0},
    statusText=TEXT,
    httpVersion=TEXT,
    cookies=listed(COOKIE),
    headers=listed(PAIR),
    content=CONTENT,
    redirectURL=TEXT,
    headersSize=SIZE,
    bodySize=SIZE,
)
TIMINGS = obj(
    {"blocked": OPTIONAL_MS, "dns": OPTIONAL_MS, "connect": OPTIONAL_MS, "ssl": OPTIONAL_MS}, send=MS, wait=MS, receive=MS
)
ENTRY = obj(
    {"serverIPAddress": TEXT, "connection": TEXT, "pageref": TEXT},
    startedDateTime=TIME,
    time=MS,
    request=REQUEST,
    response=RESPONSE,
    cache=obj(),
    timings=TIMINGS,
)
PAGE = obj(startedDateTime=TIME, id=TEXT, title=TEXT, pageTimings=obj({"onContentLoad": OPTIONAL_MS, "onLoad": OPTIONAL_MS}))
HAR = obj(
    log=obj(
        {"browser": obj(name=TEXT, version=TEXT)},
        version={"const": "1.2"},
        creator=obj(name=TEXT, version=TEXT),
        pages={**listed(PAGE), "minItems": 1},
        entries=listed(ENTRY),
    )
)
VALID = Draft202012Validator(HAR)
"""Its `validate` raises where a document is no HAR."""
