"""What a user does with the dashboard; imported only in the process that shows it."""

import importlib
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from allm_rx import Engine
from allm_rx.adapters import OpenAIChat
from allm_rx.testing.answers import Answer, AnyAnswer, ErrorAnswer
from allm_rx.testing.faults import Stall
from allm_rx.testing.provider_server import ProviderServer
from tests.apps.scenes import IMAGES, SHOTS

PATIENCE = 30.0
STALLED = Answer("Once upon a time", faults=[Stall(after=3)])
SO_FAR = "Once upon"
dashboard: Any = importlib.import_module("dashboard")


class Desk:
    """The window, and the provider behind it."""

    def __init__(self, window: Any, server: ProviderServer) -> None:
        self.window = window
        self.server = server

    def card(self, name: str) -> Any:
        return next(card for card in self.window.cards if card.name.text() == name)

    def text(self, name: str) -> str:
        return self.card(name).text.toPlainText()

    def ask(self, prompt: str) -> None:
        self.window.prompt.setText(prompt)
        QTest.keyClick(self.window.prompt, Qt.Key.Key_Return)

    def click(self, button: Any) -> None:
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def until(self, happened: Callable[[], object]) -> None:
        """Let the window live until something happened."""
        end = time.monotonic() + PATIENCE
        while not happened():
            QApplication.processEvents()
            assert time.monotonic() < end, "it did not happen"


@contextmanager
def desk(answers: Callable[[str, int], AnyAnswer], *models: str) -> Generator[Desk]:
    """Show the window with models whose answers are given by their name and the number of the request."""
    application = QApplication.instance() or QApplication([])
    with ProviderServer(lambda body, index: answers(body["model"], index)) as server:
        adapter = OpenAIChat(base_url=server.base_url("openai-chat"), api_key="none-is-needed")
        window = dashboard.Dashboard([Engine(adapter=adapter, model=model, retry=False) for model in models])
        window.show()
        yield Desk(window, server)
        window.close()
    del application


def side_by_side() -> Any:
    with desk(lambda model, index: STALLED if model == "slow" else Answer("Here I am."), "slow", "quick") as at:
        at.ask("Where are you?")
        at.until(lambda: at.text("slow") == SO_FAR and at.card("quick").state == "done")
        asked = sorted(request.body["messages"][0]["content"] for request in at.server.requests)
        return {"slow": at.text("slow"), "quick": at.text("quick"), "state": at.card("slow").state, "asked": asked}


def stop_one() -> Any:
    with desk(lambda model, index: STALLED, "one", "other") as at:
        at.ask("Go on")
        at.until(lambda: at.text("one") == at.text("other") == SO_FAR)
        at.click(at.card("one").button)
        at.until(lambda: at.server.closed_by_client)
        at.until(lambda: at.card("one").state == "stopped")
        closed = len(at.server.closed_by_client)
        return {"closed": closed, "one": at.text("one"), "other": at.card("other").state, "remark": at.card("one").remark.text()}


def stop_all() -> Any:
    with desk(lambda model, index: STALLED, "one", "other") as at:
        at.ask("Go on")
        at.until(lambda: at.text("one") == at.text("other") == SO_FAR)
        at.click(at.window.stop)
        at.until(lambda: len(at.server.closed_by_client) == 2)
        at.until(lambda: all(card.state == "stopped" for card in at.window.cards))
        return [card.remark.text() for card in at.window.cards]


def failure() -> Any:
    with desk(lambda model, index: ErrorAnswer(401) if index == 0 else Answer("Better."), "one") as at:
        at.ask("Hi")
        card = at.card("one")
        at.until(lambda: card.state == "failed")
        told = card.numbers.text()
        at.click(card.button)
        at.until(lambda: card.state == "done")
        second = at.server.requests[1].body["messages"]
        return {"told": told, "text": at.text("one"), "second": [message["content"] for message in second]}


def ask_again() -> Any:
    with desk(lambda model, index: STALLED if index == 0 else Answer("New."), "one") as at:
        at.ask("First")
        at.until(lambda: at.text("one"))
        at.ask("Second")
        at.until(lambda: at.card("one").state == "done")
        return {"text": at.text("one"), "closed": [closed.request for closed in at.server.wait_closed()]}


def copy() -> Any:
    with desk(lambda model, index: Answer("It is <b>raining</b>."), "one") as at:
        at.ask("Hi")
        at.until(lambda: at.card("one").state == "done")
        at.click(at.card("one").copy)
        return {"shown": at.text("one"), "copied": QApplication.clipboard().text()}


def close() -> Any:
    with desk(lambda model, index: STALLED, "one", "other") as at:
        at.ask("Go on")
        at.until(lambda: at.text("one") == at.text("other") == SO_FAR)
        at.window.close()
        return sorted(str(closed.request) for closed in at.server.wait_closed(2))


def no_key() -> Any:
    application = QApplication([])
    window = dashboard.Dashboard([Engine.from_model("anthropic:claude-sonnet-4-5")])
    window.ask()
    shown = window.cards[0].state, window.cards[0].numbers.text()
    window.close()
    del application
    return shown


def picture(scheme: str) -> Any:
    application = QApplication([])
    with dashboard.engines([]) as engines:
        window = dashboard.Dashboard(engines)
        at = Desk(window, None)  # type: ignore[arg-type] - the program's own provider answers
        window.paint_in(getattr(Qt.ColorScheme, scheme.capitalize()))
        window.show()
        window.ask()
        at.until(lambda: all(card.state in ("done", "failed") for card in window.cards))
        for _ in range(3):  # the last remark asks for another layout, which asks for another painting
            QApplication.processEvents()
        picture = window.grab()
        if SHOTS in os.environ:
            picture.save(str(IMAGES / f"dashboard_{scheme}.png"))
        states = [card.state for card in window.cards]
        window.close()
    ground = picture.toImage().pixelColor(3, 3).name()
    del application
    return {"ground": ground, "states": states}
