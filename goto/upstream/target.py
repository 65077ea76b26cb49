"""What the client's targets and the proxy's have in common: where they are reached, and how long an answer may take."""

from __future__ import annotations

from functools import cached_property

from goto.exchange.call import DEFAULT_TIMEOUT
from goto.flow import Origin
from goto.tls.settings import TargetTls, of_target
from goto.words import Duration, TargetUrl


class Reached:
    """A base of the structs of targets, which declare these fields."""

    url: TargetUrl
    request_timeout: Duration
    verify_tls: bool
    tls: TargetTls | None

    @cached_property
    def origin(self) -> Origin:
        """Where the url's connections go. Files of `tls` are read at the first look; raises `ApiError` where they will not do."""
        return Origin.of(self.url, of_target(self.url, self.tls, verify=self.verify_tls))

    @property
    def timeout(self) -> float:
        """`request_timeout` in seconds."""
        return self.request_timeout.seconds or DEFAULT_TIMEOUT
