"""Streams on a GUI's thread, said of every toolkit; what only one of them has is in the files beside this one.

One process per toolkit runs all these programs, in this order.
"""

import asyncio
from typing import Any

import pytest
from reactivex.scheduler import EventLoopScheduler

from allm_rx.runtime.wakers import AsyncioWaker
from allm_rx.testing.answers import Answer
from allm_rx.testing.faults import Flood
from allm_rx.testing.provider_server import ProviderServer
from tests.gui.display import TOOLKITS, outcomes, shown
from tests.gui.sources import FOREVER, PATIENCE, Source

PROGRAMS = (
    "answer",
    "failing",
    "frozen",
    "stop_button",
    "leaving_in_on_next",
    "leaving_elsewhere",
    "raising",
    "subscribing_elsewhere",
    "dialog",
    "interrupted",
    "windows",
)

every_toolkit = pytest.mark.parametrize("toolkit", TOOLKITS)


def seen_by(toolkit: str, program: str) -> Any:
    """Give what a program of `tests.gui.streams` saw."""
    assert program in PROGRAMS
    return outcomes(toolkit, tuple(f"streams.{name}" for name in PROGRAMS))[f"streams.{program}"]


@every_toolkit
def test_all_of_a_stream_comes_on_the_guis_thread(toolkit: str) -> None:
    """A thousand pieces and the end arrive on the GUI's thread, whole, in order, and none inside `subscribe`."""
    assert seen_by(toolkit, "answer") == {
        "threads": ["MainThread"],
        "complete and in order": True,
        "at once": 0,
        "ended on": ["MainThread"],
    }


@every_toolkit
def test_a_failure_comes_on_the_guis_thread(toolkit: str) -> None:
    """What the provider says is an error there, once."""
    assert seen_by(toolkit, "failing") == [["AdapterError", "MainThread"]]


@every_toolkit
def test_a_frozen_gui_pauses_its_stream_and_no_other(toolkit: str) -> None:
    """While a GUI is frozen its source stops at a full queue, a stream of the I/O loop ends, and nothing is lost."""
    seen = seen_by(toolkit, "frozen")

    assert seen["produced while frozen"] < 300
    assert seen["texts in the end"] == 5000


@every_toolkit
def test_a_stop_button_waits_for_nobody(toolkit: str) -> None:
    """`dispose` on the GUI's thread returns although the I/O thread is held up, and nothing follows it."""
    assert seen_by(toolkit, "stop_button") == {"followed": 0, "left": 1}


@every_toolkit
def test_nothing_follows_a_dispose_inside_on_next(toolkit: str) -> None:
    """A subscriber that leaves at the fifth event sees five, although more are queued for it."""
    assert seen_by(toolkit, "leaving_in_on_next") == {"seen": 5, "left": 1}


@every_toolkit
def test_leaving_elsewhere_lets_go_of_widgets_on_the_guis_thread(toolkit: str) -> None:
    """A worker may dispose: at most one event follows, and what the subscription alone owned dies where it may."""
    seen = seen_by(toolkit, "leaving_elsewhere")

    assert seen.pop("followed") <= 1
    assert seen == {"left": 1, "widget died on": ["MainThread"]}


@every_toolkit
def test_what_a_subscriber_raises_is_told_once(toolkit: str) -> None:
    """The exception ends the stream, and comes back as one `SubscriberError` on the GUI's thread."""
    assert seen_by(toolkit, "raising") == {"pieces": ["a"], "failed": [["SubscriberError", "MainThread"]]}


@every_toolkit
def test_subscribing_off_the_guis_thread_is_refused(toolkit: str) -> None:
    """A worker that subscribes with a GUI's scheduler is told where to do it, and nothing is sent."""
    seen = seen_by(toolkit, "subscribing_elsewhere")

    assert "on thread 'worker', which is not the GUI's: subscribe on the GUI's thread" in seen.pop("message")
    assert seen == {"reasons": ["wrong_thread"], "sent": 0}


@every_toolkit
def test_a_dialog_holds_up_its_own_stream_only(toolkit: str) -> None:
    """While a subscriber runs a loop of its own, other streams go on, and it is not called again."""
    assert seen_by(toolkit, "dialog") == {"complete and in order": True}


@every_toolkit
def test_a_main_loop_that_runs_again_finds_its_stream(toolkit: str) -> None:
    """A stream waits while no main loop runs, and goes on with the next."""
    assert seen_by(toolkit, "interrupted") == 2000


@every_toolkit
def test_twenty_windows_leave_nothing(toolkit: str) -> None:
    """Streams that ended, and streams left with their windows, leave no subscription, no window and no timer."""
    assert seen_by(toolkit, "windows") == {"died on": ["MainThread"], "died": 20, "remembered": 0, "leftovers": []}


@every_toolkit
def test_a_chat_of_a_thousand_turns_keeps_both_loops_turning(toolkit: str) -> None:
    """No stack grows with the turns, on either thread; meanwhile the GUI's timer fires, and other streams begin and end."""
    seen = outcomes(toolkit, ("chats.many_turns",))["chats.many_turns"]

    assert seen.pop("timer fired") > 5
    assert seen.pop("other streams") > 5
    assert seen == {"halted": "completed", "turns": 1000, "growth of the stack": [0, 0]}


@every_toolkit
def test_a_gui_closed_in_mid_stream_closes_the_connection(toolkit: str) -> None:
    """A process whose main loop ends in an endless stream ends well, in silence, and its provider sees it."""
    with ProviderServer(Answer(faults=[Flood(" and so on")])) as server:
        arguments = ["-m", "tests.gui", toolkit, "closing.end_of_process", server.base_url("openai-chat")]

        shown(toolkit, arguments, NO_PROXY="127.0.0.1")

        assert len(server.wait_closed()) == 1


@pytest.mark.parametrize("toolkit", ["tk", "pyside6", "pyqt6"])
def test_a_destroyed_gui_ends_its_streams(toolkit: str) -> None:
    """When a GUI is destroyed and the process goes on, every source is left: in a flood, waiting for the GUI, or idle."""
    programs = ("closing.destroyed",)

    assert outcomes(toolkit, programs) == {"closing.destroyed": [True, True, True]}


def test_a_disposed_event_loop_scheduler_ends_its_streams() -> None:
    """A stream whose scheduler is gone is left at its next event."""
    scheduler = EventLoopScheduler()
    source = Source("a", FOREVER)

    scheduler.dispose()
    source.pieces().subscribe(print, scheduler=scheduler)

    assert source.left.wait(PATIENCE)


def test_a_closed_loop_is_gone() -> None:
    """Waking a loop that was closed is no error; the subscription is told once."""
    loop = asyncio.new_event_loop()
    loop.close()
    gone: list[bool] = []
    waker = AsyncioWaker(loop)
    waker.open(lambda: gone.append(True))

    waker.wake(print)
    waker.wake(print)

    assert gone == [True]
