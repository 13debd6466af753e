"""The command as a process of its own, as a shell would run it."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import IO

from allm_rx.testing.provider_server import ProviderServer

MODEL = ("-m", "openai-chat:small")


def environment(server: ProviderServer | None = None) -> dict[str, str]:
    """Give the variables of a machine without keys and proxies; with a server, those that lead to it."""
    leave = ("_API_KEY", "_TOKEN", "_PROXY", "_BASE_URL", "ALLM_RX_MODEL", "NO_COLOR")
    variables = {name: value for name, value in os.environ.items() if not name.upper().endswith(leave)}
    variables |= {"PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "", "TERM": "xterm", "COLUMNS": "80"}
    if server is not None:
        variables |= {"OPENAI_BASE_URL": server.base_url("openai-chat"), "OPENAI_API_KEY": "sk-of-the-test"}
    return variables


def start(
    *arguments: str, env: dict[str, str], stdout: int | IO[bytes] = subprocess.PIPE, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start the command; the caller waits for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "allm_rx.cli", *arguments],
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        preexec_fn=None if sys.platform == "win32" else _heed_interrupts,
    )


def run(
    *arguments: str, env: dict[str, str], piped: bytes | None = None, model: Sequence[str] = MODEL
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, with what is piped in."""
    done = subprocess.run(
        [sys.executable, "-m", "allm_rx.cli", *arguments, *model],
        env=env,
        input=b"" if piped is None else piped,
        capture_output=True,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def read_until(out: IO[bytes], text: bytes) -> bytes:
    """Read until a text has come, or everything has."""
    seen = b""
    while text not in seen and (byte := out.read(1)):
        seen += byte
    return seen


def _heed_interrupts() -> None:
    # A background job of a shell inherits SIGINT as ignored, and Python leaves it at that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
