"""A text box that goes on where one pauses: `python docs/examples/apps/autocomplete.py`.

Without a key a small provider on this machine knows how a letter goes on; with one, name a quick model:

    python docs/examples/apps/autocomplete.py --model groq:llama-3.1-8b-instant

Every key closes the request under way and begins to wait again: of many questions only the latest is answered.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import reactivex as rx
from app_engine import parser
from PySide6 import QtCore
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPalette, QTextCursor, QTextLayout
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QTextEdit, QVBoxLayout, QWidget
from qt_look import SHEET, wear
from reactivex import operators as ops
from reactivex.scheduler.mainloop import QtScheduler
from reactivex.subject import Subject

from allm_rx import Engine, Usage, events, system, user
from allm_rx import operators as lx
from allm_rx.adapters import OpenAIChat
from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reactivex import Observable

PAUSE = 0.3
"""Seconds without a key after which the model is asked."""
SHORTEST = 4
"""Letters that are worth asking for."""
RULES = system(
    "Continue the user's text. Reply with nothing but the words that follow, a dozen at most, "
    "and begin with a space where a new word begins."
)


class Editor(QTextEdit):
    """Text, and in grey behind its end what may follow."""

    typed = QtCore.Signal(str)
    accepted = QtCore.Signal()

    def __init__(self) -> None:
        super().__init__(acceptRichText=False, placeholderText="Dear Ada, thank you for ...")
        self.setTabChangesFocus(False)
        self.suggestion = ""
        self.textChanged.connect(self._changed)
        self.cursorPositionChanged.connect(self.viewport().update)

    def suggest(self, text: str) -> None:
        """Show what may follow; an empty text shows nothing."""
        self.suggestion = text
        self.viewport().update()

    def keyPressEvent(self, event: QtCore.QEvent) -> None:  # noqa: N802 - the name that Qt calls
        if event.key() == Qt.Key.Key_Tab and self.suggestion:
            text, self.suggestion = self.suggestion, ""
            self.moveCursor(QTextCursor.MoveOperation.End)
            self.insertPlainText(text)
            self.accepted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.suggest("")
            self.typed.emit("")  # nothing to complete: what is under way is left
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QtCore.QEvent) -> None:  # noqa: N802 - the name that Qt calls
        super().paintEvent(event)
        if not self.suggestion or not self.textCursor().atEnd():
            return
        start = self.cursorRect()
        margin = self.document().documentMargin()
        whole = self.viewport().width() - 2 * margin
        layout = QTextLayout(self.suggestion, self.font())
        layout.beginLayout()
        left, top = start.left() + 1.0, float(start.top())
        while (line := layout.createLine()).isValid():  # the first line has what the text leaves, the others all
            line.setLineWidth(whole + margin - left)
            line.setPosition(QPointF(left, top))
            left, top = margin, top + line.height()
        layout.endLayout()
        with QPainter(self.viewport()) as painter:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            layout.draw(painter, QPointF(0, 0))

    def _changed(self) -> None:
        self.suggest("")
        self.typed.emit(self.toPlainText())


class Window(QWidget):
    """The editor, and what its suggestions cost."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(windowTitle="allm_rx autocomplete")
        self.asked = self.left = self.taken = 0
        self.usage = Usage()
        self._engine = engine
        self._scheduler = QtScheduler(QtCore)
        self._under_way = False
        self.editor = Editor()
        self.hint = QLabel(objectName="quiet")
        self.count = QLabel(objectName="quiet")
        foot = QHBoxLayout()
        foot.addWidget(self.hint, 1)
        foot.addWidget(self.count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 14)
        layout.addWidget(self.editor, 1)
        layout.addLayout(foot)
        self.resize(760, 420)
        wear(self, SHEET + OWN)

        typed: Subject[str] = Subject()
        self.editor.typed.connect(typed.on_next)
        self.editor.accepted.connect(self._accept)
        answers = typed.pipe(ops.do_action(self._type), ops.map(self._completion), ops.switch_latest())
        self._subscription = answers.subscribe(self._show, scheduler=self._scheduler)
        self._tell()

    def _completion(self, text: str) -> Observable[events.Event]:
        """Give what follows a text: a pause, then the model's answer. `switch_latest` leaves either when the next text comes."""
        if len(text.strip()) < SHORTEST:
            return rx.empty()
        prompt = rx.timer(PAUSE, scheduler=self._scheduler).pipe(ops.map(lambda _: [RULES, user(text)]))
        return prompt.pipe(lx.generate(self._engine, max_tokens=40, stop=["\n"]))

    def _type(self, text: str) -> None:
        if self._under_way:
            self.left += 1
        self._under_way = False
        self._tell()

    def _show(self, event: events.Event) -> None:
        match event:
            case events.MessageStarted():
                self.asked += 1
                self._under_way = True
            case events.TextDelta(delta=delta):
                self.editor.suggest(self.editor.suggestion + delta)
            case events.RawChunk(kind="usage", data=Usage() as usage):
                self.usage = self.usage + usage
            case events.Error(failure=failure):
                self._under_way = False
                self._tell(failure.message)
                return
            case events.MessageCompleted():
                self._under_way = False
        self._tell()

    def _accept(self) -> None:
        self.taken += 1
        self._tell()

    def _tell(self, failure: str = "") -> None:
        self.hint.setText(failure or ("Tab takes it, Esc does not" if self.editor.suggestion else "Go on typing, and pause"))
        self.hint.setProperty("failed", bool(failure))
        self.hint.style().polish(self.hint)
        tokens = self.usage.total_tokens or 0
        self.count.setText(f"{self.asked} asked, {self.left} left, {self.taken} taken, {tokens} tokens")

    def closeEvent(self, event: QtCore.QEvent) -> None:  # noqa: N802 - the name that Qt calls
        self._subscription.dispose()
        super().closeEvent(event)


OWN = """
QTextEdit { background: %(raised)s; border: 1px solid %(line)s; border-radius: 12px; padding: 14px 16px; font-size: 17px; }
QTextEdit:focus { border-color: %(accent)s; }
#quiet[failed="true"] { color: %(bad)s; }
"""

LETTER = (
    "Dear Ada, thank you for your letter of last week, which I read with great pleasure. I would be glad to meet you on "
    "Tuesday at ten, in the small cafe by the harbour. Please tell me whether that suits you, or name another day. I have "
    "read your notes on the engine, and I have a question about the third of them. It may be that I did not understand it "
    "at all. With kind regards from a rainy Oslo."
)


def respond(body: dict, index: int) -> Answer:
    """Go on as the letter does, from the latest place in it where the text stands."""
    text = body["messages"][-1]["content"]
    for size in range(min(len(text), 60), 2, -1):
        place = LETTER.lower().find(text[-size:].lower())
        if place >= 0:
            rest = LETTER[place + size :].split(".")[0]
            return Answer(rest and rest + ".", pace=0.03)
    return Answer(" and so on, as one says.", pace=0.03)


@contextmanager
def engine_for(model: str | None) -> Iterator[Engine]:
    """Give the engine that was asked for, or one of this machine."""
    if model is not None:
        yield Engine.from_model(model)
        return
    with ProviderServer(respond) as provider:
        yield Engine(adapter=OpenAIChat(base_url=provider.base_url("openai-chat"), api_key="none-is-needed"), model="letters")


def main() -> None:
    with engine_for(parser("A text box that goes on where one pauses.").parse_args().model) as engine:
        application = QApplication(sys.argv[:1])
        window = Window(engine)
        window.show()
        application.exec()


if __name__ == "__main__":
    main()
