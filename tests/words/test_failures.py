"""What is said of failures of the system."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from goto.words.failures import plain_text, system_reason


def _ssl(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] some text (_ssl.c:1006)")
    error.reason = reason
    return error


def _not_verified() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:1006)")
    error.verify_message = "unable to get local issuer certificate"
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), "Connection refused"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/x"), "No such file or directory"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1), [Errno 111] Connect"), "Connection refused"),
        (OSError("Multiple exceptions: [Errno 111] a, [Errno 101] b"), "Connection refused, Network is unreachable"),
        (_ssl("WRONG_VERSION_NUMBER"), "wrong version number"),
        (ssl.SSLError(1, "[SSL: NO_IDEA] what it says"), "what it says"),
        (_not_verified(), "certificate not accepted: unable to get local issuer certificate"),
        (UnicodeError("label empty or too long"), "a part of the name is empty, or has more than 63 letters"),
        (ValueError("a\nb"), "a b"),
        (ValueError(), "ValueError"),
    ],
)
def test_a_reason(error: Exception, said: str) -> None:
    assert system_reason(error) == said


def test_a_text() -> None:
    assert plain_text("FileNotFoundError: [Errno 2] No such file or directory: '/x'") == (
        "FileNotFoundError: No such file or directory: '/x'"
    )
