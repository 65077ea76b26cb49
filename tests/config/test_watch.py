"""Files that change: written in place, replaced by a rename, or behind links that are swapped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.waiting import until

from goto.config import watch as watching
from goto.config.errors import ConfigError, Problem
from goto.config.node import Node, Scalar
from goto.config.watch import Watch, contents
from goto.errors import Conflict


class Reloads:
    """Writes down each document that is applied, which is the texts of the files; raises what it is told to."""

    def __init__(self) -> None:
        self.applied: asyncio.Queue[str] = asyncio.Queue()
        self.read_error: ConfigError | None = None
        self.error: Exception | None = None
        self.last = ""

    def read(self, files: Sequence[str], load: Callable[[str], Node]) -> Any:
        if self.read_error:
            raise self.read_error
        return "+".join(_text(load(file)) for file in files)

    def takes_away(self, document: Any) -> bool:
        """Whether it is shorter: the texts are as long as they say much."""
        return len(document) < len(self.last)

    async def reload(self, document: Any) -> list[str]:
        if self.error:
            self.applied.put_nowait(f"refused {document}")
            raise self.error
        self.last = document
        self.applied.put_nowait(document)
        return ["response.delay"]

    async def next(self) -> str:
        return await asyncio.wait_for(self.applied.get(), 20)


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""


def watched(files: Sequence[Path], test: Callable[[Reloads], object], seen: watching.Content | None = None) -> Reloads:
    """Run a test while files are watched."""
    reloads = Reloads()
    names = [str(file) for file in files]

    async def run() -> None:
        content = contents(names) if seen is None else seen
        reloads.last = "+".join(text.decode() for text in content if text)
        task = asyncio.create_task(Watch(names, reloads, content).run())
        try:
            await test(reloads)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    return reloads


async def watches() -> None:
    """Wait until the system was asked to tell of changes."""
    await until(lambda: any("inotify wd" in text for text in texts("/proc/self/fdinfo")))


def texts(folder: str) -> Iterator[str]:
    for file in Path(folder).iterdir():
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            yield file.read_text()


def swap(folder: Path, version: str, text: str) -> None:
    """As a kubelet replaces what a ConfigMap holds."""
    (folder / version).mkdir()
    (folder / version / "goto.yaml").write_text(text)
    (folder / "..data_tmp").symlink_to(version)
    (folder / "..data_tmp").rename(folder / "..data")


def test_written_in_place_and_renamed_over(tmp_path: Path):
    file = tmp_path / "goto.yaml"
    file.write_text("1")

    async def test(reloads: Reloads) -> None:
        await watches()
        for text in ("2", "3"):
            file.write_text(text)
            assert await reloads.next() == text
        for text in ("4", "5"):
            (tmp_path / "new").write_text(text)
            (tmp_path / "new").rename(file)
            assert await reloads.next() == text
        (tmp_path / "other").write_text("x")
        file.write_text("6")
        assert await reloads.next() == "6"

    watched([file], test)


def test_a_configmap_that_is_swapped(tmp_path: Path):
    swap(tmp_path, "..1", "1")
    file = tmp_path / "goto.yaml"
    file.symlink_to("..data/goto.yaml")

    async def test(reloads: Reloads) -> None:
        await watches()
        for number in ("2", "3", "4"):
            swap(tmp_path, f"..{number}", number)
            assert await reloads.next() == number

    watched([file], test)


def test_the_file_behind_a_link(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "goto.yaml").write_text("1")
    (tmp_path / "named").mkdir()
    file = tmp_path / "named" / "goto.yaml"
    file.symlink_to("../real/goto.yaml")

    async def test(reloads: Reloads) -> None:
        await watches()
        (tmp_path / "real" / "goto.yaml").write_text("2")
        assert await reloads.next() == "2"

    watched([file], test)


def test_what_changed_before_the_watching_began(tmp_path: Path):
    file = tmp_path / "goto.yaml"
    file.write_text("2")

    async def test(reloads: Reloads) -> None:
        assert await reloads.next() == "2"

    watched([file], test, (b"1",))


def test_nothing_was_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As on a network file system: the content is looked at now and then."""
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.1)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(watching, "_folders", lambda files: [tmp_path / "elsewhere"])
    file = tmp_path / "goto.yaml"
    file.write_text("1")

    async def test(reloads: Reloads) -> None:
        await watches()
        file.write_text("2")
        assert await reloads.next() == "2"

    watched([file], test)


def test_a_folder_that_is_gone_for_a_while(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    folder = tmp_path / "conf"
    folder.mkdir()
    file = folder / "goto.yaml"
    file.write_text("1")

    async def test(reloads: Reloads) -> None:
        await watches()
        file.unlink()
        folder.rmdir()
        await until(lambda: caplog.messages)
        folder.mkdir()
        file.write_text("2")
        assert await reloads.next() == "2"

    with caplog.at_level(logging.WARNING, "goto"):
        watched([file], test)
    assert caplog.messages == [
        f"{file}: No such file or directory: not applied, the configuration stays as it is",
        f"{file}: applied: response.delay",
    ]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, "{file}: applied: response.delay"),
        (Conflict("no port"), "{file}: no port: not applied, the configuration stays as it is"),
        (ZeroDivisionError(), "{file}: not applied, the configuration stays as it is"),
    ],
)
def test_one_line_is_logged_and_the_watching_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception | None, line: str
):
    file = tmp_path / "goto.yaml"
    file.write_text("1")

    async def test(reloads: Reloads) -> None:
        await watches()
        reloads.error = error
        file.write_text("2")
        await reloads.next()
        reloads.error = None
        file.write_text("3")
        assert await reloads.next() == "3"

    with caplog.at_level(logging.WARNING, "goto"):
        watched([file], test)
    assert caplog.messages[0] == line.replace("{file}", str(file))


def test_what_cannot_be_read_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    file = tmp_path / "goto.yaml"
    file.write_text("1")

    async def test(reloads: Reloads) -> None:
        await watches()
        reloads.read_error = ConfigError([Problem("f", 1, 2, "x", "bad"), Problem("f", 2, 2, "y", "bad")])
        file.write_text("2")
        await until(lambda: caplog.messages)
        file.write_text("2")
        file.write_text("2")
        reloads.read_error = None
        file.write_text("3")
        assert await reloads.next() == "3"

    with caplog.at_level(logging.WARNING, "goto"):
        watched([file], test)
    assert caplog.messages == [
        "f:1:2: x: bad (and 1 more): not applied, the configuration stays as it is",
        f"{file}: applied: response.delay",
    ]


# ---------------------------------------------------------------- files that are being written
class Clock:
    """A loop's time that a test moves; the watch is looked at directly."""

    def __init__(self, file: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file, self.reloads, self.now, self.writes = file, Reloads(), 0.0, 0
        self.write(text)
        self.reloads.last = text
        self.watch = Watch([str(file)], self.reloads, contents([str(file)]))
        monkeypatch.setattr(watching, "_written", lambda files: (self.writes,))

    def write(self, text: str) -> None:
        self.file.write_text(text)
        self.writes += 1

    async def at(self, seconds: float) -> tuple[list[str], float | None]:
        """What was applied by then, and when something is due without another change."""
        loop = asyncio.get_running_loop()
        self.now = seconds
        loop.time = lambda: self.now  # type: ignore[method-assign]  # the clock of the test
        left = await self.watch._look()
        applied = []
        while not self.reloads.applied.empty():
            applied.append(self.reloads.applied.get_nowait())
        return applied, None if left is None else round(left, 3)


def clocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, test: Callable[[Clock], Any]) -> None:
    clock = Clock(tmp_path / "f.yaml", text, monkeypatch)
    asyncio.run(test(clock))


def test_what_takes_nothing_away_is_applied_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def test(clock: Clock) -> None:
        clock.write("long")
        assert await clock.at(0) == (["long"], None)
        clock.write("song")
        assert await clock.at(0.1) == (["song"], None)

    clocked(tmp_path, monkeypatch, "1", test)


def test_what_takes_something_away_has_to_stand_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def test(clock: Clock) -> None:
        clock.write("lo")
        assert await clock.at(0) == ([], 1.5)
        assert await clock.at(1.4) == ([], 0.1)
        clock.write("l")
        assert await clock.at(1.45) == ([], 1.5)
        clock.write("l")  # the same text, written anew
        assert await clock.at(2) == ([], 1.5)
        assert await clock.at(3.4) == ([], 0.1)
        assert await clock.at(3.5) == (["l"], None)

    clocked(tmp_path, monkeypatch, "long", test)


@pytest.mark.parametrize("empty", ["", " \n\t\n", "# being written\n", "\ufeff"])
def test_what_is_empty_is_warned_of_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, empty: str
):
    async def test(clock: Clock) -> None:
        clock.write(empty)
        assert await clock.at(0) == ([], 1)
        assert await clock.at(0.9) == ([], 0.1)
        assert await clock.at(1) == ([], 9)
        assert caplog.messages == [f"{clock.file}: empty: applied in 9s if it stays so"]
        assert await clock.at(9.9) == ([], 0.1)
        assert await clock.at(10) == ([""], None)
        assert len(caplog.messages) == 2

    with caplog.at_level(logging.WARNING, "goto"):
        clocked(tmp_path, monkeypatch, "1", test)


@pytest.mark.parametrize("meanwhile", ["", "# x", "lo", None])
def test_what_is_back_in_time_has_changed_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, meanwhile: str | None
):
    async def test(clock: Clock) -> None:
        if meanwhile is None:
            clock.file.unlink()
        else:
            clock.write(meanwhile)
        await clock.at(0)
        clock.write("long")
        assert await clock.at(1.4) == ([], None)
        assert await clock.at(100) == ([], None)

    with caplog.at_level(logging.WARNING, "goto"):
        clocked(tmp_path, monkeypatch, "long", test)
    assert not [message for message in caplog.messages if ": applied" in message]


def test_contents(tmp_path: Path):
    (tmp_path / "a").write_text("x")
    assert contents([str(tmp_path / "a"), str(tmp_path / "none")]) == (b"x", None)
