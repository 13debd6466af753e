"""Programs of others that run in node: pinned in `.node/`, and installed there when first needed."""

import asyncio
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


@cache
def missing() -> str:
    """Say why node's programs cannot run here, or nothing."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are not installed"
    done = subprocess.run([ROOT / ".node" / "install"], capture_output=True, text=True, timeout=50, check=False)
    return "" if done.returncode == 0 else f"the packages of .node cannot be installed: {done.stderr}"


async def printed(program: Path, *arguments: str) -> Any:
    """Run a program to its end, and give the JSON it printed."""
    process = await asyncio.create_subprocess_exec("node", program, *arguments, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(output)
