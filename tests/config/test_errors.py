"""How mistakes are told."""

from __future__ import annotations

from goto.config.errors import ConfigError, Problem


def test_a_problem_says_where_and_what():
    assert str(Problem("a.yaml", 3, 5, "response.delay", "no duration")) == "a.yaml:3:5: response.delay: no duration"
    assert str(Problem("a.yaml", 0, 0, "", "No such file")) == "a.yaml: No such file"


def test_an_error_lists_all_in_the_order_of_the_file_and_each_once():
    late, early = Problem("a", 9, 1, "x", "bad"), Problem("a", 1, 1, "y", "bad")
    error = ConfigError([late, early, late])
    assert error.problems == [early, late]
    assert str(error) == "a:1:1: y: bad\na:9:1: x: bad"


def test_all_of_it_in_one_line():
    problems = [Problem("a", line, 1, "x", "bad") for line in (1, 2, 3)]
    assert ConfigError(problems).line == "a:1:1: x: bad (and 2 more)"
    assert ConfigError(problems[:1]).line == "a:1:1: x: bad"
