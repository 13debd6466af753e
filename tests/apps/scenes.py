"""Runs one scene of a program with a window: `python -m tests.apps.scenes MODULE.FUNCTION [ARGUMENT ...]`.

A scene is a function in a module of this folder; it uses a program as a user does, and what it gives is printed as JSON.
"""

import importlib
import json
import sys
from typing import Any

from tests.gui.display import ROOT, shown

APPS = ROOT / "docs" / "examples" / "apps"
IMAGES = ROOT / "docs" / "images"
SHOTS = "ALLM_RX_SCREENSHOTS"
"""Set it to write the pictures of the documentation again."""


def scene(toolkit: str, name: str, *arguments: str) -> Any:
    """Play a scene in a process of its own, which has to end well and without a word, and give what it gave."""
    # The display that Qt draws nowhere says of itself what it cannot do.
    return json.loads(shown(toolkit, ["-m", "tests.apps.scenes", name, *arguments], QT_LOGGING_RULES="default.warning=false"))


def main(name: str, *arguments: str) -> None:
    """Play it."""
    sys.path.insert(0, str(APPS))
    module, function = name.split(".")
    json.dump(getattr(importlib.import_module(f"tests.apps.{module}"), function)(*arguments), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
