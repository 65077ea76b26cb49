"""Compiles the modules that every exchange goes through, with mypyc, when a wheel is built. They stay as they are: without a
compiler they run uncompiled, a quarter to a third slower (docs/performance.md).

The variable GOTO_COMPILE says `auto` (the default: where it can be done), `yes` (or fail) or `no`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileHook(BuildHookInterface[Any]):
    """`modules` in its configuration are the files to compile."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the compiled modules to a wheel. Not to an editable one: changes would have no effect."""
        wanted = os.environ.get("GOTO_COMPILE", "auto")
        if wanted not in ("auto", "yes", "no"):
            raise ValueError(f"GOTO_COMPILE: {wanted!r} is none of auto, yes, no")
        if version == "editable" or wanted == "no":
            return
        self._folder = tempfile.TemporaryDirectory(prefix="goto-build-")
        try:
            built = _compiled(self.config["modules"], Path(self._folder.name))
        except (Exception, SystemExit) as error:
            if wanted == "yes":
                raise
            self.app.display_warning(f"goto is not compiled: {error}")
            return
        build_data["force_include"].update(built)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """The files are in the wheel."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def _compiled(modules: list[str], folder: Path) -> dict[str, str]:
    """Compile modules into a folder: each file built, and where it goes in the wheel."""
    # here, since nothing else than compiling needs them
    from mypyc.build import mypycify
    from setuptools import Distribution

    extensions = mypycify(
        # types of what is imported help where they are there; whether they are right is tested elsewhere
        ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent", *modules],
        opt_level="2",
        debug_level="0",
        multi_file=True,
        target_dir=str(folder / "c"),
        group_name="goto",
    )
    distribution = Distribution({"name": "goto", "ext_modules": extensions})
    command = distribution.get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(folder / "lib"), str(folder / "temp")
    command.parallel = os.cpu_count()
    distribution.run_command("build_ext")
    return {str(file): str(file.relative_to(folder / "lib")) for file in (folder / "lib").rglob("*") if file.is_file()}
