"""One TCP port that goto serves on, with its own instance of every feature."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Iterable
from typing import Any, ClassVar, Literal, NotRequired, TypedDict, TypeVar

import msgspec

from goto.feature import ABILITIES, Feature, Place, Sender
from goto.flow import Field, encode
from goto.http.wire import fields_bytes
from goto.pipeline import Pipeline
from goto.routes import get, put
from goto.settings import setting
from goto.tls.settings import ListenerTls
from goto.words import Label
from goto.words.numbers import AnyPort

F = TypeVar("F", bound=Feature)

Outcome = Literal["client_gone", "upstream_failed", "broke_off", "aborted"]
"""How an exchange may end besides being completed: the client left first; it was answered that its one upstream gave no
answer; the upstream ended in the middle of its answer; goto ended it on purpose."""


class ListenerSpec(msgspec.Struct):
    """What `POST /listeners/add` takes."""

    port: AnyPort
    """The port to serve on; 0 for one that the system chooses, with `open` alone."""
    protocol: str = "http"
    """What it speaks: http or https."""
    label: Label = Label("")
    """What `Via-Goto` says; the port if not given."""
    admin: bool = True
    """Whether management calls are answered there; if not, they are traffic."""
    tls: ListenerTls | None = None
    """With protocol https: the certificate to show."""
    open: bool = False
    """Whether it is opened at once."""

    example: ClassVar[dict[str, Any]] = {"port": 8081, "protocol": "http", "label": "inner"}

    def __post_init__(self) -> None:
        self.protocol = self.protocol.lower()


class ListenerState(TypedDict):
    """A listener as it is listed."""

    label: str
    """What `Via-Goto` says."""
    port: int
    protocol: str
    open: bool
    """Whether it accepts traffic."""
    admin: NotRequired[Literal[False]]
    """Not there where management calls are answered."""
    tls: NotRequired[ListenerTls]
    """What it was given to show, files by their paths."""


class Listener:
    """A port, its identity and its features. Closed until `opening`; what its spec says does not change, but for the label.

    `pipeline` is what traffic runs through now.
    """

    def __init__(
        self,
        spec: ListenerSpec,
        host: str,
        sender: Sender,
        *,
        mode: str = "",
        features: Iterable[type[Feature]],
        carrier: str = "",
        abilities: frozenset[str] = ABILITIES,
    ) -> None:
        """`host` is what `Goto-Host` says. `mode` is how a host that has several kinds of listeners carries it. `carrier` is
        the name of that host, and `abilities` are what it can do to an answer (see `goto.feature.Place`).
        """
        self.port = int(spec.port)
        self.protocol = spec.protocol
        self.managed = spec.admin
        """Management calls are answered here; where they are not, they are traffic."""
        self.tls = spec.tls
        """What was said of the certificate of an https listener."""
        self.mode = mode
        self.open = False
        self.secure: ssl.SSLContext | None = None
        """What an https listener shows since it was opened."""
        self.shown = b""
        """The digest of the files that it is from, or that could not be shown."""
        self.hook_errors: Counter[str] = Counter()
        """Hooks that raised, by their name."""
        self.refused: Counter[int] = Counter()
        """What was answered before it was an exchange, malformed heads above all, by status."""
        self.ends: Counter[tuple[int, Outcome]] = Counter()
        """Exchanges that did not simply complete, by the status that was counted, 0 for none, and how they ended."""
        self._host = host
        self._features = {feature: feature() for feature in features}
        place = _Within(self, carrier, abilities)
        for feature in self._features.values():
            feature.bind(self._rebuild, place)
            if hasattr(feature, "send_with"):
                feature.send_with(sender)
        self._rebuild()
        self.added_label = spec.label
        """The label that it was added with; empty for none."""
        self._set_label(spec.label)

    # ------------------------------------------------------------ open and closed
    def opening(self, secure: ssl.SSLContext | None = None, shown: bytes = b"") -> None:
        """It is about to accept traffic, which is served from now on. `secure` is what an https listener shows."""
        self.open = True
        self.shows(secure, shown)

    def shows(self, secure: ssl.SSLContext | None, shown: bytes) -> None:
        """What handshakes show from now on, and the digest of the files that it is from."""
        self.secure = secure
        self.shown = shown

    def closed(self) -> None:
        """It accepts no more traffic, or never did."""
        self.open = False

    def _rebuild(self) -> None:
        self.pipeline = Pipeline(self._features.values(), self._count_error)

    def _count_error(self, hook: str) -> None:
        self.hook_errors[hook] += 1

    def stop(self) -> None:
        """End what the features still run, once nothing more is accepted."""
        for feature in self._features.values():
            feature.stop()

    @property
    def features(self) -> list[Feature]:
        return list(self._features.values())

    def feature(self, kind: type[F]) -> F:
        """This listener's instance of a feature."""
        found = self._features[kind]
        assert isinstance(found, kind)
        return found

    def has(self, kind: type) -> bool:
        return kind in self._features

    # ------------------------------------------------------------ identity
    def _set_label(self, label: str) -> None:
        self.label = label
        self.identity: list[Field] = [(b"Via-Goto", encode(self.name)), (b"Goto-Host", encode(self._host))]
        self.identity_bytes = fields_bytes(self.identity)

    @property
    def name(self) -> str:
        """What `Via-Goto` says: the label, else the port."""
        return self.label or str(self.port)

    @put("/label/set/{label}")
    def set_label(self, label: Label) -> str:
        """Set the label of this port, which `Via-Goto` then carries."""
        self._set_label(label)
        return f"Port {self.port} is labelled {label}"

    @put("/label/clear")
    def clear_label(self) -> str:
        """Remove the label; `Via-Goto` carries the port again."""
        self._set_label("")
        return f"Label of port {self.port} cleared"

    @get("/label")
    def show_label(self) -> str:
        """Show the label of this port."""
        return f"Label: {self.name}"

    @setting("label")
    def configured_label(self) -> Label | None:
        """What `Via-Goto` says; the port if not given."""
        return Label(self.label) if self.label else None

    @configured_label.setter
    def configure_label(self, label: Label | None) -> None:
        self._set_label(label or "")

    def show(self) -> ListenerState:
        """The listener as the list of listeners has it."""
        shown: ListenerState = {"label": self.name, "port": self.port, "protocol": self.protocol, "open": self.open}
        if not self.managed:
            shown["admin"] = False
        if self.tls is not None:
            shown["tls"] = self.tls
        return shown


class _Within(Place):
    """What the features of a listener find around them."""

    def __init__(self, listener: Listener, host: str, abilities: frozenset[str]) -> None:
        self.host = host
        self.abilities = abilities
        self._listener = listener

    @property
    def identity(self) -> bytes:  # type: ignore[override]  # the label may change
        return self._listener.identity_bytes

    def sibling(self, name: str) -> Feature | None:
        return next((feature for feature in self._listener.features if feature.name == name), None)
