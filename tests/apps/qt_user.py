"""What a user does to a window of Qt; imported only in the process that shows it."""

import os
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.apps.scenes import IMAGES, SHOTS

PATIENCE = 30.0
"""Seconds."""


def until(happened: Callable[[], object]) -> None:
    """Let the windows live until something happened."""
    end = time.monotonic() + PATIENCE
    while not happened():
        QApplication.processEvents()
        assert time.monotonic() < end, "it did not happen"


def click(button: Any) -> None:
    """Click a button."""
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def press(widget: Any, key: Qt.Key) -> None:
    """Press a key."""
    QTest.keyClick(widget, key)


def type_in(widget: Any, text: str) -> None:
    """Type a text."""
    QTest.keyClicks(widget, text)


def prefer(scheme: str) -> None:
    """Have the system ask for `light` or `dark`."""
    QGuiApplication.styleHints().colorSchemeChanged.emit(getattr(Qt.ColorScheme, scheme.capitalize()))


def picture(window: Any, name: str) -> str:
    """Take a picture of a window, keep it where pictures are wanted, and give the colour of its ground."""
    for _ in range(3):  # the last change asks for another layout, which asks for another painting
        QApplication.processEvents()
    taken: QPixmap = window.grab()
    if SHOTS in os.environ:
        taken.save(str(IMAGES / f"{name}.png"))
    return taken.toImage().pixelColor(3, 3).name()
