"""Declarations of routes: what a decorator leaves on a method, and the answers that a method may give."""

from __future__ import annotations

import pytest

from goto.errors import Conflict, NotFound
from goto.flow import Call, Origin
from goto.routes import MANAGEMENT_LIMIT, Declared, Forward, get, post, put


class Doors:
    @get("/doors", "/doors/list", raises=[NotFound])
    @post("/doors")
    def show(self) -> str:
        return "doors"

    @put("/doors/{door}/open", raises=iter([NotFound, Conflict]))
    def open(self, door: str) -> str:
        return door

    @post("/doors/plan", body_limit=10, media=["text/csv"], answers={200: {"text/csv": bytes}})
    def plan(self, body: bytes) -> str:
        return str(body)


def declared(method: object) -> list[Declared]:
    return list(method.__routes__)  # type: ignore[attr-defined]  # set by the decorator


def test_a_method_keeps_what_its_decorators_say():
    assert [(one.methods, one.path, one.raises) for one in declared(Doors.show)] == [
        (("POST",), "/doors", ()),
        (("GET",), "/doors", (NotFound,)),
        (("GET",), "/doors/list", (NotFound,)),
    ]
    (opened,) = declared(Doors.open)
    assert (opened.methods, opened.body_limit) == (("PUT", "POST"), MANAGEMENT_LIMIT)
    assert opened.raises == (NotFound, Conflict)
    (plan,) = declared(Doors.plan)
    assert (plan.body_limit, plan.media, plan.answers) == (10, ("text/csv",), {200: {"text/csv": bytes}})


def test_a_declared_method_stays_as_it_was():
    assert Doors().open("front") == "front"


def test_a_forward_has_something_to_send():
    call = Call("t", Origin("http", "up", 80), "GET", "/")
    assert Forward([call]).calls == [call]
    with pytest.raises(ValueError, match="at least one call"):
        Forward([])
