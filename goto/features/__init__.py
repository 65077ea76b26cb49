"""The features, one file or folder for each chapter of traffic; `FEATURES` is their order, from the outside in.

Bypass is outermost, so that nothing behind it ever sees what it answers. Timeouts watches all the rest, delays included. Delay
wraps the counting, so that counts are there before a client sees its answer, and survive its hang-up. Counting wraps all that
changes a response. ForcedStatus stands before Proxy, which leaves a forced flow to Local. Client looks at no
traffic: it makes some, elsewhere.
"""

from __future__ import annotations

from goto.client.feature import Client
from goto.feature import Feature
from goto.features.bypass import Bypass
from goto.features.delay import Delay
from goto.features.forced_status import ForcedStatus
from goto.features.local import Local
from goto.features.proxy.feature import Proxy
from goto.features.response_headers import ResponseHeaders
from goto.features.status_counts import StatusCounts
from goto.features.timeouts import Timeouts
from goto.features.tracking import Tracking

FEATURES: tuple[type[Feature], ...] = (
    Bypass,
    Timeouts,
    Delay,
    StatusCounts,
    Tracking,
    ResponseHeaders,
    ForcedStatus,
    Proxy,
    Local,
    Client,
)
