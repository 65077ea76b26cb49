"""Which reads answer otherwise since a call or a file has changed something."""

from __future__ import annotations

from support.lab import Lab, in_lab


def test_a_call_changes_what_its_owner_tells() -> None:
    async def test(lab: Lab) -> None:
        changes = lab.instance.changes
        number = changes.number
        assert changes.since(number, [8080]) == []
        await lab.api("/response/delay/set/1s")
        assert set(changes.since(number, [8080])) == {"/goto/port/8080/response/delay", "/goto/config"}
        assert changes.since(number, [8081]) == ["/goto/config"]
        number = changes.number
        await lab.api("/response/delay", method="GET")
        assert (await lab.call("PUT", "/response/delay/set/x")).status == 400
        await lab.api("/goto/journal/set/y")
        assert "/goto/journal" in changes.since(number, [8080])
        number = changes.number
        await lab.call("POST", "/goto/journal/verify", '{"when": {}}')
        assert changes.number == number

    in_lab(test)


def test_a_call_for_another_listener_is_told_with_its_port() -> None:
    async def test(lab: Lab) -> None:
        changes = lab.instance.changes
        await lab.api("/listeners/add", '{"port": 8081, "protocol": "http"}')
        assert "/listeners" in changes.since(0, [8080])
        number = changes.number
        await lab.api("/goto/port/8081/label/set/x")
        assert set(changes.since(number, [8080, 8081])) == {"/listeners", "/goto/port/8081/label", "/goto/config"}

    in_lab(test)


def test_a_document_changes_what_it_names() -> None:
    async def test(lab: Lab) -> None:
        changes = lab.instance.changes
        number = changes.number
        await lab.post("response: {rules: [{name: a, status: 503}]}")
        told = changes.since(number, [8080])
        assert "/goto/port/8080/response/rules" in told
        assert "/goto/port/8080/response/delay" not in told
        number = changes.number
        await lab.api("/goto/reset/all")
        assert "/goto/port/8080/response/rules" in changes.since(number, [8080])

    in_lab(test)


def test_whoever_waits_is_told_and_all_can_be_asked_for() -> None:
    async def test(lab: Lab) -> None:
        changes, told = lab.instance.changes, []
        changes.on_change.append(lambda: told.append(changes.number))
        await lab.api("/response/delay/set/1s")
        assert told == [changes.number]
        everything = changes.all([8080, 8081])
        assert {"/listeners", "/goto/port/8080/label", "/goto/port/8081/response/rules"} <= set(everything)
        assert not any("{" in path or path == "/goto/watch" for path in everything)

    in_lab(test)
