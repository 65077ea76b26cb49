"""What was sent to one target in one run, by the numbers in the ids of its requests."""

from __future__ import annotations

from goto.counting.numbers import Numbers, Shelf
from goto.http.numbered_id import MOST_NUMBERS, fresh_run


class Sent(Numbers):
    """The numbers of a run that were sent: tries are requests, sent again or not, and done are those with a whole answer."""

    def __init__(self, shelf: Shelf[Sent], *, replicas: int, gaps: bool = False) -> None:
        """`gaps`: the server's side is to keep the times between tries."""
        super().__init__()
        self.run = fresh_run(gaps=gaps)
        self.replicas = replicas
        """Connections that send."""
        self.requests = 0
        self.answers = 0
        """Requests with a whole answer, whatever its status."""
        self.failures = 0
        """Requests without one."""
        self.incomplete = False
        """Some requests are not in the numbers."""
        self._shelf = shelf
        shelf.add(self.run, self)

    def begin(self, number: int) -> None:
        """A request is begun."""
        self.requests += 1
        self.again(number)

    def again(self, number: int) -> None:
        """A request is sent once more."""
        if self.lost or number >= MOST_NUMBERS:
            self.incomplete = True
        else:
            self._shelf.tried(self, number)

    def answered(self, number: int) -> None:
        self.answers += 1
        if number < MOST_NUMBERS:
            self.done(number)

    def failed(self) -> None:
        self.failures += 1

    def forget(self, number: int) -> None:
        """A request that was begun is not sent, nor counted."""
        self.requests -= 1
        if number < MOST_NUMBERS:
            self.untried(number)
