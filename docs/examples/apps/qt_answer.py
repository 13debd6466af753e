"""An answer as it is written: text, what the model thought, and the tools it called.

Rule 1: a line that begins with a fence begins or ends a block of code; `qt_text` has the rest of what is read in a text.
Rule 2: what comes within `FRAME` is written at once: Qt lays out the whole paragraph for each piece of it, which takes 5 ms
when it has 2,000 words.
"""

from __future__ import annotations

import json
import re
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget
from qt_look import Button, Icon
from qt_text import Block, Code, Prose, Text

from allm_rx import events

FENCE = "```"
LINE = re.compile(r"[^\n]*\n|[^\n]+")
FRAME = 40
"""Milliseconds between two looks at what has come."""
BLINK = 530
"""Milliseconds of the cursor's light and dark."""


class Answer(QWidget):
    """The answer to one question; give it the events."""

    ended = Signal()
    again = Signal()
    """The user wants it to be tried again."""

    def __init__(self) -> None:
        super().__init__()
        self._said: list[str] = []
        self._tools: dict[str, QHBoxLayout] = {}
        self._key: tuple[object, ...] = ()
        self._step = 0
        self._unwritten: list[str] = []
        self._rest = ""
        """The beginning of a line that may be a fence."""
        self._in_line = False
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addWidget(Icon("wave", 28, 7, name="mark"), alignment=Qt.AlignmentFlag.AlignTop)
        self._body = QVBoxLayout(spacing=8)
        self._body.setContentsMargins(0, 3, 0, 0)
        layout.addLayout(self._body, 1)
        self._block: Block | None = None
        self._begin(Prose())
        self._writing = QTimer(self, interval=FRAME, singleShot=True, timeout=self._write)
        self._blinking = QTimer(self, interval=BLINK, timeout=self._blink)
        self._blinking.start()

    @property
    def text(self) -> str:
        """What was said so far, as the model wrote it."""
        return "".join(self._said).strip()

    def show_event(self, event: events.Event) -> None:
        match event:
            case events.MessageStarted():
                self._step += 1
            case events.TextDelta(id=block, delta=delta):
                self._turn_to("text", block)
                self._said.append(delta)
                self._take(delta)
            case events.ReasoningDelta(id=block, delta=delta):
                self._turn_to("thinking", block)
                self._take(delta)
            case events.ToolExecutionStarted(id=call, name=name, arguments=arguments):
                self._call(call, name, arguments)
            case events.ToolExecutionCompleted(id=call, outcome=outcome):
                self._result(call, outcome.failure.message if outcome.failure else outcome.value)
            case events.ChatCompleted(result=result):
                tokens = result.usage.output_tokens
                stopped = result.halted_reason == "cancelled"
                self._end("Stopped" if stopped else f"{tokens} tokens" if tokens else "")
                if result.error is not None:
                    self._tell(result.error.message)
                self.ended.emit()
            case _:
                pass

    def fail(self, error: Exception) -> None:
        self._end("")
        self._tell(getattr(error, "message", str(error)))
        self.ended.emit()

    def _turn_to(self, kind: str, block: str) -> None:
        key = (self._step, kind, block)
        if self._key != key:
            self._settle()
            self._key = key
            if kind == "text":
                self._said += ["\n\n"] if self._said else []
            self._begin(Prose() if kind == "text" else Block("thinking", margins=(12, 0)))

    def _take(self, delta: str) -> None:
        self._unwritten.append(delta)
        if not self._writing.isActive():
            self._writing.start()

    def _write(self) -> None:
        text = "".join(self._unwritten)
        self._unwritten.clear()
        if self._key[1:2] == ("thinking",):
            self._block.write(text)
        else:
            self._write_lines(text)

    def _write_lines(self, text: str) -> None:
        """Write text; a line that begins with a fence begins or ends a block of code."""
        ready = ""
        lines, self._rest = LINE.findall(self._rest + text), ""
        for line in lines:
            may_be_fence = not self._in_line and (line.startswith(FENCE) or FENCE.startswith(line))
            self._in_line = not line.endswith("\n")
            if may_be_fence and self._in_line:
                self._rest, self._in_line = line, False
            elif may_be_fence:
                self._block.write(ready)
                ready = ""
                self._begin(Prose() if isinstance(self._block, Code) else Code())
            else:
                ready += line
        self._block.write(ready)

    def _settle(self) -> None:
        """Leave the block as it is: what comes now stands below it."""
        self._write()
        if not self._rest.startswith(FENCE):
            self._block.write(self._rest)
        self._rest, self._in_line, self._key = "", False, ()

    def _begin(self, block: Block) -> None:
        if self._block is not None:
            self._block.show_cursor(shown=False)
            self._drop_if_empty()
        self._block = block
        self._body.addWidget(block)
        block.show_cursor(shown=True)

    def _drop_if_empty(self) -> None:
        if self._block.document().isEmpty():
            self._body.removeWidget(self._block)
            self._block.deleteLater()

    def _call(self, call: str, name: str, arguments: dict[str, Any]) -> None:
        self._settle()
        given = ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in arguments.items())
        chip = QFrame(objectName="chip")
        chip.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        row = self._tools[call] = QHBoxLayout(chip)
        row.setContentsMargins(11, 5, 12, 5)
        asked = Text(f"{name}({given})", "call", snug=True)
        for widget in (Icon("wrench", 15, name="tool"), asked, Text("running", "result", snug=True)):
            row.addWidget(widget)
        self._body.addWidget(chip)
        self._begin(Prose())

    def _result(self, call: str, value: object) -> None:
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        self._tools[call].itemAt(2).widget().setPlainText(told)

    def _end(self, remark: str) -> None:
        self._settle()
        self._blinking.stop()
        self._block.show_cursor(shown=False)
        self._drop_if_empty()
        foot = QHBoxLayout(spacing=6)
        if self.text:
            self.copy = Button("sheets", "Copy", name="copy", left=0, clicked=self._copy)
            foot.addWidget(self.copy)
        if remark:
            foot.addWidget(QLabel(remark, objectName="remark"))
        if foot.count():
            foot.addStretch()
            self._body.addLayout(foot)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self.copy.setText("Copied")
        QTimer.singleShot(1500, self.copy, lambda: self.copy.setText("Copy"))

    def _tell(self, message: str) -> None:
        box = QFrame(objectName="error")
        row = QHBoxLayout(box)
        row.setContentsMargins(16, 10, 12, 10)
        row.addWidget(Text(message, "failure"), 1)
        self.retry = QPushButton("Try again", objectName="retry", clicked=lambda: self.again.emit())
        row.addWidget(self.retry)
        self._body.addWidget(box)

    def _blink(self) -> None:
        self._block.show_cursor(shown=not self._block.cursor_shown)
