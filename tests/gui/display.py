"""Programs with a window: which toolkits are here, a display that nobody sees, and a process of their own.

A toolkit gets a process, because two of them in one, or one that aborts, would take the tests down.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DISTRIBUTION = Path("/usr/lib/python3/dist-packages")
"""Where Debian puts what has no wheel; built for Debian's own Python, so of use only where ours is the same version."""
PACKAGES = {"pyside6": "PySide6", "pyqt6": "PyQt6", "tk": "_tkinter", "glib": "gi", "wx": "wx"}
"""What each toolkit is imported as."""
TOOLKITS = tuple(PACKAGES)
NEED_A_DISPLAY = {"tk", "wx"}


@cache
def missing(toolkit: str) -> str:
    """Say why a toolkit cannot run here, or nothing."""
    package = PACKAGES[toolkit]
    if importlib.util.find_spec(package) is None and not _built_for_us(DISTRIBUTION / package):
        return f"{package} is not installed for this Python"
    if toolkit in NEED_A_DISPLAY and sys.platform == "linux" and shutil.which("Xvfb") is None:
        return "there is no Xvfb to show a window on"
    return ""


def _built_for_us(package: Path) -> bool:
    return any(package.glob(f"*.cpython-{sys.version_info.major}{sys.version_info.minor}-*.so"))


@contextmanager
def display(size: str = "640x480") -> Generator[dict[str, str]]:
    """Show windows where nobody sees them; gives the environment that says where."""
    unseen = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "NO_AT_BRIDGE": "1"}
    if sys.platform != "linux" or shutil.which("Xvfb") is None:
        yield unseen
        return
    # Without `-noreset` a server begins anew when its last window closes, and refuses whoever comes in that moment.
    command = ["Xvfb", "-displayfd", "1", "-noreset", "-nolisten", "tcp", "-screen", "0", f"{size}x24", "-dpi", "96"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            yield {**unseen, "DISPLAY": f":{server.stdout.readline().strip()}"}
        finally:
            server.terminate()


def shown(toolkit: str, arguments: Sequence[str], cwd: Path = ROOT, size: str = "640x480", **environment: str) -> str:
    """Run a Python program with a window to its end, every warning an error, and give what it printed.

    It has to end well, and without a word on stderr.
    """
    if reason := missing(toolkit):
        pytest.skip(reason)
    command = [sys.executable, "-X", "faulthandler", "-W", "error", *arguments]
    with display(size) as unseen:
        where = {**unseen, **environment, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=cwd, env=where, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def outcome(toolkit: str, program: str, *arguments: str) -> Any:
    """Run one program of `tests.gui`, named as `module.function`, and give what it gave."""
    return outcomes(toolkit, (program,), *arguments)[program]


@cache
def outcomes(toolkit: str, programs: tuple[str, ...], *arguments: str) -> Mapping[str, Any]:
    """Run programs of `tests.gui` one after another in one process, and give what each gave."""
    return json.loads(shown(toolkit, ["-m", "tests.gui", toolkit, ",".join(programs), *arguments]))
