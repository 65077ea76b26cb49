"""What is written from the table of routes: the typed client, and the words of `goto ctl`. `make client` writes it.

    goto/testing/calls.py       a method a route, for plain calls and for awaited ones
    goto/command/ctl/table.py   the routes as words, options and first lines

and besides, from the awaited `goto/testing/awaited.py`, the plain `goto/testing/plain.py`.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_origin, is_typeddict

import msgspec

from goto.api.openapi import document
from goto.api.table import Parameter, Route
from goto.command.ctl.ways import Field, ways_of
from goto.flow import Response
from goto.instance.wiring import route_table
from goto.routes import Accepted, Forward, Later
from goto.settings import members
from goto.words import Duration, Flag
from support import ROOT

JSON = "application/json"
CALLS = ROOT / "goto" / "testing" / "calls.py"

HEAD = '''"""The typed client: a method for each route, under its fixed words. Written from the table of routes by `make client`.

    calls = Calls("http://localhost:8080")
    calls.response.delay.set("200ms")               # PUT /response/delay/set/200ms
    calls.response.rules.add(name="flaky", status=503, count=2)
    calls.request("PUT", "/response/mine/on")       # a route of a feature of your own

Words in braces are arguments in the order of the path, then come the query's parameters by name. A JSON body is given by the
fields of its struct, or as the struct. A text is answered without its line end. Errors are those of `goto.testing.failures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict, Unpack, overload

'''


BENEATH = {
    "goto.testing.asking": "Answer",
    "goto.testing.callers": "AsyncRequest AsyncRoot AsyncWords Request Root Under Words",
    "goto.testing.routes": "Route",
}
"""What the client stands on."""


def formatted(source: str, name: str) -> str:
    """Source text as `ruff format` writes it."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", name, "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def an_identifier(word: str) -> str:
    """A word of a path as Python has it: `ca.pem` is `ca_pem`, `for` is `for_`."""
    name = re.sub(r"\W", "_", word)
    return f"{name}_" if keyword.iskeyword(name) else name


# ---------------------------------------------------------------- routes by their fixed words
def fixed_words(path: str) -> tuple[str, ...]:
    return tuple(an_identifier(word) for word in path.split("/")[1:] if not word.startswith("{"))


def first_spellings() -> list[Route]:
    """The routes that a client has: of several spellings the first one, of several methods the one with a meaning of its own."""
    found: dict[tuple[object, ...], Route] = {}
    spelled: set[tuple[object, ...]] = set()
    for route in route_table().routes:
        same = (route.owner, route.method)
        # two paths of one method are two spellings; so are two methods of one path
        if same in spelled:
            continue
        spelled.add(same)
        found[(route.path, route.methods)] = route
    return list(found.values())


@dataclass
class Node:
    """A word, and those below it."""

    words: tuple[str, ...]
    below: dict[str, Node] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of its class, without what is behind it."""
        return "".join(part.capitalize() for word in self.words for part in word.split("_"))

    @property
    def constant(self) -> str:
        return "_".join(word.strip("_") for word in self.words).upper()


def tree(routes: Iterable[Route]) -> Node:
    root = Node(())
    for route in routes:
        node = root
        for word in fixed_words(route.path):
            node = node.below.setdefault(word, Node((*node.words, word)))
        node.routes.append(route)
    return root


# ---------------------------------------------------------------- types
class Types:
    """Types as annotations, and what they need to be imported."""

    def __init__(self) -> None:
        self.imported: dict[str, str] = {}
        """Name to module."""
        self.structs: dict[type[msgspec.Struct], None] = {}
        """Bodies, in the order met."""

    def _named(self, kind: type) -> str:
        module = self.imported.setdefault(kind.__name__, kind.__module__)
        assert module == kind.__module__, f"{kind.__name__} is in {module} and in {kind.__module__}"
        return kind.__name__

    def answer(self, kind: Any) -> str:
        """The type of an answer."""
        origin, inner = get_origin(kind), get_args(kind)
        if kind in (Any, object):
            return "Any"
        if kind is Accepted:
            return "str"
        if Later in members(kind):  # which is what else the method returns
            return " | ".join(self.answer(one) for one in members(kind) if one is not Later)
        if len(choices := members(kind)) > 1 or type(None) in inner:
            names = [self.answer(choice) for choice in choices] + (["None"] if type(None) in inner else [])
            return " | ".join(dict.fromkeys(names))
        if origin in (list, dict):
            return f"{origin.__name__}[{', '.join(map(self.answer, inner))}]"
        if is_typeddict(kind) or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            return self._named(kind)
        assert kind in (str, int, float, bool), kind
        return str(kind.__name__)

    def given(self, kind: Any) -> str:
        """The type of what may be given."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self.given(inner[0])
        if kind in (Any, object):
            return "Any"
        if len(choices := members(kind)) > 1 or type(None) in inner:
            names = [part for choice in choices for part in self.given(choice).split(" | ")]
            return " | ".join(dict.fromkeys([*names, *(["None"] if type(None) in inner else [])]))
        if kind in (None, type(None)):
            return "None"
        if origin is Literal:
            return "str" if isinstance(inner[0], str) else type(inner[0]).__name__
        if origin is list:
            return f"Sequence[{self.given(inner[0])}]"
        if origin is tuple:
            return "Sequence[str]"
        if origin is dict:
            return f"Mapping[str, {self.given(inner[1])}]"
        if is_typeddict(kind):
            return "Mapping[str, Any]"
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return f"{self._named(kind)} | Mapping[str, Any]"
        if kind in (str, int, float, bool):
            return str(kind.__name__)
        return self._word(kind)

    def _word(self, kind: type) -> str:
        """A word type, by what its schema says that it is."""
        if issubclass(kind, Duration):
            return "str | float"
        if issubclass(kind, Flag):
            return "bool"
        if issubclass(kind, tuple):
            return "str | Sequence[str]"
        names = {"integer": "int", "number": "float", "string": "str", "boolean": "bool", "object": "Mapping[str, Any]"}
        schema = getattr(kind, "schema", {"type": "string"})
        found: list[str] = []
        for option in schema.get("anyOf", [schema]):
            wanted = option.get("type", "object")
            kinds = [wanted] if isinstance(wanted, str) else wanted
            found += ["Sequence[Any]" if one == "array" else names[one] for one in kinds]
        if any(str(example).isdecimal() for example in schema.get("examples", ())):
            found.append("int")  # `"503"`, and `503` is the same
        return " | ".join(dict.fromkeys(found))


def answer_of(route: Route) -> Any:
    """The type of a route's answer, as a client asks for it: JSON where there is some, of several kinds the first, else text."""
    if route.answers is None:
        return route.returns
    kinds = route.answers[min(status for status in route.answers if status < 400)]
    kind = kinds.get(JSON, str)
    several = members(kind)
    return several[0] if len(several) > 1 else kind


# ---------------------------------------------------------------- the client
class Writer:
    def __init__(self) -> None:
        self.types = Types()
        self.constants: list[str] = []
        self.named: set[str] = set()

    def source(self) -> str:
        root = tree(first_spellings())
        classes = [*self._classes(root, awaited=False), *self._classes(root, awaited=True)]
        fields = [self._fields(struct) for struct in self.types.structs]
        modules = {module: set(names.split()) for module, names in BENEATH.items()}
        for name, module in self.types.imported.items():
            modules.setdefault(module, set()).add(name)
        imports = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(modules.items())]
        head = HEAD + "\n".join(imports) + "\n\n__all__ = ['AsyncCalls', 'Calls']\n"
        return "\n\n\n".join([head, *fields, "\n".join(self.constants), *classes])

    def _classes(self, node: Node, *, awaited: bool) -> Iterator[str]:
        for below in node.below.values():
            if below.below:
                yield from self._classes(below, awaited=awaited)
        prefix = "Async" if awaited else ""
        base, doc, name = f"{prefix}Words", f"`/{'/'.join(node.words)}`", f"{prefix}{node.name}Calls"
        if not node.words:
            base, doc, name = f"{prefix}Root", f"Every route of an instance{', awaited' if awaited else ''}.", f"{prefix}Calls"
        elif node.words == ("request",):
            base = f"{prefix}Request"
        lines = [f"class {name}({base}):", f'    """{doc}"""', ""]
        for word, below in node.below.items():
            if below.below:
                lines.append(f"    {word} = Under({prefix}{below.name}Calls)")
        for word, below in node.below.items():
            if not below.below:
                lines += ["", *self._method(word, below, awaited=awaited)]
        if node.routes and node.words:
            lines += ["", *self._method("__call__", node, awaited=awaited)]
        yield "\n".join(lines)

    def _method(self, name: str, node: Node, *, awaited: bool) -> Iterator[str]:
        routes = sorted(node.routes, key=lambda route: len(self._words(route)))
        named = [self._constant(node, route) for route in routes]
        before, waits = ("async def", "await ") if awaited else ("def", "")
        ways = [(route, signature) for route in routes for signature in self._signatures(route, several=len(routes) > 1)]
        if len(ways) == 1:
            route, (signature, arguments) = ways[0]
            yield f"    {before} {name}(self{signature}) -> {self._answer(route)}:"
            yield _docstring([route])
            yield f"        return {waits}self._call({named[0]}{arguments})"
            return
        for route, (signature, _) in ways:
            yield "    @overload"
            yield f"    {before} {name}(self{signature}) -> {self._answer(route)}: ..."
        yield f"    {before} {name}(self, *words: Any, **fields: Any) -> Any:"
        yield _docstring(routes)
        if len(routes) == 1:
            yield f"        return {waits}self._call({named[0]}, *words, **fields)"
        else:
            yield f"        return {waits}self._one_of(({', '.join(named)}), words, fields)"

    def _answer(self, route: Route) -> str:
        answer = answer_of(route)
        return "Answer" if answer in (Forward, Response) else self.types.answer(answer)

    @staticmethod
    def _words(route: Route) -> list[Parameter]:
        return [parameter for parameter in route.parameters if parameter.source == "path"]

    def _signatures(self, route: Route, *, several: bool) -> Iterator[tuple[str, str]]:
        """The ways to call it: what stands behind `self`, and what is handed on."""
        words = [(parameter.argument, self.types.given(parameter.kind)) for parameter in self._words(route)]
        query = [parameter for parameter in route.parameters if parameter.source == "query"]
        signature = "".join(f", {name}: {kind}" for name, kind in words)
        struct = next((parameter for parameter in route.parameters if parameter.source == "payload"), None)
        positional = ", /" if words and (several or struct) else ""
        keywords = [
            f"{p.argument}: {self.types.given(p.kind)}{'' if p.required else ' | None = None'}"
            for p in sorted(query, key=lambda p: not p.required)
        ]
        handed = [*(name for name, _ in words), *(f"{p.argument}={p.argument}" for p in query)]
        if any(parameter.source == "raw" for parameter in route.parameters):
            keywords.insert(0, "body: bytes | str | Mapping[str, Any]")
            handed.append("body=body")
        if route.returns is Forward:
            keywords += ["body: bytes | str = b''", "headers: Mapping[str, str] | None = None"]
            handed += ["body=body", "headers=headers"]
        if struct is not None:
            self.types.structs.setdefault(struct.kind)
            kind = self.types._named(struct.kind)
            yield f"{signature}, {struct.argument}: {kind}, /", ""
            yield f"{signature}{positional}, **fields: Unpack[{kind}Fields]", ""
            return
        # one parameter of the query that is required is given as the words are
        star = "" if len(query) == 1 and query[0].required and not words and len(keywords) == 1 else "*, " if keywords else ""
        if star == "" and keywords and several:
            positional = ""
        behind = f", {star}{', '.join(keywords)}" if keywords else ""
        yield f"{signature}{positional}{behind}", "".join(f", {one}" for one in handed)

    def _constant(self, node: Node, route: Route) -> str:
        name = node.constant
        if len(node.routes) > 1 and route is not node.routes[0]:
            name += "_" + "_".join(p.name for p in self._words(route)).upper() if self._words(route) else f"_{route.methods[0]}"
        if name in self.named:
            return name
        self.named.add(name)
        query = [f"{p.name}{'!' if p.required else ''}" for p in route.parameters if p.source == "query"]
        durations = {p.name for p in route.parameters if p.source == "query" and _is_duration(p.kind)}
        body = "forward" if route.returns is Forward else ""
        for parameter in route.parameters:
            if parameter.source == "payload":
                body = "json"
                fields = msgspec.structs.fields(parameter.kind)
                durations |= {one.encode_name for one in fields if _is_duration(one.type)}
            elif parameter.source == "raw":
                body = "raw"
        answer = self._answer(route)
        more = f", query={tuple(query)!r}" if query else ""
        more += f", body={body!r}" if body else ""
        more += f", durations=frozenset({sorted(durations)!r})" if durations else ""
        self.constants.append(f"{name}: Final = Route[{answer}]({route.methods[0]!r}, {route.path!r}, {answer}{more})")
        return name

    def _fields(self, struct: type[msgspec.Struct]) -> str:
        lines = [f"class {struct.__name__}Fields(TypedDict, total=False):", f'    """The fields of `{struct.__name__}`."""', ""]
        for one in msgspec.structs.fields(struct):
            lines.append(f"    {an_identifier(one.encode_name)}: {self.types.given(one.type)}")
        return "\n".join(lines)


def _docstring(routes: Iterable[Route]) -> str:
    """The first lines of routes, a paragraph each."""
    lines = "\n\n".join(dict.fromkeys(textwrap.fill(route.description, 117) for route in routes))
    return textwrap.indent(f'"""{lines}{chr(10) if chr(10) in lines else ""}"""', " " * 8)


def _is_duration(kind: Any) -> bool:
    return any(isinstance(one, type) and issubclass(one, Duration) for one in members(kind))


def calls_source() -> str:
    return formatted(Writer().source(), str(CALLS))


# ---------------------------------------------------------------- the words of `goto ctl`
TABLE = ROOT / "goto" / "command" / "ctl" / "table.py"

TABLE_HEAD = '''"""Every route as words, options and a first line. Written from the table of routes by `make client`."""

from __future__ import annotations

from typing import Final

from goto.command.ctl.ways import Field, Way

'''


def table_source() -> str:
    """The ways, with each group of fields that several have written once."""
    ways = list(ways_of(document(route_table())))
    names: dict[tuple[Field, ...], str] = {}
    for way in ways:
        if way.fields and way.fields not in names:
            names[way.fields] = f"FIELDS_{len(names) + 1}"
    groups = [f"{name}: Final = {_fields_text(fields)}" for fields, name in names.items()]
    rows = []
    for way in ways:
        more = f", {_fields_text(way.query)}" if way.query or way.fields or way.raw else ""
        more += f", {names.get(way.fields, '()')}" if way.fields or way.raw else ""
        more += ", raw=True" if way.raw else ""
        rows.append(f"    Way({way.method!r}, {way.path!r}, {way.about!r}{more}),")
    source = TABLE_HEAD + "\n".join(groups) + "\n\nWAYS: Final[tuple[Way, ...]] = (\n" + "\n".join(rows) + "\n)\n"
    return formatted(source, str(TABLE))


def _fields_text(fields: tuple[Field, ...]) -> str:
    inner = "".join(f"Field({field.name!r}, {field.kinds!r}), " for field in fields)
    return f"({inner.strip()})"


# ---------------------------------------------------------------- plain calls from awaited ones
AWAITED = ROOT / "goto" / "testing" / "awaited.py"
PLAIN = AWAITED.with_name("plain.py")

PLAIN_HEAD = '''"""`Goto`: an instance, and what goes through it, for tests and scripts. `make client` writes it from `awaited`.

    goto = Goto("http://localhost:8080")
    goto.fail(503, times=2, to="/orders")
    goto.wait_for("/orders", times=3)
'''

WITHOUT_AWAIT = {
    r"\bawait ": "",
    r"\basync (def|with|for)\b": r"\1",
    r"\bAsync(\w+)": r"\1",
    r"\basynccontextmanager\b": "contextmanager",
    r"__a(enter|exit)__": r"__\1__",
}
"""What is replaced, by patterns."""


def plain_source() -> str:
    """The module of `AsyncGoto` without `await`."""
    source = AWAITED.read_text()
    assert source.startswith('"""')
    source = PLAIN_HEAD + source[source.index("\nIt needs") :]
    for pattern, instead in WITHOUT_AWAIT.items():
        source = re.sub(pattern, instead, source)
    return formatted(source, str(PLAIN))


WRITTEN = {CALLS: calls_source, TABLE: table_source, PLAIN: plain_source}
"""Each file, and what makes its text."""


def main() -> None:
    for file, source in WRITTEN.items():
        file.write_text(source())


if __name__ == "__main__":
    main()
