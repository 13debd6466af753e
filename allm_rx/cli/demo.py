"""`allm-rx demo`: a conversation with a provider on this machine, over a real socket, and what was measured.

Rule: what is printed was measured in this run, by the client's clock or by what the server saw.
"""

from __future__ import annotations

import itertools
import shutil
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.adapters import OpenAIChat
from allm_rx.cli.terminal import Page
from allm_rx.data import events
from allm_rx.data.messages import user
from allm_rx.data.threads import Thread
from allm_rx.execution.calls import stream_generate
from allm_rx.runtime.engine import Engine
from allm_rx.testing.answers import Answer
from allm_rx.testing.faults import Frame
from allm_rx.testing.provider_server import ProviderServer

if TYPE_CHECKING:
    from allm_rx.data.responses import Response
    from allm_rx.testing.faults import Plan

_QUESTIONS = ("What is a cold observable?", "And when I stop listening?", "Count, and do not stop.")
_TAKEN = 12
"""Pieces of the endless answer that are awaited."""
_LABEL = 7
"""Columns in front of what is said."""
_WIDEST = 88


def demo(*, pace: float) -> int:
    """Hold the conversation and give the exit code.

    Args:
        pace: seconds between two words of the provider.
    """
    page = Page(sys.stdout)
    with ProviderServer(lambda body, index: _answer(body, index, pace)) as server:
        page.dim(f"A provider of your own at {server.url}, a word every {pace * 1000:g} ms.\n")
        try:
            _converse(page, server)
        except KeyboardInterrupt:
            page.interrupted()
            raise
        page.dim('\nNothing left this machine. With a key: allm-rx "your prompt" -m vendor:model\n')
    return 0


def _converse(page: Page, server: ProviderServer) -> None:
    # Straight to the server: a proxy of the environment cannot reach this machine's loopback.
    adapter = OpenAIChat(base_url=server.base_url("openai-chat"), api_key="none is needed")
    engine = Engine(adapter=adapter, model="small-talk")
    show = _Show(page, server)
    thread = Thread().append(user(_QUESTIONS[0]))
    first = show.answer(engine, thread).raise_for_error()
    thread = thread.append(first.message, user(_QUESTIONS[1]))
    second = show.answer(engine, thread).raise_for_error()
    show.stop(engine, thread.append(second.message, user(_QUESTIONS[2])))


def _answer(body: dict[str, Any], index: int, pace: float) -> Answer:
    """Say what the provider answers to the request of that number."""
    if index == 0:
        text = (
            "A recipe. Nothing happens until you subscribe; then the request is sent, and every word comes to you as an "
            "event. Subscribe again, and it is another request."
        )
        return Answer(text, pace=pace)
    if index == 1:
        count = len(body.get("messages", ()))
        text = (
            f"Then the connection closes, and I stop writing. I still know what we talk about: this request brought "
            f"{count} messages, your first question and my answer among them."
        )
        return Answer(text, pace=pace)
    return Answer(faults=[_Endless(pace)])


@dataclass(frozen=True, slots=True)
class _Endless:
    """Counts for as long as somebody listens; see `testing.faults.Fault`."""

    pace: float

    def apply(self, plan: Plan, /) -> Plan:
        write = plan.spelling.text_record
        return replace(plan, frames=(Frame(write(f" {number}"), pause=self.pace) for number in itertools.count(1)))


class _Clock:
    """When the pieces of one answer came, in seconds since the request."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self.at: list[float] = []

    def note(self, event: events.Event) -> None:
        if isinstance(event, events.TextDelta):
            self.at.append(time.perf_counter() - self._begun)

    def told(self) -> str:
        seconds = self.at[-1] - self.at[0]
        rate = f"{(len(self.at) - 1) / seconds:,.0f} tokens/s" if seconds > 0 else "all at once"
        return f"{len(self.at)} chunks, the first after {self.at[0] * 1000:.1f} ms, {rate}"


class _Show:
    """Puts the conversation on the page."""

    def __init__(self, page: Page, server: ProviderServer) -> None:
        self._page = page
        self._server = server
        self._width = min(shutil.get_terminal_size().columns, _WIDEST) - _LABEL
        self._used = 0

    def answer(self, engine: Engine, thread: Thread) -> Response:
        """Stream an answer, then tell what was measured."""
        clock, sent = _Clock(), self._server.bytes_sent
        self._says("you", thread.messages[-1].text)
        self._says("model")
        stream = stream_generate(engine, thread, on_event=clock.note)
        response = lx.run(stream.pipe(ops.do_action(self._piece), lx.collect_response()))
        if clock.at:
            self._remark(f"{clock.told()}, {self._server.bytes_sent - sent:,} bytes")
        return response

    def stop(self, engine: Engine, thread: Thread) -> None:
        """Stream an answer without end, leave it, and tell when the server saw that."""
        closed = len(self._server.closed_by_client)
        self._says("you", thread.messages[-1].text)
        self._says("model")
        stream = stream_generate(engine, thread)
        taken: list[float] = []
        lx.run(
            stream.pipe(
                ops.do_action(self._piece),
                lx.text(),
                ops.take(_TAKEN),  # leaving early is all it takes: the subscription is disposed, and the socket closed
                ops.do_action(lambda _: taken.append(time.monotonic())),
            )
        )
        seen = self._server.wait_closed(closed + 1)[-1].at
        later = (seen - taken[-1]) * 1000
        self._remark(f"left after {len(taken)} chunks; {later:.1f} ms later the server saw the connection close")

    def _says(self, who: str, text: str = "") -> None:
        if who == "you":
            self._page.text("\n")
        self._page.dim(f"{who:<{_LABEL}}")
        self._used = 0
        if text:
            self._page.text(f"{text}\n")

    def _piece(self, event: events.Event) -> None:
        if not isinstance(event, events.TextDelta):
            return
        piece = event.delta if self._used else event.delta.lstrip()
        if self._used + len(piece.rstrip()) > self._width:
            self._page.text(f"\n{' ' * _LABEL}")
            self._used, piece = 0, piece.lstrip()
        self._used += len(piece)
        self._page.text(piece)

    def _remark(self, text: str) -> None:
        self._page.text("\n")
        self._page.dim(f"{' ' * _LABEL}{text}\n")
