"""Words and options, wherever they stand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from goto.command.ctl.arguments import Arguments, parse, settle
from goto.command.ctl.failures import Ended
from goto.command.ctl.ways import Field

RULE = (Field("name", "s"), Field("json", "snbj"), Field("port", "n"), Field("open", "b"), Field("requestTimeout", "s"))


def known(words: Sequence[str]) -> Sequence[Field]:
    return RULE if list(words) == ["rules", "add"] else (Field("follow", "b"),) if list(words) == ["journal"] else ()


def parsed(line: str) -> Arguments:
    return parse(line.split(" ") if line else [], known)


def test_an_option_before_the_first_word_is_about_the_instance():
    found = parsed("--port 81 --json rules add --port 8080 --json 1")
    assert found.words == ["rules", "add"]
    assert found.about == {"port": "81", "json": ""}
    assert found.given == {"port": "8080", "json": "1"}


def test_behind_the_words_one_that_names_no_field_is_about_the_instance():
    found = parsed("rules add --url http://a --name=x --request-timeout 5s --token= --help")
    assert found.about == {"url": "http://a", "token": "", "help": ""}
    assert found.given == {"name": "x", "requestTimeout": "5s"}
    assert parsed("label --json").about == {"json": ""}


def test_what_is_yes_or_no_may_stand_alone():
    assert parsed("rules add --open").given == {"open": "y"}
    assert parsed("rules add --open n --name x").given == {"open": "n", "name": "x"}
    assert parsed("rules add --open --name x").given == {"open": "y", "name": "x"}


def test_a_value_is_the_next_word_whatever_it_is():
    assert parsed("rules add --name --json").given == {"name": "--json"}
    assert parsed("label set -- --json").words == ["label", "set", "--json"]


def test_options_between_words_are_settled_once_the_words_are_known():
    found = parsed("rules --name x add")
    assert (found.words, found.given, found.later) == (["rules", "add"], {}, [("name", "x")])
    settle(found, RULE)
    assert found.given == {"name": "x"}


def test_a_body_and_following():
    assert parsed("rules add -f a.json").body == "a.json"
    found = parsed("journal -f")
    assert (found.body, found.given) == (None, {"follow": "y"})


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("--prot 1 label", "unknown option --prot; did you mean --port?"),
        ("rules add --name", "--name needs a value"),
        ("rules add -f", "-f needs a value"),
    ],
)
def test_bad_use(line: str, text: str):
    with pytest.raises(Ended, match=text) as caught:
        parsed(line)
    assert caught.value.status == 2


def test_an_option_that_is_none_behind_all():
    with pytest.raises(Ended, match=r"^unknown option --nam; did you mean --name\?$"):
        settle(parsed("rules --nam x add"), RULE)
