"""The answers to the requests of an invocation, for whoever called for it, as far as they are kept (behaviour: client)."""

from __future__ import annotations

from goto.flow import Field
from goto.http.hops import end_to_end
from goto.upstream.errors import UpstreamError
from goto.upstream.kept import FAN_OUT_LIMIT, RESPONSES_LIMIT, Budget, KeptBody, Reported, Took, reported


class Report:
    """Answers in the order of targets, then of replicas, then of requests."""

    def __init__(self, *, timed: bool = False) -> None:
        """`timed`: what each request took is told too."""
        self.timed = timed
        self.budget = Budget(FAN_OUT_LIMIT)
        """Bytes of headers and bodies that may still be kept."""
        self._entries: list[tuple[tuple[int, int, int], Reported]] = []
        self._left_out = 0

    def answer(
        self,
        place: tuple[int, int, int],
        target: str,
        status: str,
        code: int,
        fields: list[Field],
        body: KeptBody | None,
        took: Took | None = None,
    ) -> None:
        """Add an answer, or an error with code 0. `place`: index of the target, number of the replica, number of the request."""
        if len(self._entries) >= RESPONSES_LIMIT or self.budget.left < 0:
            self._left_out += 1
            return
        shown = end_to_end(fields)
        self.budget.left -= sum(len(name) + len(value) for name, value in shown)
        entry = reported(target, f"{target}[{place[1]}][{place[2]}]", code, status, shown, body)
        if took is not None:
            entry["Ms"] = took
        self._entries.append((place, entry))

    def error(self, place: tuple[int, int, int], target: str, error: UpstreamError, took: Took | None = None) -> None:
        self.answer(place, target, str(error), 0, [], None, took)

    def unknown(self, target: str) -> None:
        """Add that there is no target of this name."""
        self._entries.append(((1 << 62, 0, 0), {"TargetName": target, "Status": "unknown client target", "StatusCode": 0}))

    def show(self) -> list[Reported]:
        """The answers in order; at the end, how many were left out."""
        shown = [entry for _, entry in sorted(self._entries, key=lambda pair: pair[0])]
        if self._left_out:
            reason = f"{RESPONSES_LIMIT} responses and {FAN_OUT_LIMIT} bytes are the limit"
            shown.append({"LeftOut": self._left_out, "Reason": reason})
        return shown

    def keep(self) -> KeptBody:
        """What to write the body of one answer to."""
        return KeptBody(self.budget if len(self._entries) < RESPONSES_LIMIT else Budget(0))
