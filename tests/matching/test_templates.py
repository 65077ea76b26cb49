"""Templates: parsing, matching one and many, filling in."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.matching.templates import (
    ANY_VALUE,
    LONGEST,
    MissingCapture,
    Template,
    TemplateSet,
    Variable,
    expand,
    fold,
    parse_template,
)

NAMES = st.sampled_from(["x", "y", "_long_1"])
REGEXES = st.sampled_from([None, "[0-9]+", "a.*", "(b|/)+", "[^}]{1,2}", r"\{a\}|[0-9]{2}"])
VARIABLES = st.builds(Variable, NAMES, REGEXES)
LITERALS = st.text(alphabet="aAbB0/-.+()[]{}1 äÄ%", min_size=1, max_size=6).filter(
    lambda text: not re.search(r"\{[a-zA-Z_]", text)
)


@st.composite
def parts(draw: st.DrawFn) -> list[str | Variable]:
    """Literals and variables in turn, as `parse` gives them."""
    found: list[str | Variable] = []
    for part in draw(st.lists(st.one_of(LITERALS, VARIABLES), max_size=5)):
        if not (isinstance(part, str) and found and isinstance(found[-1], str)):
            found.append(part)
    return found


@given(parts())
def test_what_is_written_is_read_again(wanted: list[str | Variable]) -> None:
    assert list(parse_template("".join(map(str, wanted)))) == wanted


@given(st.text(alphabet="{}[]\\:^ax_1-/", max_size=20))
def test_any_text_is_read_whole_or_refused(text: str) -> None:
    try:
        found = parse_template(text)
    except ValueError:
        assert "{" in text
    else:
        assert "".join(map(str, found)) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ()),
        ("/", ("/",)),
        ("/foo/{x}/bar/{y:.*}", ("/foo/", Variable("x"), "/bar/", Variable("y", ".*"))),
        ("{x:[0-9]{3}}!", (Variable("x", "[0-9]{3}"), "!")),
        ("{x:[^}]+}!", (Variable("x", "[^}]+"), "!")),
        ("{x:[]}]+}", (Variable("x", "[]}]+"),)),
        ("{x:[[:alpha:]}]}", (Variable("x", "[[:alpha:]}]"),)),
        (r"{x:\}+}", (Variable("x", r"\}+"),)),
        ("{}{1}{ x}{x-y}{", ("{}{1}{ x}{x-y}{",)),
        ('{"a":1}}', ('{"a":1}}',)),
        ("{foo-{x}}", ("{foo-", Variable("x"), "}")),
        ("{x:}", (Variable("x", ""),)),
    ],
)
def test_variables_and_other_braces(text: str, wanted: tuple[str | Variable, ...]) -> None:
    assert parse_template(text) == wanted


@pytest.mark.parametrize("text", ["/a/{unclosed", "/a/{unclosed/b/{x}", "{x:[0-9]{3}", "{x:[}", "{x:\\}"])
def test_an_unclosed_variable_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="is not closed") as refused:
        parse_template(text)
    assert repr(text[text.index("{") :]) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{x:(}", r"missing \)"),
        ("{x:a)(b}", r"unexpected \)"),
        ("{x:(?=a)}", "invalid perl operator"),
        (r"{x:\Qa}{y}", r"\\Q without \\E"),
        ("{x:a{9999}}", "repetition"),
    ],
)
def test_a_regex_that_does_not_compile_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Template.parse(text)


def test_a_template_has_a_greatest_length() -> None:
    assert parse_template("a" * LONGEST) == ("a" * LONGEST,)
    with pytest.raises(ValueError, match="8,192 characters"):
        parse_template("a" * (LONGEST + 1))


@pytest.mark.parametrize("text", ["{a{" * 2700, "{x:[[:" * 1300, "{x:" * 2700, "{a-" * 1000 + "}" * 1000])
def test_parsing_takes_no_time_squared(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(ValueError):
        parse_template(text)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("template", "path", "wanted"),
    [
        ("/Foo/Bar", "/fOO/bar", {}),
        ("/foo", "/foo/", None),
        ("/a.b+(c)/{x}", "/A.b+(c)/1", {"x": "1"}),
        ("/a.b+(c)/{x}", "/aXbb(c)/1", None),
        ("/foo/{x}/bar/{y}", "/FOO/Some/bar/Thing", {"x": "Some", "y": "Thing"}),
        ("/{x}", "/", None),
        ("/{x}", "/a/b", None),
        ("/v{x}.json", "/V12.JSON", {"x": "12"}),
        ("/v{x}.json", "/v.json", None),
        ("/aa{x}aa", "/aaa", None),
        ("/{a}-{b}", "/1-2-3", {"a": "1-2", "b": "3"}),
        ("/{x}/{x}", "/1/2", {"x": "1"}),
        ("/{x:[0-9]+}", "/12", {"x": "12"}),
        ("/{x:[0-9]+}", "/12a", None),
        ("/{x:.*}/end", "/a/b/end", {"x": "a/b"}),
        ("/{x:a+}", "/AA", None),
        ("/{x:(?i)a+}/B", "/AA/b", {"x": "AA"}),
        ("/{x:(a)(b(c))}/{y:(d)|e}", "/abc/e", {"x": "abc", "y": "e"}),
        ("/{x:a|b}c", "/ac", {"x": "a"}),
        ("/{x:a|b}c", "/a", None),
        ("/Äß/{x}", "/äß/É", {"x": "É"}),
        ("/{x:.{1}}", "/é", {"x": "é"}),
        ("/{x}", "/\udcff", {"x": "\udcff"}),
        ("/{x:.+}/é", "/\udcff\udcfe/É", {"x": "\udcff\udcfe"}),
    ],
)
def test_a_path_is_matched_whole(template: str, path: str, wanted: dict[str, str] | None) -> None:
    assert Template.parse(template).match(path) == wanted


@pytest.mark.parametrize(
    ("template", "value", "wanted"),
    [
        ("{x}", "", {"x": ""}),
        ("{x}", "any/thing\n\0", {"x": "any/thing\n\0"}),
        ("Bearer {x}", "bearer Abc", {"x": "Abc"}),
        ("{a}={b}", "k=v=\nw", {"a": "k=v", "b": "\nw"}),
        ("{x:[0-9]*}", "", {"x": ""}),
    ],
)
def test_in_a_value_a_variable_may_be_anything(template: str, value: str, wanted: dict[str, str]) -> None:
    assert Template.parse(template, ANY_VALUE).match(value) == wanted


@given(parts(), st.text(alphabet="aAbB0/-.+()[]{}1 äÄ%", max_size=12))
def test_matching_agrees_with_pythons_re(template: list[str | Variable], path: str) -> None:
    names: list[str] = []
    pattern = ""
    for part in template:
        if isinstance(part, str):
            pattern += f"(?i:{re.escape(part)})"
        else:
            group = f"g{len(names)}"
            names.append(part.name)
            pattern += f"(?P<{group}>{'[^/]+' if part.regex is None else part.regex})"
    found = re.fullmatch(pattern, path)
    wanted: dict[str, str] = {}
    for index, name in enumerate(names if found else []):
        assert found
        wanted.setdefault(name, found[f"g{index}"])
    assert Template(template).match(path) == (wanted if found else None)


def test_a_catastrophic_regex_is_done_at_once() -> None:
    template = Template.parse("/{x:(a+)+$}")
    many: TemplateSet[str] = TemplateSet()
    many.add(template, "it")
    many.add(Template.parse("/{x:(a|a)*(a|aa)+b}"), "other")
    started = time.process_time()
    assert template.match("/" + "a" * 50_000 + "!") is None
    assert template.match("/" + "a" * 50_000) == {"x": "a" * 50_000}
    assert many.find("/" + "a" * 50_000) == ["it"]
    assert time.process_time() - started < 1


@given(st.lists(parts(), max_size=6), st.text(alphabet="aAbB0/-.1äÄ", max_size=8))
def test_many_templates_find_what_each_would(templates: list[list[str | Variable]], path: str) -> None:
    every = [Template(template) for template in templates]
    many: TemplateSet[int] = TemplateSet()
    for index, template in enumerate(every):
        many.add(template, index)
    assert sorted(many.find(path)) == [index for index, template in enumerate(every) if template.match(path) is not None]


def test_many_templates_take_text_that_is_no_utf8_and_grow_later() -> None:
    many: TemplateSet[str] = TemplateSet()
    many.add(Template.parse("{x:.}"), "one")
    assert (many.find("\udcff"), many.find("é"), many.find("éé")) == (["one"], ["one"], [])
    many.add(Template.parse("{x:..}"), "two")
    assert (many.find("\udcff\udcff"), many.find("éé"), len(many)) == (["two"], ["two"], 2)


def test_many_templates_too_large_for_one_automaton_are_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goto.matching.templates._SET_MEMORY", 1 << 16)
    many: TemplateSet[int] = TemplateSet()
    for index in range(40):
        many.add(Template.parse(f"{{x:(\\pL{{1,20}})}}{index}"), index)
    assert many._build(True) is None  # else this is no test
    assert many.find("abc7") == [7]


def test_a_variable_is_filled_in_whatever_its_regex() -> None:
    assert expand(parse_template("/abc/{y:.*}/def/{x}{1}"), {"x": "X", "y": "Y"}, str.lower) == "/abc/y/def/x{1}"


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(MissingCapture) as missing:
        expand(parse_template("/{x}/{nope:.*}"), {"x": "X"}, str)
    assert missing.value.name == "nope"


@given(st.text())
def test_folding_keeps_every_index(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert fold(folded) == folded
    assert [fold(character) for character in text] == list(folded)
