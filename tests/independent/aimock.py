"""A server that others wrote and that speaks all four protocols, started for as long as the tests need it.

Rule 1: which version it is stands in `.node/package.json`, and `tests.integrations.node` brings it.
Rule 2: it keeps a book of requests for each `X-Test-Id`, and counts from 0 for each which answer's turn it is.
"""

import json
import re
import subprocess
import threading
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integrations import node

PROGRAM = node.FOLDER / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"

_LISTENING = re.compile(r"listening on (http://\S+)")

PATHS = {"anthropic": "", "gemini": "", "openai": "/v1", "openai-chat": "/v1"}
"""What follows its address in the `base_url` of each protocol."""


@contextmanager
def serving(answers: list[dict[str, Any]], folder: Path) -> Generator[str]:
    """Give the address of the server, which answers with the first of its answers that fits.

    Raises:
        AssertionError: it does not start; the message says what was tried and what came of it.
    """
    node.install()
    file = folder / "answers.json"
    file.write_text(json.dumps({"fixtures": answers}), "utf-8")
    command = [str(PROGRAM), "--port", "0", "--fixtures", str(file), "--chunk-size", "7", "--strict"]
    with subprocess.Popen([node.NODE, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8") as process:
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


def requests_of(address: str, test: str) -> int:
    """Give how many requests the server at an address saw of one test."""
    with urllib.request.urlopen(f"{address}/__aimock/journal?testId={test}") as answer:
        return len(json.load(answer))
