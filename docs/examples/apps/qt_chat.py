"""A chat in a window of Qt: `python docs/examples/apps/qt_chat.py`.

Without a key it talks to a small provider that it starts on this machine; with one, name a model:

    python docs/examples/apps/qt_chat.py --model anthropic:claude-sonnet-4-5
"""

from __future__ import annotations

import sys
from math import ceil
from typing import Any

from app_engine import app_engine, parser
from conversation import Conversation
from PySide6 import QtCore
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QTextEdit, QVBoxLayout, QWidget
from qt_answer import Answer
from qt_look import SHEET, Button, Icon, wear
from qt_text import Text
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.scheduler.mainloop import QtScheduler

from allm_rx import Engine, errors

COLUMN = 752
"""The width of what is said, however wide the window is."""
EXAMPLES = ("How is the weather in Oslo and Lima?", "What is a cold observable?", "Tell me a story")


class Chat(QWidget):
    """The window, with one conversation at a time."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(windowTitle="allm_rx chat")
        self.engine = engine
        self.answering = False
        self.subscription = SerialDisposable()
        self._build()
        self.begin()

    def begin(self) -> None:
        """Begin a new conversation; an answer under way is left, and its request closed."""
        self.subscription.disposable = Disposable()
        self.conversation = Conversation(self.engine)
        self.log.clear()
        self.log.add(self._welcome())
        self._settle(answering=False)

    def send(self, text: str) -> None:
        """Ask what was typed, unless an answer is under way."""
        if self.answering or not text.strip():
            return
        if not self.conversation.thread.messages:
            self.log.clear()
        self.prompt.clear()
        question = QHBoxLayout()
        question.addSpacing(120)
        question.addStretch()
        question.addWidget(Text(text.strip(), "question", margins=(15, 9), snug=True))
        self.log.add(question)
        self.ask(text.strip())

    def ask(self, text: str | None) -> None:
        """Show the answer to a text; without one, to the question that was not answered."""
        self.answer = Answer()
        self.answer.ended.connect(lambda: self._settle(answering=False))
        self.log.add(self.answer)
        self._settle(answering=True)
        try:
            answer = self.conversation.ask(text)
        except errors.UsageError as error:  # found before anything was sent, such as a missing key
            self.answer.again.connect(lambda: self._ask_again(text))
            self.answer.fail(error)
            return
        self.answer.again.connect(lambda: self._ask_again(None))
        # The request lives on the library's I/O thread; the scheduler brings its events here, where widgets may be touched.
        subscribed = answer.subscribe(self.answer.show_event, self.answer.fail, scheduler=QtScheduler(QtCore))
        self.subscription.disposable = subscribed

    def _ask_again(self, text: str | None) -> None:
        self.log.remove(self.answer)
        self.ask(text)

    def stop(self) -> None:
        """Close the request; what was read of the answer stays, and its last event says that it was stopped."""
        self.conversation.stop()

    def closeEvent(self, event: Any) -> None:  # noqa: N802 - the name that Qt calls
        self.subscription.dispose()  # closes the request of an answer under way
        super().closeEvent(event)

    def _settle(self, *, answering: bool | None = None) -> None:
        """Let the buttons offer what can be done now."""
        if answering is not None:
            self.answering = answering
            self.prompt.setFocus()
        self.send_button.setVisible(not self.answering)
        self.send_button.setEnabled(bool(self.prompt.toPlainText().strip()))
        self.stop_button.setVisible(self.answering)

    def _build(self) -> None:
        layout = QVBoxLayout(self, spacing=0)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._header())
        layout.addWidget(QFrame(objectName="rule", maximumHeight=1, minimumHeight=1))
        self.log = Log()
        layout.addWidget(self.log, 1)
        layout.addLayout(self._footer())
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.stop)
        QShortcut(QKeySequence(QKeySequence.StandardKey.New), self, self.begin)
        self.resize(1000, 740)
        self.setMinimumSize(500, 320)
        wear(self, SHEET + OWN)

    def _header(self) -> QHBoxLayout:
        self.new_button = Button("plus", "New conversation", name="new", clicked=self.begin)
        header = QHBoxLayout(spacing=12)
        header.setContentsMargins(20, 10, 20, 10)
        for widget in (Icon("wave", 28, 6, name="mark"), QLabel("allm_rx chat", objectName="title")):
            header.addWidget(widget)
        model = QLabel(self.engine.model, objectName="pill", textFormat=Qt.TextFormat.PlainText)
        header.addWidget(model, alignment=Qt.AlignmentFlag.AlignVCenter)
        header.addStretch()
        header.addWidget(self.new_button)
        return header

    def _footer(self) -> QVBoxLayout:
        self.prompt = Prompt(placeholderText="Ask something", accessibleName="Your message")
        self.send_button = Button("up", "", "act", toolTip="Send", accessibleName="Send", parent=self.prompt)
        self.stop_button = Button("square", "", "act", toolTip="Stop", accessibleName="Stop", parent=self.prompt)
        self.send_button.clicked.connect(lambda: self.send(self.prompt.toPlainText()))
        self.stop_button.clicked.connect(self.stop)
        self.prompt.entered.connect(self.send)
        self.prompt.textChanged.connect(self._settle)
        self.prompt.setMaximumWidth(COLUMN)
        middle = QHBoxLayout()
        middle.addWidget(self.prompt)
        hint = QLabel("Enter sends, Shift+Enter begins a line. A model may be wrong.", objectName="quiet")
        footer = QVBoxLayout(spacing=8)
        footer.setContentsMargins(20, 6, 20, 14)
        footer.addLayout(middle)
        footer.addWidget(hint, alignment=Qt.AlignmentFlag.AlignHCenter)
        return footer

    def _welcome(self) -> QVBoxLayout:
        welcome = QVBoxLayout(spacing=10)
        welcome.addStretch()
        title = QLabel("What is on your mind?", objectName="large")
        says = QLabel("The answer comes as it is written, and stops when you say so.", objectName="quiet")
        choices = [QPushButton(example, clicked=lambda _, text=example: self.send(text)) for example in EXAMPLES]
        for widget in (Icon("wave", 48, 11, name="mark"), title, says, *choices):
            welcome.addWidget(widget, alignment=Qt.AlignmentFlag.AlignHCenter)
        welcome.addStretch()
        return welcome


class Log(QScrollArea):
    """What was said: who sees the end goes on seeing it, and who scrolled up is left in peace."""

    def __init__(self) -> None:
        super().__init__(widgetResizable=True, frameShape=QFrame.Shape.NoFrame, focusPolicy=Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.at_end = True
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(self._moved)
        bar.rangeChanged.connect(self._grown)
        self.clear()

    def clear(self) -> None:
        column = QWidget(maximumWidth=COLUMN)
        self._column = QVBoxLayout(column, spacing=22)
        self._column.setContentsMargins(20, 26, 20, 16)
        self._column.addStretch()
        ground = QWidget()
        middle = QHBoxLayout(ground)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.addWidget(column)
        self.setWidget(ground)

    def add(self, said: QWidget | QVBoxLayout | QHBoxLayout) -> None:
        """Add something at the end, and go there."""
        self.at_end = True
        where = self._column.count() - 1
        if isinstance(said, QWidget):
            self._column.insertWidget(where, said)
        else:
            self._column.insertLayout(where, said, 1 if isinstance(said, QVBoxLayout) else 0)

    def remove(self, said: QWidget) -> None:
        self._column.removeWidget(said)
        said.hide()
        said.deleteLater()

    def _moved(self, value: int) -> None:
        self.at_end = value > self.verticalScrollBar().maximum() - 24

    def _grown(self, lowest: int, highest: int) -> None:
        if self.at_end:
            self.verticalScrollBar().setValue(highest)


class Prompt(QTextEdit):
    """Where the question is written; it grows with it."""

    entered = Signal(str)

    def __init__(self, **properties: Any) -> None:
        super().__init__(objectName="prompt", acceptRichText=False, tabChangesFocus=True, **properties)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    def _fit(self) -> None:
        self.setFixedHeight(min(max(ceil(self.document().size().height()) + 24, 52), 200))

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 - the name that Qt calls
        super().resizeEvent(event)
        for button in self.findChildren(Button):
            button.move(self.width() - 44, self.height() - 44)

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802 - the name that Qt calls
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.entered.emit(self.toPlainText())
        else:
            super().keyPressEvent(event)


OWN = """
#large { font-size: 24px; font-weight: 600; }
#new { padding-left: 34px; }
#question { background: %(mine)s; border-radius: 16px; border-bottom-right-radius: 4px; }
#chip { background: %(raised)s; border: 1px solid %(line)s; border-radius: 10px; }
#tool { color: %(accent)s; }
#call { font-family: monospace; font-size: 12px; }
#result { color: %(quiet)s; font-size: 13px; }
#thinking { color: %(quiet)s; font-size: 14px; border-left: 2px solid %(line)s; }
#code { background: %(code)s; border: 1px solid %(line)s; border-radius: 10px; font-size: 13px; }
#copy { background: transparent; border: 0; color: %(quiet)s; padding: 3px 8px 3px 21px; font-size: 12px; }
#copy:hover, #copy:focus { color: %(accent)s; }
#remark { color: %(quiet)s; font-size: 12px; }
#error { background: %(bad_ground)s; border: 0; border-radius: 12px; }
#failure { color: %(bad)s; font-size: 14px; }
#retry { background: transparent; color: %(bad)s; border-color: %(bad)s; padding: 4px 12px; }
#prompt { background: %(raised)s; border: 1px solid %(line)s; border-radius: 18px; padding: 10px 54px 10px 14px; }
#prompt:focus { border-color: %(accent)s; }
#act { background: %(accent)s; color: %(on_accent)s; border: 0; border-radius: 12px; padding: 0; min-width: 36px; max-width: 36px;
       min-height: 36px; max-height: 36px; }
#act:focus { border: 2px solid %(text)s; min-width: 32px; max-width: 32px; min-height: 32px; max-height: 32px; }
#act:disabled { background: %(sunken)s; color: %(quiet)s; }
"""


def main() -> None:
    options = parser("A chat in a window of Qt.").parse_args()
    with app_engine(options.model) as engine:
        application = QApplication(sys.argv[:1])
        window = Chat(engine)
        window.show()
        application.exec()


if __name__ == "__main__":
    main()
