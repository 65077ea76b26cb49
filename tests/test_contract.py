"""What authors of features may import, and how it is called. Whoever changes it sees it here, and says so in CHANGELOG.md.

The flat files of goto/ are public, and the folders of FOLDERS; all else is goto's own.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import ROOT, flow_page

from goto import flow

PUBLIC = {
    "goto.errors": {
        "ApiError": "(message: str)",
        "BadInput": "(message: str)",
        "Conflict": "(message: str)",
        "Forbidden": "(message: str)",
        "Misdirected": "(message: str)",
        "NotFound": "(message: str)",
        "TooLarge": "(message: str)",
        "Unauthorized": "(message: str)",
        "Unavailable": "(message: str)",
        "WrongMethod": "(method: str, path: str, allowed: list[str])",
    },
    "goto.feature": {
        "Feature": "class",
        "Histogram": "(bounds: Sequence[float], counts: Sequence[int], total: float)",
        "Sender": "class",
        "Summary": "(count: int, total: float)",
        "measure": "(name: str, kind: Kind, *, labels: Iterable[str] = ()) -> Callable[[F], F]",
    },
    "goto.flow": {
        "Call": (
            "(target: str, origin: Origin, method: str, path: str, headers: list[Field] = ..., timeout: float = 30.0, "
            "failure: str = '', upgrade: str = '', tally: Tally | None = None, id: str = '')"
        ),
        "ClientGone": "class",
        "Control": "(on_failed: Callable[[str], None] | None = None, on_over: Callable[[], None] | None = None)",
        "Delivery": (
            "(raw: bytes | None = None, end: Literal['', 'close', 'reset'] = '', after: int | None = None, "
            "share: float | None = None, rate: float = 0.0, over: float = 0.0, head: bool = False, stall: float = 0.0, "
            "stall_at: int = 0, control: Control | None = None)"
        ),
        "Field": "tuple[bytes, bytes]",
        "Flow": "(request: Request, default: MakeResponse | None = None, *, local: bool = True)",
        "Headers": "(fields: Iterable[Field] = (), index: Index | None = None)",
        "Hold": "(seconds: float | None, on_over: Callable[[float], None] | None)",
        "Kept": "(data: bytes, size: int, whole: bool)",
        "MakeResponse": "Callable[[Flow, bytes, int], Response]",
        "Origin": "(scheme: str, host: str, port: int, tls: ClientTls | None = None)",
        "Peer": "(address: str, number: int)",
        "Request": (
            "(method: str, target: str, headers: Headers | None = None, *, version: tuple[int, int] = (1, 1), "
            "has_body: bool = False)"
        ),
        "Times": "(held: float, upstream: float | None, head: float | None, end: float | None)",
        "Response": (
            "(status: int, body: bytes = b'', headers: Headers | None = None, *, reason: str | None = None, "
            "stream: Body | None = None)"
        ),
    },
    "goto.pipeline": {
        "Pipeline": "(features: Iterable[Feature], on_error: Callable[[str], None] = ...)",
    },
    "goto.routes": {
        "ADMIN": "Who(anybody=False, peers=False, mark='', everywhere=False)",
        "ANYBODY": "Who(anybody=True, peers=False, mark='', everywhere=False)",
        "PROBE": "Who(anybody=True, peers=False, mark='', everywhere=True)",
        "WORKER": "Who(anybody=False, peers=True, mark='', everywhere=False)",
        "Accepted": "(text: str)",
        "Forward": "(calls: Sequence[Call])",
        "Later": "(wait: Wait[Any], then: Callable[[Any], Any], over: Callable[[], None])",
        "Who": "(anybody: bool = False, peers: bool = False, mark: str = '', everywhere: bool = False)",
        "get": (
            "(*paths: str, who: Who = ADMIN, raises: Iterable[type[ApiError]] = (), "
            "answers: Answers | None = None) -> Callable[[F], F]"
        ),
        "post": (
            "(*paths: str, who: Who = ADMIN, body_limit: int = MANAGEMENT_LIMIT, media: Iterable[str] = (), "
            "raises: Iterable[type[ApiError]] = (), answers: Answers | None = None) -> Callable[[F], F]"
        ),
        "put": (
            "(*paths: str, who: Who = ADMIN, raises: Iterable[type[ApiError]] = (), "
            "answers: Answers | None = None) -> Callable[[F], F]"
        ),
    },
    "goto.settings": {
        "setting": "(path: str, *, start: bool = False) -> Callable[[Callable[[Any], T]], Setting[T]]",
    },
    "goto.testing": {
        "ApiFailure": "(text: str, status: int = 0, answer: Any = None)",
        "BadInput": "(text: str, status: int = 0, answer: Any = None)",
        "Conflict": "(text: str, status: int = 0, answer: Any = None)",
        "NotFound": "(text: str, status: int = 0, answer: Any = None)",
        "NotHeld": "(text: str, status: int = 0, answer: Any = None)",
        "NotReached": "(text: str, status: int = 0, answer: Any = None)",
        "Unauthorized": "(text: str, status: int = 0, answer: Any = None)",
        "AsyncCalls": "(url: str, token: str | None = None, port: int | None = None)",
        "AsyncGoto": "(url: str, token: str | None = None, *, port: int | None = None, instance: str | None = None)",
        "Exchange": "(entry: Mapping[str, Any])",
        "Goto": "(url: str, token: str | None = None, *, port: int | None = None, instance: str | None = None)",
        "Calls": "(url: str, token: str | None = None, port: int | None = None)",
        "run": (
            "(features: Feature | Iterable[Feature], request: Request, *, body: bytes = b'', "
            "answer: Response | None = None, completed: bool = True) -> Flow"
        ),
    },
    "goto.words": {
        "CountedDuration": "(duration: Duration, count: int | None = None), parse(text: str) -> CountedDuration",
        "CountedStatus": "(status: Status | None, count: int | None = None), parse(text: str) -> CountedStatus",
        "Duration": "parse(text: str) -> Duration",
        "Flag": "parse(text: str) -> Flag",
        "HeadSize": "parse(text: str) -> HeadSize",
        "HeadTime": "parse(text: str) -> HeadTime",
        "HeaderName": "parse(text: str) -> HeaderName",
        "HeaderNames": "parse(text: str) -> HeaderNames",
        "HeaderValue": "parse(text: str) -> HeaderValue",
        "Label": "parse(text: str) -> Label",
        "Name": "parse(text: str) -> Name",
        "Names": "parse(text: str) -> Names",
        "Number": "parse(text: str) -> Number",
        "Port": "parse(text: str) -> Port",
        "SentHeaderName": "parse(text: str) -> SentHeaderName",
        "Size": "parse(text: str) -> Size",
        "Status": "parse(text: str) -> Status",
        "TargetNumber": "parse(text: str) -> TargetNumber",
        "TargetUrl": "parse(text: str) -> TargetUrl",
        "Word": "parse(text: str) -> Any",
        "http_url": "(text: str) -> str",
        "one_line": "(text: str) -> str",
        "split_known": "(names: Iterable[str], known: Container[str], what: str) -> tuple[list[str], str]",
        "whole_number": "(text: str, least: int = 0, most: int = MOST, what: str = 'whole number') -> int",
    },
}
"""Module to name to signature. A word has that of `parse` too, which is how it is made of text; a value says what it is."""

FOLDERS = {"goto.words", "goto.testing"}
"""Folders that are public, by what their `__init__` hands on."""

INSIDE = {"goto.__main__"}
"""Flat files that nobody imports."""

NAMES = [(module, name) for module, names in PUBLIC.items() for name in names]


class Bare(str):
    """Text whose `repr` has no quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def shown(value: Any) -> str:
    """What a public name is, in the way of a stub. Raises `ValueError` for a signature that a compiled class does not tell."""
    if not callable(value):
        return repr(value)
    if inspect.isroutine(value):
        return signature_of(value)
    if not isinstance(value, type):  # a type as `Callable[…]` is
        return re.sub(r"[\w.]+\.|'", "", str(value))
    made = hasattr(value, "_fields") or any("__init__" in vars(base) for base in value.__mro__ if base.__module__[:5] == "goto.")
    ways = [signature_of(value)] if made and not getattr(value, "_is_protocol", False) else []
    if hasattr(value, "parse"):
        ways.append(f"parse{signature_of(value.parse)}")
    return ", ".join(ways) or "class"


def signature_of(value: Any) -> str:
    signature = inspect.signature(value)
    known = getattr(value, "__globals__", {})
    parameters = [
        one.replace(annotation=annotation(one.annotation), default=default(one.default, known))
        for one in signature.parameters.values()
    ]
    returned = signature.empty if isinstance(value, type) else annotation(signature.return_annotation)
    return str(signature.replace(parameters=parameters, return_annotation=returned))


def annotation(found: Any) -> Any:
    text = getattr(found, "__forward_arg__", found)
    return Bare(text) if isinstance(text, str) else text


def default(found: Any, known: dict[str, Any]) -> Any:
    """A constant of the module by its name, and `...` for what is made anew and for a function without a name."""
    if found is inspect.Parameter.empty:
        return found
    names = [name for name, value in known.items() if name.isupper() and value is found]
    return Bare(names[0] if names else "...") if names or repr(found).startswith("<") else found


def bare(text: str) -> str:
    """A signature without types, which is all that compiled code knows."""
    arguments = ast.parse(f"def f{text}: ...").body[0].args  # type: ignore[attr-defined]  # of a function, which was just written
    for node in ast.walk(arguments):
        if isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(arguments)


def test_a_flat_file_is_public_and_names_what_it_has():
    flat = {f"goto.{file.stem}" for file in (ROOT / "goto").glob("*.py")} - {"goto.__init__"} - INSIDE
    assert flat | FOLDERS == set(PUBLIC)
    assert len(list((ROOT / "goto").glob("*.py"))) <= 8


@pytest.mark.parametrize("module", PUBLIC)
def test_all_that_is_public_is_listed(module: str):
    assert set(importlib.import_module(module).__all__) == set(PUBLIC[module])


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_signatures_are_those_that_are_promised(module: str, name: str):
    value = getattr(importlib.import_module(module), name)
    promised = PUBLIC[module][name]
    compiled = isinstance(value, type) and not str(sys.modules[value.__module__].__file__).endswith(".py")
    try:
        found = shown(value)
    except ValueError:
        assert compiled
        return
    if compiled and promised.startswith("("):
        assert bare(found) == bare(promised)
    else:
        assert found == promised


def test_the_page_of_the_flow_is_made_of_the_docstrings():
    assert flow_page.PAGE.read_text() == flow_page.page(), "write it anew: make flow-docs, or python -m support.flow_page"
    classes = {name for name in flow.__all__ if inspect.isclass(getattr(flow, name))} - {"ClientGone", "Field"}
    assert classes == set(flow_page.CLASSES)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("class A:\n    def __init__(self) -> None:\n        self.b = 1\n", "A.b has no docstring"),
        ("class A:\n    def b(self) -> None: ...\n", "A.b has no docstring"),
        ('class A:\n    def __init__(self) -> None:\n        self.b = f()\n        """B."""\n', "A.b does not say its type"),
    ],
)
def test_a_page_needs_a_docstring_and_a_type_of_each(source: str, says: str):
    (found,) = ast.parse(source).body
    assert isinstance(found, ast.ClassDef)
    with pytest.raises(ValueError, match=says):
        list(flow_page.members(found))


def table_of_contributing() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `(goto\.\w+)` \| ([^|]*) \|", (ROOT / "CONTRIBUTING.md").read_text(), re.M)
    return {module: set(re.findall(r"`(\w+)`", names)) for module, names in rows}


def test_the_table_of_contributing():
    assert table_of_contributing() == {module: set(names) for module, names in PUBLIC.items()}


def blocks(page: Path) -> Iterator[str]:
    """The Python code in a page."""
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.S):
        yield textwrap.dedent(block)


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FILES = sorted((ROOT / "configs" / "features").glob("*.py"))
EXAMPLES = [(file.name, file.read_text()) for file in FILES]
EXAMPLES += [(f"{page.name} {number}", block) for page in PAGES for number, block in enumerate(blocks(page))]
WHOLE = [(name, text) for name, text in EXAMPLES if re.search("^(from|import) ", text, re.M)]
"""Those that are a file, not a part of one."""


def module_named(text: str) -> str:
    """The module that an example says it is in its first line."""
    first = re.match(r"# ([\w/]+)\.py\n", text)
    return first[1].replace("/", ".") if first else ""


def test_there_are_examples():
    assert len(WHOLE) >= 4
    assert "gate" in {module_named(text) for _, text in WHOLE}


@pytest.mark.parametrize(("where", "text"), EXAMPLES, ids=[where for where, _ in EXAMPLES])
def test_examples_import_what_is_public(where: str, text: str):
    examples = {module_named(text) for _, text in EXAMPLES}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            assert [alias.name for alias in node.names if alias.name.split(".")[0] == "goto"] == []
        elif isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "goto" and node.module not in examples:
            names = {alias.name for alias in node.names}
            assert names <= set(PUBLIC.get(str(node.module), {})), f"{node.module} does not have them for everybody"


def test_examples_can_be_imported(monkeypatch: pytest.MonkeyPatch):
    for where, text in WHOLE:
        module = ModuleType(module_named(text) or re.sub(r"\W", "_", where))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(text, where, "exec"), vars(module))


def test_duration_is_handed_on_for_one_version():
    module = importlib.import_module("goto.duration")
    words = importlib.import_module("goto.words")
    with pytest.warns(DeprecationWarning, match=r"write from goto\.words import Duration") as warned:
        assert module.Duration is words.Duration
    assert warned[0].filename == __file__
    with pytest.raises(AttributeError, match="has no attribute 'spoken'"):
        module.spoken  # noqa: B018  # reading it is the test
    code = "from goto.duration import Duration"
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert "DeprecationWarning: goto.duration will be gone" in ran.stderr
