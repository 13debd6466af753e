"""Runs programs with a window: `python -m tests.gui TOOLKIT MODULE.FUNCTION,... [ARGUMENT ...]`."""

import importlib
import json
import sys
import traceback
from typing import Any

from tests.gui.toolkits import a_toolkit


def main(toolkit: str, programs: str, *arguments: str) -> None:
    """Run them in one GUI, and print what each gave as JSON; what one raised is told in its place."""
    gui = a_toolkit(toolkit)
    gave: dict[str, Any] = {}
    for name in programs.split(","):
        module, function = name.split(".")
        try:
            gave[name] = getattr(importlib.import_module(f"tests.gui.{module}"), function)(gui, *arguments)
        except Exception:  # noqa: BLE001 - told to the test, which fails with it
            gave[name] = traceback.format_exc()
    json.dump(gave, sys.stdout)


main(*sys.argv[1:])
