"""The criteria that a request is matched by: URI templates, headers and query parameters."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

from goto.matching.given import template_as_sent
from goto.matching.templates import ANY_VALUE, Template, parse_template
from goto.words import HeaderName, HeaderValue, one_line


class UriTemplate(str):
    """A whole path to match, without a query: `/foo/{x}/bar/{y:[0-9]+}`; `/` matches all traffic. What cannot stand in a path is
    percent-encoded.
    """

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^/", "examples": ["/foo/{x}/bar/{y:[0-9]+}"]}

    @classmethod
    def parse(cls, text: str) -> UriTemplate:
        if not text.startswith("/"):
            raise ValueError(f"{text!r} does not start with a slash: write it like /foo/{{x}}")
        literals = [piece for piece in parse_template(one_line(text)) if isinstance(piece, str)]
        if any("?" in piece for piece in literals):
            raise ValueError("a URI is matched without its query: name parameters in query")
        if any("#" in piece for piece in literals):
            raise ValueError("the # and what follows it are never sent: remove them, or write %23")
        sent = template_as_sent(text)
        Template.parse(sent)
        return cls(sent)


class HeaderText(str):
    """A header value with variables."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["{x}"]}

    @classmethod
    def parse(cls, text: str) -> HeaderText:
        value = HeaderValue.parse(text)
        parse_template(value)
        return cls(value)


class QueryName(str):
    """The name of a query parameter, decoded."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["page"]}

    @classmethod
    def parse(cls, text: str) -> QueryName:
        if not one_line(text):
            raise ValueError("the name of a parameter must not be empty")
        return cls(text)


class QueryText(str):
    """The value of a query parameter, decoded, with variables."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["{x}"]}

    @classmethod
    def parse(cls, text: str) -> QueryText:
        parse_template(one_line(text))
        return cls(text)


NameAndValue = Annotated[list[str], msgspec.Meta(min_length=1, max_length=2)]
"""`[name]`, `[name, value]` or `[name, "{x}"]`; an empty value counts as not given."""


class Criteria(msgspec.Struct):
    """What triggers a target: any one of these criteria. A target without criteria can only be invoked by hand."""

    headers: list[NameAndValue] = msgspec.field(default_factory=list)
    """`[name]` if the header is present, `[name, value]` if it has this value, `[name, "{x}"]` to capture its value."""
    uris: list[UriTemplate] = msgspec.field(default_factory=list)
    """Templates of whole paths."""
    query: list[NameAndValue] = msgspec.field(default_factory=list)
    """As `headers`, for query parameters; their names compare exactly."""

    def __post_init__(self) -> None:
        check_pairs(self.headers, self.query)

    def __bool__(self) -> bool:
        return bool(self.headers or self.uris or self.query)


def check_pairs(headers: list[NameAndValue], query: list[NameAndValue]) -> None:
    """Read names and values in their place. ValueError names the pair and says what is wrong with it."""
    for index, pair in enumerate(headers):
        _check(f"headers[{index}]", pair, HeaderName, HeaderText)
    for index, pair in enumerate(query):
        _check(f"query[{index}]", pair, QueryName, QueryText)


def _check(where: str, pair: list[str], name: type[HeaderName | QueryName], value: type[HeaderText | QueryText]) -> None:
    try:
        pair[0] = name.parse(pair[0])
        if len(pair) > 1:
            pair[1] = value.parse(pair[1])
            Template.parse(pair[1], ANY_VALUE)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
