"""The Dockerfile as it is written: its stages with their instructions, and what .dockerignore lets into the build."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from support import ROOT

DOCKERFILE = ROOT / "Dockerfile"


@dataclass
class Instruction:
    word: str
    text: str

    @property
    def flags(self) -> dict[str, str]:
        given = self.text.removesuffix(self.rest)
        return dict(re.findall(r"--([a-z-]+)=(\S+)", given))

    @property
    def rest(self) -> str:
        """Without the flags."""
        return re.sub(r"^(--[a-z-]+=\S+\s+)*", "", self.text)

    @property
    def argv(self) -> list[str]:
        """The command, which must be in the exec form: a shell would not pass signals on."""
        value: list[str] = json.loads(self.rest.removeprefix("CMD "))
        return value


def parse(text: str) -> list[list[Instruction]]:
    """The stages of a Dockerfile; the first list holds what stands before the first of them."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    stages: list[list[Instruction]] = [[]]
    for line in re.sub(r"\\\n", "", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append(Instruction(word, rest.strip()))
    return stages


BEFORE, BUILD, FINAL = parse(DOCKERFILE.read_text())
"""There are two stages: this fails for any other number."""


def of(stage: list[Instruction], word: str) -> list[Instruction]:
    return [instruction for instruction in stage if instruction.word == word]


def only(stage: list[Instruction], word: str) -> Instruction:
    (found,) = of(stage, word)
    return found


class Context:
    """What an engine sends to the build: the checkout without what .dockerignore keeps out. It says `*` and then what stays."""

    lines = tuple(line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#"))
    allowed = frozenset(line[1:] for line in lines if line.startswith("!"))
    dropped = frozenset(line.removeprefix("**/") for line in lines if line.startswith("**/"))

    @classmethod
    def copy(cls, source: str, destination: Path) -> None:
        assert source in cls.allowed, f"{source} is copied, and .dockerignore keeps it out"
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, destination, ignore=shutil.ignore_patterns(*cls.dropped), dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, destination)
