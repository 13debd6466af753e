"""Several models side by side, asked the same: `python docs/examples/apps/dashboard.py`.

Without a key four models of a small provider on this machine answer, each in its own way; with keys, name some:

    python docs/examples/apps/dashboard.py --model anthropic:claude-sonnet-4-5 --model openai:gpt-5.1
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import reactivex as rx
from PySide6 import QtCore
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPen, QPolygonF, QTextCursor
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from qt_look import SHEET, wear
from reactivex.disposable import SerialDisposable
from reactivex.scheduler.mainloop import QtScheduler
from reactivex.subject import Subject

from allm_rx import Engine, errors, stream_generate
from allm_rx import operators as lx
from allm_rx.adapters import OpenAIChat
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.provider_server import ProviderServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allm_rx.reducers.response import Snapshot

FRAME = 0.05
"""Seconds between two looks at an answer: what comes faster than that is shown together."""
PROMPT = "Why is the sky blue?"
LINES = ("#1f8a77", "#c26a1c", "#5b6bd6", "#b4457f", "#7a8b1f", "#3a87b8")
"""The colour of each model, of equal weight on light and dark."""


class Card(QFrame):
    """One model: it is asked, shown, stopped and asked again without regard to the others."""

    def __init__(self, engine: Engine, colour: str) -> None:
        super().__init__(objectName="card")
        self.engine = engine
        self.colour = colour
        self.points: list[tuple[float, int]] = []
        """Seconds since the question, and the letters of the answer by then."""
        self.state = "idle"
        self._stops: Subject[None] = Subject()
        self._subscription = SerialDisposable()
        self._prompt = ""
        self._shown = ""
        self._begun = self._first = self._last = 0.0
        self._build()

    def _build(self) -> None:
        self.name = QLabel(self.engine.model or "", objectName="name")
        self.dot = QLabel("\u25cf", styleSheet=f"color: {self.colour}")
        self.remark = QLabel("", objectName="quiet")
        self.numbers = QLabel("", objectName="quiet", wordWrap=True)
        self.text = QPlainTextEdit(readOnly=True, frameShape=QFrame.Shape.NoFrame)
        self.button = QPushButton("Stop", clicked=self._act, enabled=False)
        self.copy = QPushButton("Copy", clicked=self._copy, enabled=False)
        head, foot = QHBoxLayout(), QHBoxLayout()
        for widget in (self.dot, self.name):
            head.addWidget(widget)
        head.addStretch()
        head.addWidget(self.remark)
        foot.addStretch()
        foot.addWidget(self.copy)
        foot.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addLayout(head)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.numbers)
        layout.addLayout(foot)
        self.setMinimumWidth(230)

    def ask(self, prompt: str) -> None:
        """Ask, and leave the answer to what was asked before."""
        self._prompt, self._shown, self.points = prompt, "", [(0.0, 0)]
        self._begun, self._first = time.perf_counter(), 0.0
        self.text.clear()
        self.numbers.clear()
        self._enter("waiting", "asked")
        try:
            answer = stream_generate(self.engine, prompt)
        except errors.UsageError as error:  # found before anything was sent, such as a missing key
            self._fail(error)
            return
        views = answer.pipe(lx.cancel_on(self._stops), lx.snapshots(), lx.throttle_latest(FRAME))
        scheduler = QtScheduler(QtCore)
        self._subscription.disposable = views.subscribe(self._show, self._fail, self._finish, scheduler=scheduler)

    def stop(self) -> bool:
        """Close the request under way, and tell whether there was one; what was read stays."""
        if self.state not in ("waiting", "answering"):
            return False
        self.state = "stopping"
        self._stops.on_next(None)
        return True

    def leave(self) -> None:
        """Close the request, and hear nothing more."""
        self._subscription.dispose()

    def _show(self, view: Snapshot) -> None:
        text = view.text
        self._last = time.perf_counter() - self._begun
        if not self._first:  # a thought counts: the model has begun
            self._first = self._last
        if not text:
            self._enter("waiting", "thinking")
            return
        if self.state == "waiting":
            self._enter("answering", "answering")
        if not text.startswith(self._shown):  # an attempt failed, and its text is void
            self.text.clear()
            self._shown = ""
        writing = QTextCursor(self.text.document())
        writing.movePosition(QTextCursor.MoveOperation.End)
        writing.insertText(text[len(self._shown) :])
        self._shown = text
        self.points.append((self._last, len(text)))
        tokens, words = view.usage.output_tokens, len(text.split())
        pace = f", {words / (self._last - self._first):.0f} a second" if self._last > self._first else ""
        billed = f", {tokens} tokens" if tokens is not None else ""
        self.numbers.setText(f"First after {self._first:.2f} s, {words} words{pace}{billed}")

    def _finish(self) -> None:
        if self.state == "stopping":
            self._enter("stopped", "stopped")
        else:
            self._enter("done", f"done in {self._last:.1f} s")

    def _fail(self, error: Exception) -> None:
        self.numbers.setText(getattr(error, "message", str(error)))
        self._enter("failed", "failed")

    def _enter(self, state: str, remark: str) -> None:
        self.state = state
        self.remark.setText(remark)
        self.button.setText("Stop" if state in ("waiting", "answering") else "Ask again")
        self.button.setEnabled(state != "stopping")
        self.copy.setEnabled(bool(self._shown))
        self.setProperty("failed", state == "failed")
        for widget in (self, self.remark, self.numbers):
            widget.style().polish(widget)  # a style sheet looks at properties once

    def _act(self) -> None:
        if not self.stop():
            self.ask(self._prompt)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._shown)


class Race(QWidget):
    """How far each answer was at which time."""

    def __init__(self, cards: list[Card]) -> None:
        super().__init__(objectName="race", minimumHeight=150, maximumHeight=150)
        self.cards = cards

    def paintEvent(self, event: object) -> None:  # noqa: N802 - the name that Qt calls
        longest = max([1.0, *(card.points[-1][0] for card in self.cards if card.points)])
        most = max([1, *(card.points[-1][1] for card in self.cards if card.points)])
        wide, high = self.width() - 12, self.height() - 26
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            quiet = QColor(self.palette().color(self.foregroundRole()))
            for second in range(int(longest) + 1):
                x = 6 + second / longest * wide
                painter.setPen(quiet)
                painter.drawText(QPointF(min(x, wide - 14) + 4, self.height() - 6), f"{second} s")
                painter.setOpacity(0.3)
                painter.drawLine(QPointF(x, 4), QPointF(x, 4 + high))
                painter.setOpacity(1)
            for card in self.cards:
                painter.setPen(QPen(QColor(card.colour), 2.2))
                line = [QPointF(6 + at / longest * wide, 4 + high * (1 - far / most)) for at, far in card.points]
                painter.drawPolyline(QPolygonF(line))


class Dashboard(QWidget):
    """A question, and the answers side by side."""

    def __init__(self, engines: list[Engine]) -> None:
        super().__init__(windowTitle="allm_rx dashboard")
        self.prompt = QLineEdit(PROMPT, placeholderText="Ask all of them", returnPressed=self.ask)
        self.send = QPushButton("Ask all", objectName="send", clicked=self.ask)
        self.stop = QPushButton("Stop all", clicked=self.stop_all)
        self.cards = [Card(engine, LINES[place % len(LINES)]) for place, engine in enumerate(engines)]
        self.race = Race(self.cards)
        top, middle = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.prompt, 1)
        for widget in (self.send, self.stop):
            top.addWidget(widget)
        for card in self.cards:
            middle.addWidget(card, 1)
        middle.setSpacing(12)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 14)
        layout.setSpacing(14)
        layout.addLayout(top)
        layout.addLayout(middle, 1)
        layout.addWidget(QLabel("How long each answer was, over time", objectName="quiet"))
        layout.addWidget(self.race)
        self.resize(1180, 700)
        wear(self, SHEET + OWN)
        self._frames = rx.interval(FRAME).subscribe(lambda _: self.race.update(), scheduler=QtScheduler(QtCore))

    def ask(self) -> None:
        if prompt := self.prompt.text().strip():
            for card in self.cards:
                card.ask(prompt)

    def stop_all(self) -> None:
        for card in self.cards:
            card.stop()

    def closeEvent(self, event: object) -> None:  # noqa: N802 - the name that Qt calls
        self._frames.dispose()
        for card in self.cards:
            card.leave()
        super().closeEvent(event)


OWN = """
#race { color: %(quiet)s; font-size: 12px; }
QPushButton, QLabel, QPlainTextEdit { font-size: 14px; }
#quiet { font-size: 12px; }
#card { background: %(raised)s; border: 1px solid %(line)s; border-radius: 12px; }
#card[failed="true"] { border-color: %(bad)s; }
#card QLabel, #card QPlainTextEdit { background: transparent; }
#card[failed="true"] #quiet { color: %(bad)s; }
#name { font-weight: 600; }
QLineEdit { background: %(raised)s; border: 1px solid %(line)s; border-radius: 10px; padding: 9px 12px; font-size: 15px; }
QLineEdit:focus { border-color: %(accent)s; }
QPushButton { background: %(sunken)s; border: 0; border-radius: 8px; padding: 6px 12px; }
QPushButton:hover { color: %(accent)s; }
QPushButton:disabled { color: %(quiet)s; background: transparent; }
#send { background: %(accent)s; color: %(on_accent)s; padding: 10px 18px; font-weight: 600; }
"""

SAID = {
    "swift-mini": (0.02, "Air scatters short waves of light more than long ones, so blue comes to the eye from everywhere."),
    "steady-pro": (0.04, "Sunlight is a mix of all colours. Molecules of air are much smaller than its waves, and what is "
                   "that small scatters blue about five times as much as red. Whichever way one looks, some of it arrives. In "
                   "the evening the light has come a longer way, most of the blue is lost, and red is left."),
    "deep-think": (0.03, "Two effects add up: the scattering by air, which grows with the fourth power of the frequency, and the "
                   "eye, whose cones see violet less well than blue. Without the second the sky would look violet. "),
}  # fmt: skip


def respond(body: dict, index: int) -> Answer | ErrorAnswer:
    """Answer as four models do: a quick one, a thorough one, one that thinks first, and one that is overloaded at first."""
    name = body["model"]
    if name not in SAID:
        return ErrorAnswer(529) if index < 4 else Answer("Here I am after all. Thank you for asking again.", pace=0.04)
    pace, text = SAID[name]
    thought = "Let me see. " * 12 if name == "deep-think" else ""
    return Answer(text, reasoning=thought, pace=pace)


@contextmanager
def engines(models: list[str]) -> Iterator[list[Engine]]:
    """Give the engines that were asked for, or those of this machine."""
    if models:
        yield [Engine.from_model(model) for model in models]
        return
    with ProviderServer(respond) as provider:
        adapter = OpenAIChat(base_url=provider.base_url("openai-chat"), api_key="none-is-needed")
        yield [Engine(adapter=adapter, model=name, retry=False) for name in (*SAID, "shaky-beta")]


def main() -> None:
    parser = argparse.ArgumentParser(description="Several models side by side.")
    parser.add_argument("--model", action="append", default=[], help="vendor:model, again for each; the keys in their variables")
    with engines(parser.parse_args().model) as asked:
        application = QApplication(sys.argv[:1])
        window = Dashboard(asked)
        window.show()
        window.ask()
        application.exec()


if __name__ == "__main__":
    main()
