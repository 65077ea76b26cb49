"""Files that change: written in place, replaced by a rename, or behind links that are swapped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from support.waiting import until

from goto.config import watch as watching
from goto.config.errors import ConfigError, Problem
from goto.config.watch import contents, watch
from goto.errors import Conflict


class Reloads:
    """Writes down what was in the files at each reload; raises what it is told to."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[str] = asyncio.Queue()
        self.error: Exception | None = None

    async def __call__(self, files: Sequence[str]) -> list[str]:
        self.seen.put_nowait(" ".join("-" if content is None else content.decode() for content in contents(files)))
        if self.error:
            raise self.error
        return ["response.delay"]

    async def next(self) -> str:
        return await asyncio.wait_for(self.seen.get(), 20)


def watched(files: Sequence[Path], test: Callable[[Reloads], object], seen: watching.Content | None = None) -> Reloads:
    """Run a test while files are watched."""
    reloads = Reloads()
    names = [str(file) for file in files]

    async def run() -> None:
        content = contents(names) if seen is None else seen
        task = asyncio.create_task(watch(names, reloads, content))
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


def test_a_folder_that_is_gone_for_a_while(tmp_path: Path):
    folder = tmp_path / "conf"
    folder.mkdir()
    file = folder / "goto.yaml"
    file.write_text("1")

    async def test(reloads: Reloads) -> None:
        await watches()
        file.unlink()
        folder.rmdir()
        assert await reloads.next() == "-"
        folder.mkdir()
        file.write_text("2")
        assert await reloads.next() == "2"

    watched([file], test)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, "{file}: applied: response.delay"),
        (
            ConfigError([Problem("f", 1, 2, "x", "bad"), Problem("f", 2, 2, "y", "bad")]),
            "f:1:2: x: bad (and 1 more): not applied, the configuration stays as it is",
        ),
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


def test_contents(tmp_path: Path):
    (tmp_path / "a").write_text("x")
    assert contents([str(tmp_path / "a"), str(tmp_path / "none")]) == (b"x", None)
