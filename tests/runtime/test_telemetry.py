"""What observers are told of calls, and that they cannot break one."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import reactivex as rx
from reactivex.testing.reactivetest import ReactiveTest

from allm_rx.abc.telemetry import SpanEnd
from allm_rx.adapters.fake import Fake, delay, error
from allm_rx.data.parts import ToolCall
from allm_rx.data.policies import RetryPolicy
from allm_rx.data.usage import Usage
from allm_rx.execution.calls import chat, generate, stream, stream_generate
from allm_rx.operators.text import text
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.telemetry import observe as observe_calls
from allm_rx.runtime.tools import tool
from allm_rx.testing.marbles import observe

OVERLOADED = error("overloaded", "Busy.", status=529)


class Log:
    """An observer that writes everything down of the spans that it is for."""

    def __init__(self) -> None:
        self.started: list[tuple[str, Mapping[str, Any]]] = []
        self.events: list[tuple[int, str, Mapping[str, Any]]] = []
        self.ended: list[tuple[int, SpanEnd]] = []

    def start(self, name: Any, facts: Mapping[str, Any], /) -> "LogSpan":
        self.started.append((name, facts))
        return LogSpan(self, len(self.started))


class LogSpan:
    def __init__(self, log: Log, number: int) -> None:
        self.log = log
        self.number = number

    def event(self, name: Any, facts: Mapping[str, Any], /) -> None:
        self.log.events.append((self.number, name, facts))

    def end(self, end: SpanEnd, /) -> None:
        self.log.ended.append((self.number, end))


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    stop = observe_calls(log)
    yield log
    stop()


def an_engine(*script: Any, **fields: Any) -> Engine:
    return Engine(adapter=Fake(script=script), model="m", **fields)


def test_a_call_is_a_span_with_its_ids(log: Log) -> None:
    """It begins at the subscription, and tells neither content nor keys."""
    call = stream_generate(an_engine("a"), "a secret question", request_id="r", api_key="sk-secret-123456")
    before = list(log.started)

    observe(call)

    assert before == []
    assert log.started == [("stream", {"request_id": "r", "provider": "fake", "model": "m"})]


def test_it_ends_when_the_stream_does_with_what_it_came_to(log: Log) -> None:
    """Outcome, usage and the count of content events."""
    observe(stream_generate(an_engine("a", "b", Usage(output_tokens=2)), "Hi"))

    ((_, end),) = log.ended
    assert (end.outcome, end.content_events, end.usage, end.failure) == ("completed", 3, Usage(output_tokens=2), None)
    assert end.first_content is not None
    assert 0 <= end.first_content <= end.duration


def test_the_first_content_is_told_once(log: Log) -> None:
    """The time to the first token can be shown while the answer still comes."""
    observe(stream_generate(an_engine("a", delay(5), "b"), "Hi"))

    assert [(name, list(facts)) for _, name, facts in log.events] == [("first_content", ["seconds"])]


def test_a_failed_call_ends_with_its_failure(log: Log) -> None:
    """An `error` event is an error here, although the stream completes."""
    observe(stream_generate(an_engine("par", OVERLOADED, retry=False), "Hi"))

    ((_, end),) = log.ended
    assert end.outcome == "error"
    assert end.failure is not None
    assert end.failure.reason == "overloaded"


def test_a_call_that_was_left_ends_as_disposed(log: Log) -> None:
    """Once, whenever and however often it is disposed."""
    observe(stream_generate(an_engine("a", delay(100)), "Hi"), disposed=250)

    assert [(end.outcome, end.content_events) for _, end in log.ended] == [("disposed", 1)]


def test_each_retry_is_told_with_its_reason(log: Log) -> None:
    """Attempt, pause, reason and status, before the pause."""
    policy = RetryPolicy(base_delay=1, jitter=0)
    engine = Engine(adapter=Fake(scripts=[[OVERLOADED], [OVERLOADED], ["a"]]), model="m", retry=policy)

    observe(stream_generate(engine, "Hi"))

    retries = [facts for _, name, facts in log.events if name == "retry"]
    assert retries == [
        {"attempt": 1, "delay": 1.0, "reason": "overloaded", "status": 529},
        {"attempt": 2, "delay": 2.0, "reason": "overloaded", "status": 529},
    ]
    assert [end.outcome for _, end in log.ended] == ["completed"]


def test_two_subscriptions_of_one_stream_are_two_spans(log: Log) -> None:
    """What happens in one is told of that one, also while the other runs."""
    fake = Fake(scripts=[[OVERLOADED], ["a", delay(10)], ["b"]])
    stream = stream_generate(Engine(adapter=fake, model="m", retry=RetryPolicy(base_delay=5, jitter=0)), "Hi")

    observe(rx.merge(stream, stream))

    assert len(log.started) == 2
    assert [number for number, name, _ in log.events if name == "retry"] == [1]
    assert sorted(number for number, _ in log.ended) == [1, 2]


def test_spans_nest_as_the_calls_do(log: Log) -> None:
    """A folded call holds its request; what is within ends first."""
    observe(generate(an_engine("a"), "Hi", request_id="r"))

    assert [name for name, _ in log.started] == ["generate", "stream"]
    assert [number for number, _ in log.ended] == [2, 1]
    assert {facts["request_id"] for _, facts in log.started} == {"r"}


@tool
def double(number: int) -> int:
    """Double a number."""
    return 2 * number


@tool
def fail() -> str:
    """Fail."""
    raise LookupError("nothing there")


def calling(*names: str) -> list[Any]:
    return [ToolCall(id=f"{name}_1", name=name, arguments={"number": 2} if name == "double" else {}) for name in names]


def test_a_chat_tells_its_steps_requests_and_tools(log: Log) -> None:
    """Each with what tells it apart, and never an argument or a result."""
    engine = Engine(adapter=Fake(scripts=[calling("double"), ["4."]]), model="m", tools=[double])

    result = chat(engine, "Hi", request_id="r").run()

    ids = {"request_id": "r", "provider": "fake", "model": "m"}
    assert result.halted_reason == "completed"
    assert log.started == [
        ("chat", ids),
        ("step", {**ids, "index": 0}),
        ("stream", ids),
        ("tool", {**ids, "tool_name": "double", "tool_call_id": "double_1"}),
        ("step", {**ids, "index": 1}),
        ("stream", ids),
    ]
    assert [number for number, _ in log.ended] == [3, 4, 2, 6, 5, 1]
    assert {end.outcome for _, end in log.ended} == {"completed"}


def test_a_chat_ends_with_the_usage_of_all_its_steps(log: Log) -> None:
    """Tokens of every request add up, as they are paid for."""
    scripts = [[*calling("double"), Usage(output_tokens=5)], ["4.", Usage(output_tokens=2)]]

    chat(Engine(adapter=Fake(scripts=scripts), model="m", tools=[double]), "Hi").run()

    used = [(log.started[number - 1][0], end.usage and end.usage.output_tokens) for number, end in log.ended]
    assert used == [("stream", 5), ("tool", None), ("step", 5), ("stream", 2), ("step", 2), ("chat", 7)]


def test_a_tool_that_fails_is_a_span_that_does(log: Log) -> None:
    """Its error is the model's to know: the chat goes on, and is completed."""
    engine = Engine(adapter=Fake(scripts=[calling("fail"), ["I am sorry."]]), model="m", tools=[fail])

    chat(engine, "Hi").run()

    ends = {log.started[number - 1][0]: end for number, end in log.ended}
    assert (ends["tool"].outcome, ends["chat"].outcome) == ("error", "completed")
    assert ends["tool"].failure is not None
    assert ends["tool"].failure.reason == "handler_raised"


def test_a_chat_that_is_left_in_a_tool_ends_all_its_open_spans(log: Log) -> None:
    """As disposed, once each, the tool among them."""

    @tool
    def endless() -> Any:
        """Never end."""
        return rx.never()

    engine = Engine(adapter=Fake(scripts=[calling("endless")]), model="m", tools=[endless])

    observe(stream(engine, "Hi", tool_timeout=1000), disposed=250)

    assert sorted((log.started[number - 1][0], end.outcome) for number, end in log.ended) == [
        ("chat", "disposed"),
        ("step", "disposed"),
        ("stream", "completed"),
        ("tool", "disposed"),
    ]


def test_nobody_is_told_after_the_observer_stopped() -> None:
    """Stopping twice is no error."""
    log = Log()
    stop = observe_calls(log)

    stop()
    stop()
    observe(generate(an_engine("a"), "Hi"))

    assert log.started == []


@pytest.mark.parametrize("method", ["start", "event", "end"])
def test_an_observer_that_raises_breaks_no_call(method: str, caplog: pytest.LogCaptureFixture) -> None:
    """Its exception is logged and dropped; the answer is whole, and other observers are told."""

    class Broken(Log):
        def start(self, name: Any, facts: Mapping[str, Any], /) -> Any:
            if method == "start":
                raise LookupError("mine")
            return self

        def event(self, name: str, facts: Any, /) -> None:
            raise LookupError("mine")

        def end(self, end: SpanEnd, /) -> None:
            raise LookupError("mine")

    log = Log()
    stops = [observe_calls(Broken()), observe_calls(log)]
    with caplog.at_level(logging.ERROR, logger="allm_rx.telemetry"):
        texts = observe(stream_generate(an_engine("a"), "Hi").pipe(text()))
    for stop in stops:
        stop()

    assert texts == [ReactiveTest.on_next(200, "a"), ReactiveTest.on_completed(200)]
    assert len(log.ended) == 1
    assert "an observer raised and was ignored" in caplog.text
