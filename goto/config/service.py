"""The configuration of a process: seeded from files, applied again when they change, shown and changed by the API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from goto.api.management import wants_json
from goto.errors import BadInput, Conflict
from goto.flow import Request, Response
from goto.matching.remarks import in_brackets
from goto.routes import get, post, put
from goto.traffic.listener import Listener
from goto.traffic.listeners import Listeners
from goto.words import Flag
from goto.words.writing import json_bytes

if TYPE_CHECKING:
    from goto.config.apply import Applier
    from goto.config.document import Document
    from goto.config.keys import Keys
    from goto.config.node import Node

# The modules that read documents are imported where one is read: most instances never do, and it would double their start time.

log = logging.getLogger("goto")

BODY_LIMIT = 8 << 20
"""Bytes of a document that is posted."""


MOST_REMARKS = 5
"""Remarks that the answer to a document has room for."""

RESET_WITH_ALL = ("registry.targets", "journal")
"""Settings of the process that are put back where all listeners are."""


@runtime_checkable
class Forgetful(Protocol):
    """A service that has something to forget where the process is reset."""

    def forget(self) -> None:
        """Forget what was counted and kept."""


class Config:
    """The configuration of a process."""

    def __init__(
        self,
        keys: Callable[[], Keys],
        listeners: Listeners,
        services: Mapping[type, object],
        scratch: Callable[[], Listener],
        on_changed: Callable[[Listener | None, type], None] = lambda listener, owner: None,
    ) -> None:
        """`scratch` makes a listener that serves nothing, to try settings on. `on_changed` is told whose setting was changed, and
        of which listener.
        """
        self._on_changed = on_changed
        self._keys = keys
        self._listeners = listeners
        self._services = services
        self._scratch = scratch
        self.overrides: dict[str, object] = {}
        """Settings of the command line, by path: they win over those at the top of a file."""
        self._last: Document | None = None
        """The document of the files that was applied last."""
        self._busy = asyncio.Lock()

    # ------------------------------------------------------------ files
    def read(self, files: Sequence[str], load: Callable[[str], Node] | None = None) -> Document:
        """Read files as one document, and check it as far as it can be without applying it. Raises `ConfigError`.

        `load` makes a node of the name of a file; None for `load_file`.
        """
        from goto.config.loader import load_file

        return self._document(self._load([(file, load or load_file) for file in files]))

    def _load(self, sources: Sequence[tuple[str, Callable[[str], Node]]]) -> Node:
        """Load and merge all sources. Raises `ConfigError` with the problems of all of them."""
        from goto.config.errors import ConfigError, Problem
        from goto.config.merge import merge
        from goto.config.spelling import as_declared

        nodes: list[Node] = []
        problems: list[Problem] = []
        for name, load in sources:
            try:
                nodes.append(load(name))
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(problems)
        keys = self._keys()
        return merge(as_declared(node, keys) for node in nodes)

    def _document(self, node: Node, caller: Listener | None = None) -> Document:
        from goto.config.document import ConfiguredValue, read_document

        keys = self._keys()
        document = read_document(node, keys)
        if caller is None:
            for path, value in self.overrides.items():
                (document.first if path in keys.listener else document.process)[path] = ConfiguredValue(value)
        self._applier(caller).check(document, self._scratch)
        return document

    async def seed(self, document: Document) -> None:
        """Apply a document at the start. The first listener exists, and need not serve yet. Call `settle` once it does.

        Raises `ApiError`, and then nothing was changed.
        """
        from goto.config.document import Document

        async with self._busy:
            await self._applier().apply(Document(), document)
            self._last = document

    def settle(self) -> None:
        """Start what the seeded document is to start, such as targets with `autoInvoke`, now that the listeners serve."""
        self._applier().settle()

    def takes_away(self, document: Document) -> bool:
        """Whether a document lacks something that the one has which the files came to last."""
        from goto.config.difference import takes_away
        from goto.config.document import Document

        return takes_away(self._last or Document(), document)

    async def reload(self, document: Document) -> list[str]:
        """Apply what differs from what the files came to last. Returns what was changed. Raises `ApiError`."""
        from goto.config.document import Document

        async with self._busy:
            done = await self._applier().apply(self._last or Document(), document)
            self._last = document
            self.settle()
        return done

    # ------------------------------------------------------------ routes
    @get("/goto/config", answers={200: {"application/yaml": dict[str, Any], "application/json": dict[str, Any]}})
    async def show(self, request: Request) -> Response:
        """Show the present configuration as a document, in YAML, or in JSON with `Accept: application/json`."""
        # a large one takes seconds to write
        as_json = wants_json(request)
        text = await asyncio.to_thread(self._text, self._applier().present(), as_json=as_json)
        response = Response(200, text)
        response.headers.add("Content-Type", "application/json" if as_json else "application/yaml")
        response.headers.add("Vary", "Accept")
        return response

    def _text(self, document: Document, *, as_json: bool) -> bytes:
        from goto.config.dump import data_of, yaml_text

        data = data_of(document, self._keys())
        return json_bytes(data) if as_json else yaml_text(data).encode()

    @post("/goto/config", body_limit=BODY_LIMIT, media=["application/yaml", "application/json"], raises=[Conflict])
    async def change(self, body: bytes, caller: Listener, replace: Flag = Flag.NO, dry: Flag = Flag.NO) -> str:
        """Merge a document in YAML or JSON into the present configuration, or with `?replace=y` replace it.

        With `?dry=y` nothing is changed, and the answer is the configuration that it would come to, in YAML.
        """
        from goto.config.errors import ConfigError

        try:
            posted = await asyncio.to_thread(self._posted, body)
            async with self._busy:
                applier = self._applier(caller)
                present = applier.present()
                document = await asyncio.to_thread(self._changed, present, posted, caller, replace=bool(replace))
                if dry:
                    applier.check_ports(present, document)
                    return (await asyncio.to_thread(self._text, document, as_json=False)).decode()
                said = set(applier.remarks())
                done = await applier.apply(present, document)
                remarks = in_brackets([remark for remark in applier.remarks() if remark not in said][:MOST_REMARKS])
                self.settle()
        except ConfigError as error:
            raise BadInput(str(error)) from None
        return f"Configuration applied: {', '.join(done)}{remarks}" if done else "The configuration is like this already"

    @put("/goto/reset", raises=[Conflict])
    async def reset(self, listener: Listener) -> str:
        """Put a listener back to what options and files say, as they were applied last, and forget what it has counted."""
        await self._reset([listener])
        return f"Reset listener {listener.port}"

    @put("/goto/reset/all", raises=[Conflict])
    async def reset_all(self) -> str:
        """Put all listeners back likewise, with the registry's targets and the journal; listeners, peers and limits stay."""
        listeners = [*self._listeners.by_port.values()]
        await self._reset(listeners, RESET_WITH_ALL)
        for service in self._services.values():
            if isinstance(service, Forgetful):
                service.forget()
                self._on_changed(None, type(service))
        count = f"{len(listeners):,} listener{'' if len(listeners) == 1 else 's'}"
        return f"Reset {count}, the targets of the registry and the journal"

    async def _reset(self, listeners: Sequence[Listener], process: Sequence[str] = ()) -> None:
        async with self._busy:
            await self._applier().reset(listeners, self._last or self._from_options(), process)

    def _from_options(self) -> Document:
        """What there is without files."""
        from goto.config.document import ConfiguredValue, Document

        keys = self._keys()
        return Document({path: ConfiguredValue(value) for path, value in self.overrides.items() if path in keys.listener})

    def _posted(self, body: bytes) -> Node:
        """The document in the body of a call. Raises `ConfigError`, and `BadInput` where curl has made it one line."""
        from goto.config.errors import ConfigError
        from goto.config.loader import NOT_YAML, load
        from goto.config.spelling import as_declared

        try:
            return as_declared(load(body, "body"), self._keys())
        except ConfigError as error:
            one_line = b"\n" not in body and b"\r" not in body
            if one_line and any(problem.reason.startswith(NOT_YAML) for problem in error.problems):
                raise BadInput(f"{error} (curl --data drops line ends: use --data-binary)") from None
            raise

    def _changed(self, present: Document, posted: Node, caller: Listener, *, replace: bool) -> Document:
        """The document that a posted one comes to. Raises `ConfigError`."""
        from goto.config.dump import data_of
        from goto.config.merge import merge
        from goto.config.node import node_of

        node = posted if replace else merge([node_of(data_of(present, self._keys()), "present"), posted])
        return self._document(node, caller)

    def _applier(self, caller: Listener | None = None) -> Applier:
        from goto.config.apply import Applier

        return Applier(self._keys(), self._listeners, self._services, caller, self._on_changed)
