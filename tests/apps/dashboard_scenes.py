"""What a user does with the dashboard; imported only in the process that shows it."""

import importlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from allm_rx import Engine
from allm_rx.adapters import OpenAIChat
from allm_rx.testing.answers import Answer, AnyAnswer, ErrorAnswer
from allm_rx.testing.faults import Stall
from allm_rx.testing.provider_server import ProviderServer
from tests.apps import qt_user
from tests.apps.qt_user import click, until

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
        qt_user.press(self.window.prompt, Qt.Key.Key_Return)


@contextmanager
def desk(answers: Callable[[str, int], AnyAnswer], *models: str) -> Generator[Desk]:
    """Show the window with models whose answers are given by their name and the number of the request."""
    application = QApplication([])
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
        until(lambda: at.text("slow") == SO_FAR and at.card("quick").state == "done")
        asked = sorted(request.body["messages"][0]["content"] for request in at.server.requests)
        return {"slow": at.text("slow"), "quick": at.text("quick"), "state": at.card("slow").state, "asked": asked}


def stop_one() -> Any:
    with desk(lambda model, index: STALLED, "one", "other") as at:
        at.ask("Go on")
        until(lambda: at.text("one") == at.text("other") == SO_FAR)
        click(at.card("one").button)
        until(lambda: at.server.closed_by_client)
        until(lambda: at.card("one").state == "stopped")
        closed = len(at.server.closed_by_client)
        return {"closed": closed, "one": at.text("one"), "other": at.card("other").state, "remark": at.card("one").remark.text()}


def stop_all() -> Any:
    with desk(lambda model, index: STALLED, "one", "other") as at:
        at.ask("Go on")
        until(lambda: at.text("one") == at.text("other") == SO_FAR)
        click(at.window.stop)
        until(lambda: len(at.server.closed_by_client) == 2)
        until(lambda: all(card.state == "stopped" for card in at.window.cards))
        return [card.remark.text() for card in at.window.cards]


def failure() -> Any:
    with desk(lambda model, index: ErrorAnswer(401) if index == 0 else Answer("Better."), "one") as at:
        at.ask("Hi")
        card = at.card("one")
        until(lambda: card.state == "failed")
        told = card.numbers.text()
        click(card.button)
        until(lambda: card.state == "done")
        second = at.server.requests[1].body["messages"]
        return {"told": told, "text": at.text("one"), "second": [message["content"] for message in second]}


def ask_again() -> Any:
    with desk(lambda model, index: STALLED if index == 0 else Answer("New."), "one") as at:
        at.ask("First")
        until(lambda: at.text("one"))
        at.ask("Second")
        until(lambda: at.card("one").state == "done")
        return {"text": at.text("one"), "closed": [closed.request for closed in at.server.wait_closed()]}


def copy() -> Any:
    with desk(lambda model, index: Answer("It is <b>raining</b>."), "one") as at:
        at.ask("Hi")
        until(lambda: at.card("one").state == "done")
        click(at.card("one").copy)
        return {"shown": at.text("one"), "copied": QApplication.clipboard().text()}


def close() -> Any:
    with desk(lambda model, index: STALLED, "one", "other") as at:
        at.ask("Go on")
        until(lambda: at.text("one") == at.text("other") == SO_FAR)
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
        qt_user.prefer(scheme)
        window.show()
        window.ask()
        until(lambda: all(card.state in ("done", "failed") for card in window.cards))
        ground = qt_user.picture(window, f"dashboard_{scheme}")
        states = [card.state for card in window.cards]
        window.close()
    del application
    return {"ground": ground, "states": states}
