"""A stop button that keeps what there is."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.scheduler import EventLoopScheduler
from reactivex.subject import BehaviorSubject, Subject

from allm_rx import operators as lx
from allm_rx.adapters.fake import delay, error
from allm_rx.data import events as ev
from allm_rx.data.events import Event
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.sessions import Session
from allm_rx.data.usage import Usage
from allm_rx.data.validation import check_thread
from allm_rx.execution.calls import stream, stream_generate, stream_step
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.tools import tool
from allm_rx.sessions import stream_start
from allm_rx.sessions import stream_step as session_step
from allm_rx.testing.marbles import events, observe
from tests.orchestration import after, call, engine, fake_of, kinds, observed, texts


@tool
def look() -> Observable[str]:
    """Answer after ten seconds."""
    return after(10.0, "7 degrees")


def scripted() -> Engine:
    """Text at 2 and 4, a tool until 14, text at 16 and 18."""
    turn = [delay(2), "Let me ", delay(2), "look.", Usage(input_tokens=3), call("look")]
    return engine(turn, [delay(2), "Co", delay(2), "ld."], tools=[look])


CALLS: dict[str, Callable[[Engine], Observable[Event]]] = {
    "generate": lambda here: stream_generate(here, "hi"),
    "step": lambda here: stream_step(here, "hi"),
    "chat": lambda here: stream(here, "hi"),
    "session": lambda here: stream_start(here, "hi"),
    "session_step": lambda here: session_step(here, started()),
}


def started() -> Session:
    """A session that waits for an answer."""
    seen = stream_start(engine(["a"]), "hi").pipe(ops.first())
    first = observed(seen)[0].item
    assert isinstance(first, ev.SessionStarted)
    return first.session


def stopped(seconds: float, source: Observable[Event]) -> list[Event]:
    """The events of a stream that is stopped at a second, held to the grammar."""
    seen = observed(source.pipe(lx.cancel_on(rx.timer(seconds)), lx.validate_grammar()))
    assert all(one.at <= seconds for one in seen)
    return [one.item for one in seen]


# In every phase of every kind.


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("seconds", [0, 1, 3, 5, 13])
def test_it_ends_at_once_in_the_grammar_of_its_kind(kind: str, seconds: float) -> None:
    """Before the first event, in a text, and inside a tool."""
    here = scripted()

    stopped(seconds, CALLS[kind](here))

    opened = len(fake_of(here).requests)
    assert (opened, fake_of(here).disposals) == ((1, 0) if seconds > 4 else (opened, opened))


@pytest.mark.parametrize(("seconds", "steps"), [(15, 1), (17, 2)])
def test_a_later_step_ends_at_once(seconds: float, steps: int) -> None:
    """Its request is closed, and the first step is kept; before its first event there is no second."""
    here = scripted()

    end = stopped(seconds, stream(here, "hi"))[-1]

    assert isinstance(end, ev.ChatCompleted)
    assert (end.result.halted_reason, len(end.result.steps), fake_of(here).disposals) == ("cancelled", steps, 1)
    assert texts(end.result.thread.messages)[-1] == "tool: 7 degrees"


@pytest.mark.parametrize("kind", CALLS)
def test_a_stream_that_has_ended_is_left_alone(kind: str) -> None:
    """The button is pressed too late."""
    late = [one.item for one in observed(CALLS[kind](scripted()).pipe(lx.cancel_on(rx.timer(60.0))))]

    assert kinds(late) == kinds([one.item for one in observed(CALLS[kind](scripted()))])


def test_what_there_is_is_kept() -> None:
    """Partial text, known usage, and a thread that can be sent."""
    end = stopped(5, stream(scripted(), "hi"))[-1]

    assert isinstance(end, ev.ChatCompleted)
    result = end.result
    assert (result.halted_reason, result.usage.input_tokens) == ("cancelled", 3)
    check_thread(result.thread)


def test_partial_text_is_on_the_response_and_not_in_the_thread() -> None:
    """The next request does not send half an answer."""
    end = stopped(3, stream(scripted(), "hi"))[-1]

    assert isinstance(end, ev.ChatCompleted)
    assert end.result.final_response is not None
    assert (end.result.final_response.output_text, texts(end.result.thread.messages)) == ("Let me ", ["user: hi"])


def test_a_step_has_a_steps_result() -> None:
    """With its partial response."""
    end = stopped(3, stream_step(scripted(), "hi"))[-1]

    assert isinstance(end, ev.StepCompleted)
    assert (end.result.halted_reason, end.result.response.output_text) == ("cancelled", "Let me ")


def test_a_session_is_saved_as_cancelled() -> None:
    """And can go on."""
    end = stopped(3, stream_start(scripted(), "hi", id="s"))[-1]

    assert isinstance(end, ev.SessionCompleted)
    assert (end.turn.session.id, end.turn.session.status) == ("s", "cancelled")
    assert isinstance(end.turn.result, ChatResult)


def test_a_step_of_a_session_has_a_steps_result() -> None:
    """As it has when it ends by itself."""
    end = stopped(3, session_step(scripted(), started()))[-1]

    assert isinstance(end, ev.SessionCompleted)
    assert isinstance(end.turn.result, StepResult)


def test_filters_do_not_hide_what_is_kept() -> None:
    """F-08: the partial text is folded, though no delta was shown."""
    end = stopped(3, stream(scripted(), "hi", emit_text_deltas=False))[-1]

    assert isinstance(end, ev.ChatCompleted)
    assert end.result.final_response is not None
    assert end.result.final_response.output_text == "Let me "


def test_a_failure_before_the_stop_is_not_hidden() -> None:
    """The stream has ended with it."""
    seen = stopped(3, stream(engine(["par", error("overloaded")]), "hi"))

    end = seen[-1]
    assert isinstance(end, ev.ChatCompleted)
    assert end.result.halted_reason == "error"


# The stop.


def test_a_stop_that_was_there_before_sends_nothing() -> None:
    """The request is not made."""
    here = scripted()

    seen = [one.item for one in observed(stream(here, "hi").pipe(lx.cancel_on(BehaviorSubject(1)), lx.validate_grammar()))]

    assert kinds(seen) == ["message_completed", "step_completed", "chat_completed"]
    assert fake_of(here).requests == []


def test_only_the_first_stop_counts() -> None:
    """A nervous finger does no harm."""
    twice = rx.timer(3.0, 0.0).pipe(ops.take(3))

    seen = [one.item for one in observed(stream(scripted(), "hi").pipe(lx.cancel_on(twice), lx.validate_grammar()))]

    assert kinds(seen, "chat_completed") == ["chat_completed"]


@pytest.mark.parametrize("never", [rx.empty(), rx.never()])
def test_a_stop_that_never_comes_stops_nothing(never: Observable[Any]) -> None:
    """Completion is no press of the button."""
    seen = [one.item for one in observed(stream(scripted(), "hi").pipe(lx.cancel_on(never)))]

    assert isinstance(seen[-1], ev.ChatCompleted)
    assert seen[-1].result.halted_reason == "completed"


def test_an_error_of_the_stop_goes_to_on_error() -> None:
    """And the request is closed."""
    here = scripted()

    with pytest.raises(KeyError, match="button"):
        observed(stream(here, "hi").pipe(lx.cancel_on(rx.throw(KeyError("button")))))
    assert fake_of(here).disposals <= 1


def test_a_stop_pressed_while_an_event_is_handled() -> None:
    """The handler goes on to its end, then the closing events come."""
    button: Subject[int] = Subject()
    order: list[str] = []

    def press(event: Event) -> None:
        if event.type == "text_delta" and not order:
            button.on_next(1)
            order.append("handled")
        elif order:
            order.append(event.type)

    observed(stream(scripted(), "hi").pipe(lx.cancel_on(button), ops.do_action(press)))

    assert order == ["handled", "message_completed", "step_completed", "chat_completed"]


def test_the_stop_is_left_with_the_stream() -> None:
    """A button outlives many answers."""
    button: Subject[int] = Subject()

    observed(stream(scripted(), "hi").pipe(lx.cancel_on(button)))

    assert button.observers == []


def test_each_subscription_can_be_stopped() -> None:
    """The operator keeps nothing between them."""
    here = engine(*[["a", delay(9)]] * 2)
    source = stream(here, "hi").pipe(lx.cancel_on(rx.timer(3.0)))

    first, second = observed(source), observed(source)

    assert kinds([one.item for one in first]) == kinds([one.item for one in second])


def test_leaving_after_the_operator_is_disposal() -> None:
    """Without closing events."""
    here = scripted()

    seen = observed(stream(here, "hi").pipe(lx.cancel_on(rx.never()), ops.take(2)))

    assert (kinds([one.item for one in seen]), fake_of(here).disposals) == (["message_started", "text_delta"], 1)


# Threads.


def pressed_elsewhere(button: Subject[int]) -> Callable[[Event], None]:
    """Press the button on a thread of its own, at the first text."""

    def press(event: Event) -> None:
        if event.type == "text_delta":
            threading.Thread(target=button.on_next, args=(1,)).start()

    return press


def forever() -> Engine:
    """A model that says something, and then nothing for ever."""
    return engine(["a", delay(3600)])


def test_a_button_on_another_thread_wakes_a_coroutine() -> None:
    """The closing events come on the loop, so `await` ends."""
    button: Subject[int] = Subject()
    threads: set[str] = set()

    async def main() -> ChatResult:
        source = stream(forever(), "hi").pipe(
            lx.cancel_on(button),
            ops.do_action(lambda event: threads.add(threading.current_thread().name)),
            ops.do_action(pressed_elsewhere(button)),
            lx.collect_chat(),
        )
        return await source

    assert asyncio.run(main()).halted_reason == "cancelled"
    assert threads == {"MainThread"}


def test_a_button_on_another_thread_closes_where_events_arrive() -> None:
    """Also on a scheduler's thread, behind the hop."""
    button: Subject[int] = Subject()
    scheduler = EventLoopScheduler()
    threads: set[str] = set()
    done = threading.Event()

    source = stream(forever(), "hi").pipe(lx.cancel_on(button), ops.do_action(pressed_elsewhere(button)))
    source.subscribe(lambda event: threads.add(threading.current_thread().name), on_completed=done.set, scheduler=scheduler)

    assert done.wait(30)
    assert len(threads) == 1
    assert threads.isdisjoint({"MainThread", "allm_rx-io"})
    scheduler.dispose()


def test_a_button_ends_a_blocking_wait() -> None:
    """What comes back can still be run."""
    button: Subject[int] = Subject()
    source = stream(forever(), "hi").pipe(lx.cancel_on(button), ops.do_action(pressed_elsewhere(button)), lx.collect_chat())

    assert lx.run(source, timeout=30).halted_reason == "cancelled"


def test_behind_another_operator_a_coroutine_is_woken_too() -> None:
    """There it ends a generation, and on the subscriber's loop."""
    button: Subject[int] = Subject()

    async def main() -> list[Event]:
        source = stream_generate(forever(), "hi").pipe(
            ops.filter(lambda event: True),
            lx.cancel_on(button),
            ops.do_action(pressed_elsewhere(button)),
            ops.to_list(),
        )
        return await source

    assert kinds(asyncio.run(main())) == ["message_started", "text_delta", "message_completed"]


def test_a_stream_drawn_by_hand_is_a_generation() -> None:
    """Any stream of events can be stopped."""
    stop: Observable[Any] = rx.timer(3.0)

    seen = observe(events("s-a-b-c-(d,|)").pipe(lx.cancel_on(stop), ops.map(lambda event: event.type)))

    assert [(one.time, str(one.value)) for one in seen] == [
        (200, "OnNext(message_started)"),
        (202, "OnNext(text_delta)"),
        (203, "OnNext(message_completed)"),
        (203, "OnCompleted()"),
    ]
