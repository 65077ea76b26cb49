"""Who this instance is: pod or host name, namespace, address.

`POD_NAME`, `NAMESPACE` and `POD_IP` override what the machine says.
"""

from __future__ import annotations

import os
import socket

from goto.errors import BadInput
from goto.words.names import a_name

POD_NAME, NAMESPACE, POD_IP = VARIABLES = ("POD_NAME", "NAMESPACE", "POD_IP")


def own_address() -> str:
    """The address of the interface that leads outside. A UDP socket only looks up the route: nothing is sent."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737)
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


def pod_ip() -> str:
    return _given(POD_IP) or own_address()


def own_names() -> list[str]:
    """The names and addresses that this machine goes by."""
    return ["localhost", "127.0.0.1", "::1", socket.gethostname(), pod_ip()]


def goto_host() -> str:
    """`<pod or host name>.<namespace or local>@<ip>`, the value of `Goto-Host`."""
    return f"{_given(POD_NAME) or socket.gethostname()}.{_given(NAMESPACE) or 'local'}@{pod_ip()}"


def check_identity() -> None:
    """Raises `BadInput` where a variable holds what can be no part of a name."""
    for variable in VARIABLES:
        if text := _given(variable):
            try:
                a_name(text)
            except ValueError as error:
                raise BadInput(f"{variable}: {error}") from None


def _given(variable: str) -> str:
    """What the environment says, without blanks and line ends around it; empty if nothing."""
    return os.environ.get(variable, "").strip()
