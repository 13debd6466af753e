"""What a subscriber sees of a generation: `on_event` first, then the filters, and nothing else."""

import logging
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from allm_rx.abc.adapter import Call
from allm_rx.adapters.fake import Fake, delay, error, finish, reasoning
from allm_rx.data import events as ev
from allm_rx.data.events import Event
from allm_rx.data.parts import ProviderPart, SourcePart, ToolCall
from allm_rx.data.requests import Request
from allm_rx.data.usage import Usage
from allm_rx.execution.calls import generate, stream_generate
from allm_rx.runtime import options
from allm_rx.runtime.engine import Engine
from allm_rx.testing.marbles import observe

SCRIPT: list[Any] = [
    ev.RawChunk("provider.frame", {"n": 1}),
    reasoning("Hm"),
    "Hel",
    "lo",
    ToolCall(id="c", name="t", arguments={"x": 1}),
    SourcePart(url="https://example.com"),
    ProviderPart(kind="other"),
    Usage(input_tokens=1),
]
ALL = [
    "message_started",
    "raw_chunk provider.frame",
    "reasoning_delta",
    "reasoning_completed",
    "text_delta",
    "text_delta",
    "text_completed",
    "tool_call_started",
    "tool_call_delta",
    "tool_call_completed",
    "source_added",
    "provider_item",
    "raw_chunk usage",
    "message_completed",
]


def engine_of(*script: Any) -> Engine:
    return Engine(adapter=Fake(script=script), model="m")


def named(event: Event) -> str:
    return f"raw_chunk {event.kind}" if isinstance(event, ev.RawChunk) else event.type


def seen(stream: rx.Observable[Event]) -> list[str]:
    """The names of the events of a stream, and how it ended."""
    found: list[str] = []
    for message in observe(stream):
        notification: Any = message.value
        value = getattr(notification, "value", None)
        found.append(notification.kind if value is None else named(value))
    return found


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("tool", [True, False])
@pytest.mark.parametrize("text", [True, False])
def test_the_table_of_filters(*, text: bool, tool: bool, raw: bool) -> None:
    """Each switch drops exactly its kinds of event; usage and everything else always pass."""
    dropped = {
        *(() if text else ("text_delta", "reasoning_delta")),
        *(() if tool else ("tool_call_delta",)),
        *(() if raw else ("raw_chunk provider.frame",)),
    }

    stream = stream_generate(engine_of(*SCRIPT), "Hi", emit_text_deltas=text, emit_tool_deltas=tool, include_raw_chunks=raw)

    assert seen(stream) == [*(name for name in ALL if name not in dropped), "C"]


def test_without_switches_only_raw_frames_are_dropped() -> None:
    """By default everything but the provider's own frames is seen."""
    assert seen(stream_generate(engine_of(*SCRIPT), "Hi")) == [*(name for name in ALL if "frame" not in name), "C"]


def test_frames_that_nobody_wants_are_filtered_also_when_an_adapter_gives_them() -> None:
    """An adapter that ignores `include_raw_chunks` does not change what is seen."""

    class Chatty(Fake):
        def stream(self, request: Request, call: Call, /) -> rx.Observable[Event]:
            return super().stream(request, Call(host=call.host, request_id=call.request_id, include_raw_chunks=True))

    engine = Engine(adapter=Chatty(script=SCRIPT), model="m")

    assert "raw_chunk provider.frame" not in seen(stream_generate(engine, "Hi"))


# on_event.


def test_on_event_sees_every_event_once_in_order_before_the_filters() -> None:
    """Filters shape what subscribers see, never what `on_event` is told."""
    told: list[str] = []

    stream = stream_generate(
        engine_of(*SCRIPT),
        "Hi",
        on_event=lambda event: told.append(named(event)),
        emit_text_deltas=False,
        emit_tool_deltas=False,
        include_raw_chunks=True,
    )
    observe(stream)

    assert told == ALL


def test_on_event_is_told_before_the_subscriber() -> None:
    """An event is observed first, then delivered."""
    order: list[str] = []
    stream = stream_generate(engine_of("a"), "Hi", on_event=lambda event: order.append(f"on_event {event.type}"))

    observe(stream.pipe(ops.do_action(lambda event: order.append(f"subscriber {event.type}"))))

    assert order[:4] == ["on_event message_started", "subscriber message_started", "on_event text_delta", "subscriber text_delta"]


def test_what_on_event_raises_reaches_on_error_and_closes_the_request() -> None:
    """It is the caller's own exception, at the event that brought it about; the call itself did not raise."""

    def watch(event: Event) -> None:
        if event.type == "text_delta":
            raise LookupError("mine")

    engine = engine_of("a", delay(100), "b")
    (started, failed) = observe(stream_generate(engine, "Hi", on_event=watch))
    notification: Any = failed.value
    fake: Any = engine.adapter

    assert (started.time, failed.time) == (200, 200)
    assert repr(notification.exception) == "LookupError('mine')"
    assert fake.disposals == 1


def test_what_on_event_raises_fails_the_fold_too() -> None:
    """`generate` tells it the same way, and gives no response."""

    def watch(event: Event) -> None:
        raise LookupError(event.type)

    (failed,) = observe(generate(engine_of("a"), "Hi", on_event=watch))

    assert repr(getattr(failed.value, "exception", None)) == "LookupError('message_started')"


# Failures and subscriptions.


def test_a_failure_of_the_provider_is_an_event_and_a_completion() -> None:
    """`on_error` is not for what belongs to the conversation."""
    stream = stream_generate(engine_of("par", error("overloaded")), "Hi", retry=False)

    assert seen(stream) == ["message_started", "text_delta", "error", "C"]


def test_each_subscription_is_a_request_of_its_own() -> None:
    """Nothing is sent by the call; the same stream asks again when it is subscribed again."""
    fake = Fake(scripts=[["a"], ["b", finish("length")]])
    stream = stream_generate(Engine(adapter=fake, model="m"), "Hi")
    assert fake.requests == []

    observe(stream)
    last: Any = observe(stream)[-2].value

    assert len(fake.requests) == 2
    assert last.value.finish_reason == "length"


# Options of other calls.


def given_orchestration() -> dict[str, Any]:
    return {
        "mode": "manual",
        "max_turns": 3,
        "halt_when": bool,
        "on_tool_error": "halt",
        "tool_timeout": 1.0,
        "max_concurrency": 2,
        "structured_finalize": True,
        "structured_finalize_nudge": "Now.",
        "tool_executor": print,
        "tool_result_encoder": str,
        "usage_limit": Usage(total_tokens=5),
        "inbox": rx.never(),
    }


@pytest.mark.parametrize("call", [generate, stream_generate])
def test_orchestration_options_are_dropped_and_each_is_logged(call: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The options of a `chat` call can stay when it becomes a generation; the log names each, and the function."""
    given = given_orchestration()
    assert given.keys() == options.ORCHESTRATION

    with caplog.at_level(logging.DEBUG, logger="allm_rx.stream_runner"):
        observe(call(engine_of("a"), "Hi", **given))

    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("allm_rx.stream_runner", "DEBUG", f"{call.__name__}() drops the option {name!r}: it belongs to `step` and `chat`")
        for name in sorted(given)
    ]


def test_nothing_is_logged_when_nothing_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """A plain call is quiet."""
    with caplog.at_level(logging.DEBUG, logger="allm_rx.stream_runner"):
        observe(stream_generate(engine_of("a"), "Hi", temperature=0.5))

    assert caplog.records == []


def test_dropped_options_never_reach_the_adapter() -> None:
    """The request and the call are the same with and without them."""
    given: list[tuple[Request, Call]] = []

    class Remembering(Fake):
        def stream(self, request: Request, call: Call, /) -> rx.Observable[Event]:
            given.append((request, call))
            return super().stream(request, call)

    engine = Engine(adapter=Remembering(script=["a"]), model="m")

    observe(stream_generate(engine, "Hi", request_id="r"))
    observe(stream_generate(engine, "Hi", request_id="r", **given_orchestration()))

    assert given[0] == given[1]
