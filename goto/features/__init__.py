"""The features, one file or folder for each chapter of traffic; `FEATURES` is their order, from the outside in.

Bypass is outermost, so that no other feature sees what it answers. Journal and Arrivals see all that is traffic, however it
goes on. Timeouts covers all the others, delays included. Delay is outside of the counting, so that an exchange is counted
before its client sees the answer, and also when the client leaves during the delay. The counting is outside of everything that
changes a response. Rules is within the counting, so that what rules answer is counted, and outside of ForcedStatus, which never
sees an answer of a rule that names a status. An answer that names none is made by RuleAnswers, further in. ForcedStatus comes
before Proxy, which leaves a flow with a forced status to Local. Client has no hooks: it sends requests of its own.
"""

from __future__ import annotations

from goto.client.feature import Client
from goto.feature import Feature
from goto.features.arrivals.feature import Arrivals
from goto.features.bypass import Bypass
from goto.features.delay import Delay
from goto.features.forced_status import ForcedStatus
from goto.features.local import Local
from goto.features.proxy.feature import Proxy
from goto.features.response_headers import ResponseHeaders
from goto.features.rules.answering import RuleAnswers
from goto.features.rules.feature import Rules
from goto.features.status_counts import StatusCounts
from goto.features.timeouts import Timeouts
from goto.features.tracking import Tracking
from goto.journal.feature import Journal

FEATURES: tuple[type[Feature], ...] = (
    Bypass,
    Journal,
    Arrivals,
    Timeouts,
    Delay,
    StatusCounts,
    Tracking,
    ResponseHeaders,
    Rules,
    ForcedStatus,
    RuleAnswers,
    Proxy,
    Local,
    Client,
)
