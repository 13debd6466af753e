"""What a user does with the text box; imported only in the process that shows it."""

import importlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from allm_rx import Engine
from allm_rx.adapters import OpenAIChat
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import Stall
from allm_rx.testing.provider_server import ProviderServer, Script
from tests.apps import qt_user
from tests.apps.qt_user import press, type_in, until

STALLED = Answer(" upon a time", faults=[Stall(after=2)])
autocomplete: Any = importlib.import_module("autocomplete")


class Desk:
    """The window, and the provider behind it."""

    def __init__(self, window: Any, server: ProviderServer) -> None:
        self.window = window
        self.editor = window.editor
        self.server = server

    @property
    def asked(self) -> list[str]:
        return [request.body["messages"][-1]["content"] for request in self.server.requests]


@contextmanager
def desk(script: Script) -> Generator[Desk]:
    application = QApplication([])
    with ProviderServer(script) as server:
        adapter = OpenAIChat(base_url=server.base_url("openai-chat"), api_key="none-is-needed")
        window = autocomplete.Window(Engine(adapter=adapter, model="m", retry=False))
        window.show()
        yield Desk(window, server)
        window.close()
    del application


def take() -> Any:
    with desk(Answer(" upon a time")) as at:
        type_in(at.editor, "Once")
        until(lambda: at.editor.suggestion == " upon a time")
        before = at.editor.toPlainText()
        press(at.editor, Qt.Key.Key_Tab)
        return {"before": before, "after": at.editor.toPlainText(), "left over": at.editor.suggestion, "asked": at.asked}


def type_on() -> Any:
    with desk([STALLED, Answer(" told.")]) as at:
        type_in(at.editor, "Once")
        until(lambda: at.editor.suggestion)
        type_in(at.editor, " I was")
        at_once = at.editor.suggestion
        closed = [disconnect.request for disconnect in at.server.wait_closed()]
        asked_by_then = list(at.asked)
        until(lambda: at.editor.suggestion == " told.")
        return {"at once": at_once, "closed": closed, "asked by then": asked_by_then, "asked": at.asked, "count": at.window.left}


def quick_fingers() -> Any:
    with desk(Answer(" you.")) as at:
        for letter in "Thank":
            type_in(at.editor, letter)
        until(lambda: at.editor.suggestion == " you.")
        return at.asked


def dismiss() -> Any:
    with desk(STALLED) as at:
        type_in(at.editor, "Once")
        until(lambda: at.editor.suggestion)
        press(at.editor, Qt.Key.Key_Escape)
        closed = [disconnect.request for disconnect in at.server.wait_closed()]
        return {"text": at.editor.toPlainText(), "suggestion": at.editor.suggestion, "closed": closed}


def failure() -> Any:
    with desk([ErrorAnswer(401), Answer(" I was.")]) as at:
        type_in(at.editor, "Once")
        until(lambda: at.window.hint.property("failed"))
        told = at.window.hint.text()
        type_in(at.editor, ",")
        until(lambda: at.editor.suggestion == " I was.")
        return {"told": told, "hint": at.window.hint.text(), "asked": at.asked}


def close() -> Any:
    with desk(STALLED) as at:
        type_in(at.editor, "Once")
        until(lambda: at.editor.suggestion)
        at.window.close()
        return [disconnect.request for disconnect in at.server.wait_closed()]


def picture(scheme: str) -> Any:
    application = QApplication([])
    with autocomplete.engine_for(None) as engine:
        window = autocomplete.Window(engine)
        qt_user.prefer(scheme)
        window.resize(760, 300)
        window.show()
        type_in(window.editor, autocomplete.LETTER[:102])
        until(lambda: window.editor.suggestion.endswith("."))
        until(lambda: window.usage.total_tokens)
        ground = qt_user.picture(window, f"autocomplete_{scheme}")
        suggestion = window.editor.suggestion
        window.close()
    del application
    return {"ground": ground, "suggestion": suggestion}
