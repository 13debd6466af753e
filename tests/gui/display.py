"""Programs with a window: which toolkits are here, a display that nobody sees, and a process of their own.

A toolkit gets a process, because two of them in one, or one that aborts, would take the tests down.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OF_THE_DISTRIBUTION = Path("/usr/lib/python3/dist-packages")
"""Where Debian puts what has no wheel; built for Debian's own Python, so of use only where ours is the same version."""
PACKAGES = {"pyside6": "PySide6", "pyqt6": "PyQt6", "tk": "_tkinter", "glib": "gi", "wx": "wx"}
"""What each toolkit is imported as."""
ON_A_DISPLAY = {"tk", "wx"}
"""The toolkits that cannot do without one."""


@cache
def missing(toolkit: str) -> str:
    """Say why a toolkit cannot run here, or nothing."""
    package = PACKAGES[toolkit]
    if importlib.util.find_spec(package) is None and not _built_for_us(OF_THE_DISTRIBUTION / package):
        return f"{package} is not installed for this Python"
    if toolkit in ON_A_DISPLAY and sys.platform == "linux" and shutil.which("Xvfb") is None:
        return "there is no Xvfb to show a window on"
    return ""


def _built_for_us(package: Path) -> bool:
    return any(package.glob(f"*.cpython-{sys.version_info.major}{sys.version_info.minor}-*.so"))


@contextmanager
def display() -> Iterator[dict[str, str]]:
    """Show windows where nobody sees them; gives the environment that says where."""
    unseen = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "NO_AT_BRIDGE": "1"}
    if sys.platform != "linux" or shutil.which("Xvfb") is None:
        yield unseen
        return
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            yield {**unseen, "DISPLAY": f":{server.stdout.readline().strip()}"}
        finally:
            server.terminate()


def run(arguments: Sequence[str], environment: dict[str, str], cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run Python to its end, with every warning an error."""
    command = [sys.executable, "-X", "dev", "-W", "error", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=50, check=False)
