"""Programs that make clients of the OpenAPI document take it, and what they make works.

They are of the extra `dev` and of npm. Where one cannot be had its test is skipped, which says why.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.goto_process import Goto

from goto.api.openapi import document
from goto.instance.wiring import route_table

STEP_SECONDS = 300
"""For one program."""

NODE_PACKAGES = ("openapi-typescript@7", "typescript@5")

CALLS = """
import sys
from goto_client import Client
from goto_client.api.listener import get_label
from goto_client.api.delay import put_response_delay_set_delay
from goto_client.api.listeners import get_listeners
from goto_client.api.proxy import get_request_proxy_targets, post_request_proxy_targets_add
from goto_client.models import Criteria, ProxyTarget

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
assert get_label.sync(client=client) == "Label: goto\\n"
assert put_response_delay_set_delay.sync(delay="1ms", client=client) == "Response delay: 1ms\\n"
(listener,) = get_listeners.sync(client=client).additional_properties.values()
assert (listener.label, listener.open_) == ("goto", True)
target = ProxyTarget(name="t", url="http://127.0.0.1:1", match=Criteria(uris=["/a"]))
assert post_request_proxy_targets_add.sync(body=target, client=client).startswith("Added proxy target t")
assert get_request_proxy_targets.sync(client=client)["t"].match.uris == ["/a"]
"""


def run(*words: str | Path, cwd: Path, env: dict[str, str] | None = None) -> None:
    """Run a program, which must succeed."""
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=STEP_SECONDS, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, words))}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def program(name: str) -> str:
    """The path of a program; the test is skipped where there is none."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} here")
    return found


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document in a file."""
    file: Path = tmp_path_factory.mktemp("document") / "openapi.json"
    file.write_text(json.dumps(document(route_table())))
    return file


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what npm has installed."""
    npm = program("npm")
    folder: Path = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text("{}")
    command = [npm, "install", "--no-fund", "--no-audit", *NODE_PACKAGES]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=STEP_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm does not get anywhere here")
    if done.returncode:
        pytest.skip(f"npm cannot install {', '.join(NODE_PACKAGES)} here: {done.stderr.strip().splitlines()[:1]}")
    return folder / "node_modules" / ".bin"


def test_openapi_python_client(described: Path, tmp_path: Path, goto: Callable[..., Goto]) -> None:
    generator = program("openapi-python-client")
    run(generator, "generate", "--path", described, "--meta", "none", "--output-path", tmp_path / "goto_client", cwd=tmp_path)
    run(sys.executable, "-m", "compileall", "-q", "goto_client", cwd=tmp_path)
    # what the client needs is there where its maker is
    python = Path(generator).with_name("python") if Path(generator).with_name("python").exists() else Path(sys.executable)
    (tmp_path / "calls.py").write_text(CALLS)
    run(python, "calls.py", goto("goto").base, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})


def test_openapi_typescript(described: Path, tmp_path: Path, node: Path) -> None:
    run(node / "openapi-typescript", described, "--output", tmp_path / "api.d.ts", cwd=tmp_path)
    (tmp_path / "use.ts").write_text(
        'import type { paths } from "./api";\n'
        'export type Listeners = paths["/listeners"]["get"]["responses"]["200"]["content"]["application/json"];\n'
        'export const open = (listeners: Listeners): boolean => listeners["8080"].open;\n'
    )
    run(node / "tsc", "--noEmit", "--strict", "use.ts", "api.d.ts", cwd=tmp_path)


@pytest.mark.parametrize("language", ["python", "go", "typescript-fetch"])
def test_openapi_generator(described: Path, tmp_path: Path, language: str, request: pytest.FixtureRequest) -> None:
    program("java")
    run(program("openapi-generator-cli"), "generate", "-i", described, "-g", language, "-o", tmp_path / "made", cwd=tmp_path)
    made = tmp_path / "made"
    match language:
        case "python":
            run(sys.executable, "-m", "compileall", "-q", ".", cwd=made)
        case "go":
            run(program("go"), "build", ".", cwd=made, env={"GOFLAGS": "-mod=mod", "GOCACHE": str(tmp_path / "cache")})
        case _:
            options = ("--strict", "--target", "es2020", "--lib", "es2020,dom", "--moduleResolution", "node")
            run(request.getfixturevalue("node") / "tsc", "--noEmit", *options, "index.ts", cwd=made)
