"""docs/flow.md, made of the docstrings: `python -m support.flow_page` writes it, and a test compares it.

It is read from the sources, since what is compiled keeps no docstrings of fields.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from support import ROOT

PAGE = ROOT / "docs" / "flow.md"

CLASSES = {
    "Flow": "goto/flow.py",
    "Request": "goto/http/messages.py",
    "Response": "goto/http/messages.py",
    "Headers": "goto/http/fields.py",
    "Peer": "goto/flow.py",
    "Hold": "goto/exchange/waiting.py",
    "Delivery": "goto/exchange/delivery.py",
    "Control": "goto/exchange/delivery.py",
    "Kept": "goto/flow.py",
    "Times": "goto/flow.py",
    "Call": "goto/exchange/call.py",
    "Origin": "goto/exchange/call.py",
}
"""Those that an author meets, in the order of the page, each with its source."""

MADE_BY_GOTO = ("Flow", "Peer", "Hold")
"""Those that an author does not make."""

SPELLED = {"__contains__": "name in headers", "__iter__": "for name, value in headers"}
"""How methods that are called by syntax are written."""

NOT_FOR_AUTHORS = "For hosts: "
"""How the docstring of a member begins that the page leaves out."""

HEAD = """# Flow, for authors of features

What the hooks of a feature work on, see [Write a feature](features.md). All of it is imported from
`goto.flow`. This page is made of the docstrings by `make flow-docs`.
"""


class Member(NamedTuple):
    """A field or a method, and what its docstring says."""

    spelled: str
    type: str
    """Empty for a method."""
    meaning: str


def page() -> str:
    return HEAD + "".join(_chapter(name, ROOT / file) for name, file in CLASSES.items())


def _chapter(name: str, source: Path) -> str:
    (found,) = (node for node in ast.parse(source.read_text()).body if isinstance(node, ast.ClassDef) and node.name == name)
    shown = [member for member in members(found) if not member.meaning.startswith(NOT_FOR_AUTHORS)]
    fields = [f"| `{_cell(one.spelled)}` | `{_cell(one.type)}` | {_cell(one.meaning)} |" for one in shown if one.type]
    methods = [f"| `{_cell(one.spelled)}` | {_cell(one.meaning)} |" for one in shown if not one.type]
    parts = [f"## {name}", _text(ast.get_docstring(found))]
    if name not in MADE_BY_GOTO:
        parts.append(f"```\n{_made(found)}\n```")
    parts.append("\n".join(["| field | type | meaning |", "|---|---|---|", *fields]))
    if methods:
        parts.append("\n".join(["| method | what it does |", "|---|---|", *methods]))
    return "".join(f"\n{part}\n" for part in parts)


def members(found: ast.ClassDef) -> Iterator[Member]:
    """What a class declares, in the order written. Raises `ValueError` for a public member without a docstring."""
    yield from _fields(found.name, found.body, {})
    for node in found.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name == "__init__":
                arguments = [*node.args.args, *node.args.kwonlyargs]
                yield from _fields(found.name, node.body, {one.arg: one.annotation for one in arguments})
            elif node.name in SPELLED or node.name[0] != "_":
                yield _method(found.name, node)


def _fields(owner: str, body: list[ast.stmt], arguments: dict[str, ast.expr | None]) -> Iterator[Member]:
    for node, after in zip(body, [*body[1:], None], strict=True):
        match node:
            case ast.AnnAssign(target=ast.Attribute(attr=name) | ast.Name(id=name), annotation=kind):
                shown = ast.unparse(kind)
            case ast.Assign(targets=[ast.Attribute(attr=name)], value=ast.Name(id=given)) if arguments.get(given):
                shown = ast.unparse(arguments[given] or node)
            case ast.Assign(targets=[ast.Attribute(attr=name)], value=ast.Constant(value=constant)):
                shown = type(constant).__name__
            case ast.Assign(targets=[ast.Attribute(attr=name)]):
                shown = "float" if ast.unparse(node.value) == "time.monotonic()" else ""
            case _:
                continue
        if name[0] == "_" or shown.startswith("ClassVar"):
            continue
        if not shown:
            raise ValueError(f"{owner}.{name} does not say its type: annotate it")
        yield Member(name, shown, _said(f"{owner}.{name}", _string(after)))


def _method(owner: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Member:
    said = _said(f"{owner}.{node.name}", ast.get_docstring(node))
    marks = {ast.unparse(one) for one in node.decorator_list}
    if "property" in marks:
        return Member(node.name, ast.unparse(node.returns) if node.returns else "Any", said)
    if node.name in SPELLED:
        return Member(SPELLED[node.name], "", said)
    returned = "" if node.returns is None or ast.unparse(node.returns) == "None" else f" -> {ast.unparse(node.returns)}"
    called = f"{owner}." if "classmethod" in marks else "await " if isinstance(node, ast.AsyncFunctionDef) else ""
    return Member(f"{called}{node.name}({_arguments(node.args)}){returned}", "", said)


def _made(found: ast.ClassDef) -> str:
    """How one is made: by `__init__`, or by the fields of a dataclass."""
    for node in found.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return f"{found.name}({_arguments(node.args)})"
    fields = [node for node in found.body if isinstance(node, ast.AnnAssign)]
    values = [ast.Constant(...) if isinstance(field.value, ast.Call) else field.value for field in fields]  # made anew for each
    arguments = [ast.arg(ast.unparse(field.target), field.annotation) for field in fields]
    return f"{found.name}({', '.join(_declared(one, value) for one, value in zip(arguments, values, strict=True))})"


def _arguments(arguments: ast.arguments) -> str:
    """Those of a method, without the first."""
    given = arguments.args[1:]
    values = [*[None] * (len(given) - len(arguments.defaults)), *arguments.defaults]
    shown = [_declared(one, value) for one, value in zip(given, values, strict=True)]
    if arguments.vararg is not None:
        shown.append(f"*{_declared(arguments.vararg, None)}")
    elif arguments.kwonlyargs:
        shown.append("*")
    shown += [_declared(one, value) for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    return ", ".join(shown)


def _declared(one: ast.arg, value: ast.expr | None) -> str:
    typed = one.arg if one.annotation is None else f"{one.arg}: {ast.unparse(one.annotation)}"
    return typed if value is None else f"{typed} = {ast.unparse(value)}"


def _string(node: ast.stmt | None) -> str | None:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return text
        case _:
            return None


def _said(where: str, docstring: str | None) -> str:
    if not docstring:
        raise ValueError(f"{where} has no docstring: write below it what it means")
    return _text(docstring)


def _text(docstring: str | None) -> str:
    """A docstring as one line, its paragraphs one after the other."""
    return " ".join((docstring or "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
