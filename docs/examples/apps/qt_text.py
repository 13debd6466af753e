"""Text in a window of Qt, as it is written.

Rule 1: what a model says is text: `**bold**` and `code` are all that is read in it, and no HTML is.
Rule 2: text is appended; written anew is only what may still become bold or code, from its sign on.
"""

from __future__ import annotations

import re
from math import ceil
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPainter, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextEdit

SPAN = re.compile(r"(`[^`\n]+`|\*\*[^*\n]+\*\*)")
SIGN = re.compile(r"[`*][^\n]*\Z")
LONGEST = 500
"""Characters after which a sign that was not closed is none."""
LEADING = 6
"""Pixels between two lines; Qt puts them below each."""


def mono() -> QFont:
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)


class Text(QTextEdit):
    """Text that can be selected, as high as it needs to be."""

    def __init__(self, text: str = "", name: str = "", margins: tuple[int, int] = (0, 0), *, snug: bool = False) -> None:
        super().__init__(objectName=name, readOnly=True, undoRedoEnabled=False, frameShape=QFrame.Shape.NoFrame)
        self.snug = snug
        """Whether it is no wider than its text."""
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum if snug else QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        frame = self.document().rootFrame().frameFormat()
        frame.setLeftMargin(margins[0])
        frame.setRightMargin(margins[0])
        frame.setTopMargin(margins[1] + LEADING // 2 if margins[1] else 0)
        frame.setBottomMargin(margins[1] - LEADING // 2 if margins[1] else 0)
        self.document().rootFrame().setFrameFormat(frame)
        cursor = self.textCursor()
        block = cursor.blockFormat()
        block.setLineHeight(0 if snug and not margins[1] else LEADING, QTextBlockFormat.LineHeightTypes.LineDistanceHeight.value)
        cursor.setBlockFormat(block)
        cursor.insertText(text)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(ceil(self.document().size().height()) + 2 * self.frameWidth())
        if self.snug:
            self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802 - the name that Qt calls
        lines = self.toPlainText().split("\n") if self.snug else [""]
        margin = int(self.document().rootFrame().frameFormat().leftMargin())
        widest = max(self.fontMetrics().horizontalAdvance(line) for line in lines)
        return QSize(widest + 2 * (margin + self.frameWidth()) + 4, self.height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - the name that Qt calls
        return QSize(20, self.height())

    def wheelEvent(self, event: Any) -> None:  # noqa: N802 - the name that Qt calls
        event.ignore()  # it is the conversation that scrolls


class Block(Text):
    """Text that is being written."""

    def __init__(self, name: str, margins: tuple[int, int] = (0, 0)) -> None:
        super().__init__(name=name, margins=margins)
        self._gap = ""
        """Line ends that wait for what follows them."""
        self.cursor_shown = False

    def write(self, text: str) -> None:
        """Append some text."""
        text = self._gap + text
        body = text.rstrip("\n")
        self._gap = text[len(body) :]
        if self.document().isEmpty():
            body = body.lstrip("\n")
        if body:
            self.append_text(body)

    def append_text(self, text: str) -> None:
        writing = QTextCursor(self.document())
        writing.movePosition(QTextCursor.MoveOperation.End)
        writing.insertText(text)

    def show_cursor(self, *, shown: bool) -> None:
        self.cursor_shown = shown
        self.viewport().update()

    def paintEvent(self, event: object) -> None:  # noqa: N802 - the name that Qt calls
        super().paintEvent(event)
        if self.cursor_shown:
            end = QTextCursor(self.document())
            end.movePosition(QTextCursor.MoveOperation.End)
            place = self.cursorRect(end)
            with QPainter(self.viewport()) as painter:
                painter.setBrush(self.palette().highlight())
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                high = self.fontMetrics().height()
                painter.drawRoundedRect(place.left() + 2, place.bottom() - high, 7, high, 2, 2)


class Prose(Block):
    """Text with **bold** words and `code` in it."""

    def __init__(self) -> None:
        super().__init__("prose")
        self.plain, self.bold, self.code = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        self.bold.setFontWeight(QFont.Weight.Bold)
        self.code.setFontFamilies(mono().families())
        self.code.setProperty(QTextCharFormat.Property.FontPixelSize, 13)
        self.code.setBackground(QColor(128, 128, 128, 32))  # on light and dark
        self._settled = 0
        """Where what is not final begins."""
        self._open = ""

    def append_text(self, text: str) -> None:
        text = self._open + text
        pieces = SPAN.split(text)
        sign = SIGN.search(pieces[-1])
        self._open = sign[0] if sign and len(sign[0]) < LONGEST else ""
        pieces[-1] = pieces[-1].removesuffix(self._open)
        writing = QTextCursor(self.document())
        writing.setPosition(self._settled)
        writing.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        writing.removeSelectedText()
        for index, piece in enumerate(pieces):
            if index % 2 == 0:
                writing.insertText(piece, self.plain)
            elif piece.startswith("`"):
                writing.insertText(piece[1:-1], self.code)
            else:
                writing.insertText(piece[2:-2], self.bold)
        self._settled = writing.position()
        writing.insertText(self._open, self.plain)


class Code(Block):
    """A block of code."""

    def __init__(self) -> None:
        super().__init__("code", margins=(14, 10))
        self.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
        self.setFont(mono())

    def _fit(self) -> None:
        super()._fit()
        if self.document().size().width() > self.viewport().width():
            self.setFixedHeight(self.height() + self.horizontalScrollBar().sizeHint().height())

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 - the name that Qt calls
        super().resizeEvent(event)
        self._fit()
