"""What a user does with the chat of Qt; imported only in the process that shows it."""

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFont, QGuiApplication, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QTextEdit

from allm_rx import Engine
from allm_rx.adapters import OpenAIChat
from allm_rx.data.events import TextDelta
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import Stall
from allm_rx.testing.provider_server import ProviderServer, Script
from allm_rx.testing.small_talk import SmallTalk
from tests.apps import qt_user
from tests.apps.qt_user import prefer, press, type_in, until

STORY = Answer("Once upon a time", faults=[Stall(after=3)])
SO_FAR = "Once upon"
qt_chat: Any = importlib.import_module("qt_chat")
qt_answer: Any = importlib.import_module("qt_answer")
weather: Any = importlib.import_module("app_engine").weather


class Chat:
    """The window, by what a user sees of it, and the provider behind it."""

    def __init__(self, window: Any, server: ProviderServer | None) -> None:
        self.window = window
        self.server: Any = server

    def send(self, text: str) -> None:
        type_in(self.window.prompt, text)
        press(self.window.prompt, Qt.Key.Key_Return)

    def click(self, button: QPushButton) -> None:
        """Press the mouse where the button is, once it is there."""
        until(lambda: button.isVisible() and button.isEnabled())
        qt_user.click(button)

    def texts(self, name: str) -> list[str]:
        """Give what all widgets of a name say, from above."""
        kinds: list[Any] = [QTextEdit, QLabel]
        found: list[Any] = [widget for kind in kinds for widget in self.window.findChildren(kind, name)]
        found.sort(key=lambda widget: widget.mapTo(self.window, widget.rect().topLeft()).y())
        said = [widget.text() if isinstance(widget, QLabel) else widget.toPlainText() for widget in found]
        return [text for text, widget in zip(said, found, strict=True) if text and widget.isVisible()]

    @property
    def answer(self) -> str:
        return "\n".join(self.texts("prose"))

    def finish(self) -> None:
        """Wait for the end of the answer, and for what can be done with it."""
        until(lambda: not self.window.answering)
        until(lambda: any(button.isVisible() for button in self.window.answer.findChildren(QPushButton)))

    def said(self, request: int) -> list[str]:
        """Give what was sent to the provider."""
        return [message["content"] for message in self.server.requests[request].body["messages"]]


@contextmanager
def chatting(script: Script) -> Generator[Chat]:
    """Show the window of a provider that answers as scripted."""
    application = QApplication([])
    with ProviderServer(script) as server:
        adapter = OpenAIChat(base_url=server.base_url("openai-chat"), api_key="none-is-needed")
        window = qt_chat.Chat(Engine(adapter=adapter, model="small-talk", retry=False).with_tools(weather))
        window.show()
        yield Chat(window, server)
        window.close()
    del application


def streaming() -> Any:
    with chatting(STORY) as chat:
        chat.send("Tell me a story")
        until(lambda: chat.answer == SO_FAR)
        return {"answering": chat.window.answering, "at the provider": chat.server.answering, "asked": chat.texts("question")}


def conversation() -> Any:
    with chatting([Answer("Hello."), Answer("Fine.")]) as chat:
        chat.send("Hi")
        chat.finish()
        chat.send("How are you?")
        chat.finish()
        return {"sent": chat.said(1), "questions": chat.texts("question"), "answer": chat.answer}


def stopping(how: str) -> Any:
    with chatting(STORY) as chat:
        chat.send("Tell me a story")
        until(lambda: chat.answer == SO_FAR)
        if how == "button":
            chat.click(chat.window.stop_button)
        else:
            press(chat.window.prompt, Qt.Key.Key_Escape)
        closed = chat.server.wait_closed()
        chat.finish()
        remark = chat.texts("remark")
        focus = chat.window.prompt.hasFocus() and chat.window.send_button.isVisible()
        return {"closed": closed[0].request, "kept": chat.answer, "remark": remark, "ready for more": focus}


def failure() -> Any:
    with chatting([ErrorAnswer(401), Answer("Better.")]) as chat:
        chat.send("Hi")
        chat.finish()
        told = chat.texts("failure")
        chat.click(chat.window.answer.retry)
        chat.finish()
        until(lambda: chat.texts("failure") == [])
        return {"told": told, "answer": chat.answer, "sent": chat.said(1), "questions": chat.texts("question")}


def no_key() -> Any:
    application = QApplication([])
    chat = Chat(qt_chat.Chat(Engine.from_model("anthropic:claude-sonnet-4-5")), None)
    chat.window.show()
    chat.send("Hi")
    chat.finish()
    told = chat.texts("failure")
    chat.click(chat.window.answer.retry)
    chat.finish()
    again = chat.texts("failure")
    chat.window.close()
    del application
    return told, again, chat.window.answering


def copying() -> Any:
    with chatting(Answer("It is **raining**.\n\n```python\nx = 1\n```\n\nTake `care`.")) as chat:
        chat.send("Hi")
        chat.finish()
        chat.click(chat.window.answer.copy)
        return {"shown": chat.texts("prose"), "code": chat.texts("code"), "copied": QGuiApplication.clipboard().text()}


def cuts() -> Any:
    """Give an answer in two pieces, in all ways; tell the texts that were shown, and how each letter looked."""
    text = "Say **so** or `x`, 2*3 **\n\n```py\na `b`\n\n**c**\n```\n\nEnd."
    application = QApplication([])
    qt_answer.FRAME = 0
    ways: list[Any] = []
    for cut in range(1, len(text)):
        answer = qt_answer.Answer()
        timers: list[QTimer] = answer.findChildren(QTimer)
        for piece in (text[:cut], text[cut:]):
            answer.show_event(TextDelta(id="0", delta=piece))
            until(lambda timers=timers: not any(timer.isSingleShot() and timer.isActive() for timer in timers))
        answer.fail(RuntimeError("The end"))
        blocks: list[QTextEdit] = [*answer.findChildren(QTextEdit, "prose"), *answer.findChildren(QTextEdit, "code")]
        shown = [[block.toPlainText(), looks(block)] for block in blocks if block.toPlainText()]
        ways += [] if shown in ways else [shown]
    del application
    return ways


def looks(block: QTextEdit) -> str:
    """Tell of each letter whether it is bold, code, or neither."""
    seen = ""
    for place in range(len(block.toPlainText())):
        cursor = QTextCursor(block.document())
        cursor.setPosition(place + 1)
        style = cursor.charFormat()
        marked = style.background().style() != Qt.BrushStyle.NoBrush
        seen += "b" if style.fontWeight() == QFont.Weight.Bold else "c" if marked else "."
    return seen


def new_conversation() -> Any:
    with chatting([STORY, Answer("Fine.")]) as chat:
        chat.send("Hi")
        until(lambda: chat.answer == SO_FAR)
        chat.click(chat.window.new_button)
        closed = chat.server.wait_closed()
        empty = chat.texts("question") + chat.texts("prose")
        chat.send("How are you?")
        chat.finish()
        return {"closed": closed[0].request, "shown": empty, "sent": chat.said(1), "answer": chat.answer}


def markup() -> Any:
    wicked = "<img src=x> <b>1</b> &amp; **2** ** 3 2*3 `<i>` \u2028 [a](b)"
    with chatting(Answer(wicked)) as chat:
        chat.send("<b>Hi</b>")
        chat.finish()
        return {"answer": chat.answer, "question": chat.texts("question"), "wicked": wicked}


def tools() -> Any:
    with chatting(SmallTalk()) as chat:
        chat.send("How is the weather in Oslo?")
        chat.finish()
        return {"calls": chat.texts("call"), "results": chat.texts("result"), "answer": chat.answer[:24]}


def thinking() -> Any:
    with chatting(Answer("It is 4.", reasoning="Two and two.")) as chat:
        chat.send("Add")
        chat.finish()
        return {"thought": chat.texts("thinking"), "answer": chat.answer, "remark": chat.texts("remark")}


def closing() -> Any:
    with chatting(STORY) as chat:
        chat.send("Hi")
        until(lambda: chat.answer == SO_FAR)
        chat.window.close()
        return chat.server.wait_closed()[0].request


def alive() -> Any:
    with chatting(STORY) as chat:
        chat.send("Hi")
        until(lambda: chat.answer == SO_FAR)
        timer = QTimer(chat.window, interval=1, singleShot=True)
        timer.start()
        until(lambda: not timer.isActive())
        type_in(chat.window.prompt, "And then?")
        return {"typed": chat.window.prompt.toPlainText(), "answering": chat.window.answering}


def keys() -> Any:
    with chatting(Answer("Hello.")) as chat:
        type_in(chat.window.prompt, "One")
        QTest.keyClick(chat.window.prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        chat.send("two")
        chat.finish()
        return chat.said(0)


def scrolling() -> Any:
    paragraphs = "".join(f"Paragraph {number}\n\n" for number in range(60))
    with chatting(Answer(paragraphs + "and on", chunks=40, faults=[Stall(after=20)])) as chat:
        bar = chat.window.log.verticalScrollBar()
        chat.send("Hi")
        until(lambda: "Paragraph 45" in chat.answer and bar.value() == bar.maximum() > 1000)
        bar.setValue(100)
        chat.window.answer.show_event(TextDelta(id="next", delta="more\n" * 20))
        before = bar.maximum()
        until(lambda: bar.maximum() > before)
        return bar.value()


def program() -> Any:
    """The program itself, with the small provider of its own."""
    seen: list[str] = []

    def use() -> None:
        window: Any = QApplication.activeWindow()
        if not window.answering:
            window.send("Tell me a story")
        elif window.answer.text.count(" ") > 2:
            seen.append(window.answer.text[:9])
            window.close()

    show: Any = qt_chat.Chat.showEvent

    def shown(window: Any, event: object) -> None:
        show(window, event)
        timer = QTimer(window, interval=5)
        timer.timeout.connect(use)
        timer.start()

    qt_chat.Chat.showEvent = shown
    sys.argv = ["qt_chat.py"]
    qt_chat.main()
    return seen


def picture(scheme: str) -> Any:
    said: Any = importlib.import_module("tests.apps.test_web_chat")
    with chatting(said.shown) as chat:
        application: Any = QApplication
        application.setFont(QFont(["Segoe UI", "Roboto", "Noto Sans", "Liberation Sans"]))
        prefer(scheme)
        for question in said.QUESTIONS:
            chat.send(question)
            chat.finish()
        return qt_user.picture(chat.window, f"qt_chat_{scheme}")
