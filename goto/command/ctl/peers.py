"""A call at each peer of a label, in parallel."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Any

from goto.command.ctl.failures import DONE, NOT_REACHED, Ended, bad_use, nearest
from goto.command.ctl.screen import table
from goto.command.ctl.session import Session
from goto.command.ctl.short import Made
from goto.words.urls import with_scheme

Make = Callable[[Session], Made]


def addresses(session: Session, label: str, only: str) -> list[str]:
    """Where the peers of a label are, in the order of the registry; with `only` the one of that number. Raises `Ended`."""
    peers = session.read("/registry/peers")
    found = [peer["address"] for peer in peers if peer["name"] == label]
    if not found:
        raise bad_use(f"--peers: nobody has registered as {label}{nearest(label, [peer['name'] for peer in peers])}")
    if not only:
        return found
    if not only.isdecimal() or not 1 <= int(only) <= len(found):
        raise bad_use(f"--only: {only} is not from 1 to {len(found)}, the number of peers of {label}")
    return [found[int(only) - 1]]


def at_each(session: Session, about: Mapping[str, str], make: Make) -> int:
    """Make a call at each peer, and print a row each. Returns the worst exit status."""
    there = addresses(session, about["peers"], about.get("only", ""))
    # the token is that of the call, and so is a port, but the peers have addresses of their own
    at_peer = {name: value for name, value in about.items() if name != "url"}
    answers: list[Made | Ended] = [Ended(NOT_REACHED)] * len(there)

    def ask(number: int, address: str) -> None:
        try:
            answers[number] = make(Session(at_peer, with_scheme(address)))
        except Ended as ended:
            answers[number] = ended

    threads = [Thread(target=ask, args=one, daemon=True) for one in enumerate(there)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if session.as_json:
        rows = [{"peer": address, **_as_json(answer)} for address, answer in zip(there, answers, strict=True)]
        print(json.dumps(rows, ensure_ascii=False))
    else:
        table(("peer", "done", "answer"), [(address, *_row(answer)) for address, answer in zip(there, answers, strict=True)])
    return max((answer.status for answer in answers), default=DONE)


def _row(answer: Made | Ended) -> tuple[bool, str]:
    text = answer.text if isinstance(answer, Ended) else answer.answer.text
    return answer.status == DONE, "; ".join(text.splitlines())


def _as_json(made: Made | Ended) -> dict[str, Any]:
    if isinstance(made, Ended):
        return {"exit": made.status, **json.loads(made.as_json)}
    answer = made.answer
    return {"exit": made.status, "answer": json.loads(answer.body) if answer.is_json else answer.text}
