"""Applies the difference between two documents to a running instance: all of it, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from goto.config.difference import carried_over, changed
from goto.config.document import ConfiguredValue, ConfiguredValues, Document, ListenerPart
from goto.config.errors import ConfigError, Problem
from goto.config.keys import Key, Keys
from goto.errors import ApiError, Conflict
from goto.traffic.listener import Listener, ListenerSpec
from goto.traffic.listeners import Listeners
from goto.words import Port

log = logging.getLogger("goto")

Undo = Callable[[], Any]


class Applier:
    """Reads and changes the state that documents describe: the first listener, the others, and the services of the process."""

    def __init__(
        self,
        keys: Keys,
        listeners: Listeners,
        services: Mapping[type, object],
        caller: Listener | None = None,
        on_changed: Callable[[Listener | None, type], None] = lambda listener, owner: None,
    ) -> None:
        """`caller` is the listener that a document was posted to; None for one that was not posted. `on_changed` is told whose
        setting was changed, and of which listener.
        """
        self._on_changed = on_changed
        self._keys = keys
        self._listeners = listeners
        self._services = services
        self._caller = caller

    # ------------------------------------------------------------ the present state
    def present(self) -> Document:
        """The present state as a document, which leaves out what is not configured."""
        document = Document(process=_present_values(self._keys.process, self._services.__getitem__))
        first = self._listeners.first
        for port, listener in self._listeners.by_port.items():
            settings = _present_values(self._keys.listener, _owner_in(listener))
            if listener is first:
                document.first = settings
            else:
                document.listeners[Port(port)] = ListenerPart(
                    protocol=listener.protocol,
                    tls=listener.tls,
                    open=listener.open,
                    admin=listener.managed,
                    settings=settings,
                )
        return document

    # ------------------------------------------------------------ checking
    def check(self, document: Document, scratch: Callable[[], Listener]) -> None:
        """Try a document on scratch listeners, which serve nothing. Its `remarks` are set. Raises `ConfigError` with everything
        that they refuse.
        """
        problems: list[Problem] = []
        remarks: list[Problem] = []
        for port, path, part, settings in _listener_parts(document):
            if part is not None:
                try:
                    self._listeners.secured(part.protocol, part.tls)
                except ApiError as error:
                    problems.append(part.at.problem(path, error.message))
            listener = scratch()
            owner = _owner_in(listener)
            there = owner if (real := self._listener_of(port)) is None else _owner_in(real)
            for name, given in settings.items():
                key = self._keys.listener[name]
                try:
                    if self._caller is not None:
                        # a call may say again what is there already, which a scratch listener does not know
                        key.setting.check_sent(there(key.owner), given.value)
                    key.setting.apply(owner(key.owner), given.value)
                except Exception as error:
                    reason = error.message if isinstance(error, ApiError) else _message(error)
                    problems.append(given.at.problem(f"{path}.{name}" if path else name, reason))
            for name, text in _remarks(listener):
                if name in settings:
                    remarks.append(settings[name].at.problem(f"{path}.{name}" if path else name, text))
        if problems:
            raise ConfigError(problems)
        document.remarks = remarks

    def remarks(self) -> list[str]:
        """What of the present state may be meant otherwise."""
        return [text for listener in self._listeners.by_port.values() for _, text in _remarks(listener)]

    def _listener_of(self, port: Port | None) -> Listener | None:
        """The listener that a part of a document is about, the first one without a port, if it is there."""
        return self._listeners.first if port is None else self._listeners.by_port.get(port)

    # ------------------------------------------------------------ applying
    async def apply(self, old: Document, new: Document) -> list[str]:
        """Apply the difference. Returns what was changed. On an error everything is undone, and the error is raised.

        What can be refused comes first, and what cannot be undone comes last. Call `settle` once all listeners serve.
        """
        self.check_ports(old, new)
        undo: list[Undo] = []
        done: list[str] = []
        try:
            for port, part in new.listeners.items():
                done += await self._listener(port, old.listeners.get(port), part, undo)
            if (first := self._listeners.first) is not None:
                done += await self._settings(first, _owner_in(first), self._keys.listener, old.first, new.first, undo)
            done += await self._settings(None, self._services.__getitem__, self._keys.process, old.process, new.process, undo)
        except BaseException:
            await _roll_back(undo)
            raise
        for port in [port for port in old.listeners if port not in new.listeners]:
            if port in self._listeners.by_port:
                await self._listeners.remove(port)
                done.append(f"listener {port} removed")
        for port, part in new.listeners.items():
            there = self._listeners.by_port.get(port)
            if there is not None and there.open and _turns(old.listeners.get(port), part, opened=False):
                await self._listeners.close(port)
                done.append(f"listener {port} closed")
        return done

    async def reset(self, listeners: Sequence[Listener], document: Document, process: Sequence[str] = ()) -> None:
        """Bring about, exactly, what a document says of some listeners, and of the process by some of its keys; then have the
        listeners forget what they counted. On any error all settings are as they were, and the error is raised.
        """
        undo: list[Undo] = []
        try:
            for listener in listeners:
                owner = _owner_in(listener)
                wanted = self._said_of(listener, document)
                present = _present_values(self._keys.listener, owner)
                await self._settings(listener, owner, self._keys.listener, present, wanted, undo)
            keys = {path: self._keys.process[path] for path in process}
            service = self._services.__getitem__
            await self._settings(None, service, keys, _present_values(keys, service), document.process, undo)
        except BaseException:
            await _roll_back(undo)
            raise
        for listener in listeners:
            for feature in listener.features:
                await _finished(feature.forget())
                self._on_changed(listener, type(feature))

    def _said_of(self, listener: Listener, document: Document) -> ConfiguredValues:
        """What a document says of a listener. The label that it was added with stays, where that says nothing of it."""
        if listener is self._listeners.first:
            said = document.first
        else:
            part = document.listeners.get(Port(listener.port))
            said = part.settings if part is not None else {}
        return {"label": ConfiguredValue(listener.added_label), **said} if listener.added_label else said

    def settle(self) -> None:
        """Tell the features that the whole document is in force."""
        for listener in self._listeners.by_port.values():
            for feature in listener.features:
                feature.settled()

    def check_ports(self, old: Document, new: Document) -> None:
        """Raises `Conflict` where no listener would be left open, or where settings have no listener to apply to."""
        first, by_port = self._listeners.first, self._listeners.by_port
        if first is not None and first.port in new.listeners:
            raise Conflict(f"listeners: {first.port} is the first listener: write its settings at the top")
        if first is None and list(changed(old.first, new.first)):
            raise Conflict("the first listener was removed, and the settings at the top are for it: write them below listeners")
        stay = {port for port, listener in by_port.items() if listener.open} - (set(old.listeners) - set(new.listeners))
        shut = {port for port, part in new.listeners.items() if _turns(old.listeners.get(port), part, opened=False)}
        opened = {port for port, part in new.listeners.items() if _turns(old.listeners.get(port), part, opened=True)}
        after = stay - shut | opened
        if not after and any(listener.open for listener in by_port.values()):
            raise Conflict("listeners: no listener would be left open: leave one open")

    async def _listener(self, port: Port, old: ListenerPart | None, new: ListenerPart, undo: list[Undo]) -> list[str]:
        """Add a listener, or change one. Returns what was done. Closing comes later."""
        listeners = self._listeners
        done: list[str] = []
        added = port not in listeners.by_port
        if added:
            if old is not None and not _differ(old, new):
                return []  # it was removed by API, and the document says nothing new about it
            old = None
            listeners.add(ListenerSpec(port, new.protocol, admin=new.admin, tls=new.tls), self._caller)
            undo.append(lambda: listeners.remove(port))
            done.append(f"listener {port} added")
        listener = listeners.by_port[port]
        if listener.protocol != new.protocol:
            raise Conflict(f"listeners: {port} speaks {listener.protocol}: remove it before you add it with {new.protocol}")
        if listener.managed != new.admin:
            raise Conflict(f"listeners: {port} was added with admin {str(listener.managed).lower()}: remove it to change that")
        if listener.tls != new.tls:
            raise Conflict(f"listeners: {port} has another certificate: remove it before you add it with this one")
        before = old.settings if old is not None else {}
        changes = await self._settings(listener, _owner_in(listener), self._keys.listener, before, new.settings, undo)
        done += [f"{change} of listener {port}" for change in changes]
        if _turns(old, new, opened=True) and not listener.open:
            await listeners.open(port)
            undo.append(lambda: listeners.close(port))
            done.append(f"listener {port} opened")
        return done

    async def _settings(
        self,
        listener: Listener | None,
        owner: Callable[[type], object],
        keys: Mapping[str, Key],
        old: ConfiguredValues,
        new: ConfiguredValues,
        undo: list[Undo],
    ) -> list[str]:
        """Change settings of a listener, or of the process, in the order in which they are declared. Returns the paths of those
        that changed.
        """
        done = []
        differing = set(changed(old, new))
        for path, key in keys.items():
            if path not in differing:
                continue
            whose, setting = owner(key.owner), key.setting
            present = setting.read(whose)
            before, after = (given.value if (given := side.get(path)) else setting.empty for side in (old, new))
            value = carried_over(before, after, setting.empty if present is None else present)
            if value == present:
                continue
            if setting.start:
                raise Conflict(f"{path}: read at the start only: restart goto to change it")
            undo.append(partial(setting.apply, whose, present))
            await _finished(setting.apply(whose, value))
            self._on_changed(listener, key.owner)
            done.append(path)
        return done


def _present_values(keys: Mapping[str, Key], owner: Callable[[type], object]) -> ConfiguredValues:
    """The present values of those settings that are configured and can be changed while goto runs."""
    settings = {}
    for path, key in keys.items():
        value = None if key.setting.start else key.setting.read(owner(key.owner))
        if value is not None and value != key.setting.empty:
            settings[path] = ConfiguredValue(value)
    return settings


def _owner_in(listener: Listener) -> Callable[[type], object]:
    """Finds the owner of a listener's setting: the listener itself, or one of its features."""
    return lambda kind: listener if kind is Listener else listener.feature(kind)


def _remarks(listener: Listener) -> Iterator[tuple[str, str]]:
    for feature in listener.features:
        yield from feature.remarks()


def _turns(old: ListenerPart | None, new: ListenerPart, *, opened: bool) -> bool:
    """Whether the new document opens or closes a listener where the old one did not."""
    return new.open is opened and (old is None or old.open is not opened)


def _differ(old: ListenerPart, new: ListenerPart) -> bool:
    heads = [(part.protocol, part.tls, part.open, part.admin) for part in (old, new)]
    return heads[0] != heads[1] or any(changed(old.settings, new.settings))


def _listener_parts(document: Document) -> Iterator[tuple[Port | None, str, ListenerPart | None, ConfiguredValues]]:
    yield None, "", None, document.first
    for port, part in document.listeners.items():
        yield port, part.path, part, part.settings


def _message(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) and str(error) else f"{type(error).__name__}: {error}"


async def _finished(result: Any) -> None:
    if isinstance(result, Awaitable):
        await result


async def _roll_back(undo: list[Undo]) -> None:
    for step in reversed(undo):
        try:
            await _finished(step())
        except Exception:
            log.exception("a step of a configuration that failed could not be undone")
