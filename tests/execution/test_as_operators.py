"""Calls as operators: prompts in, events out."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.subject import Subject
from reactivex.testing import TestScheduler

from allm_rx import Engine, ToolCall, tool
from allm_rx import operators as lx
from allm_rx.adapters import Fake
from allm_rx.adapters.fake import delay
from allm_rx.data.events import Error, Event
from allm_rx.errors import EngineError, ValidationError
from allm_rx.testing.answers import Answer
from allm_rx.testing.assertions import assert_grammar
from allm_rx.testing.faults import Flood
from allm_rx.testing.marbles import items
from allm_rx.testing.provider_server import ProviderServer
from tests.loopback import Seen, an_engine, text_of

Operator = Callable[..., Callable[[Observable[Any]], Observable[Event]]]

ALL = pytest.mark.parametrize("operator", [lx.generate, lx.switch_generate, lx.chat], ids=lambda operator: operator.__name__)


def echo(*more: Any) -> Engine:
    """An engine that says the prompt again, then what else it is given."""
    return Engine(adapter=Fake(respond=lambda request: [request.messages[-1].text, *more]), model="fake-1")


def timed(prompts: dict[float, str], operator: Callable[[Observable[Any]], Observable[Event]]) -> list[tuple[float, str]]:
    """The text that comes of prompts at these seconds, each piece with its second."""
    scheduler, seen = TestScheduler(), list[tuple[float, str]]()
    source = rx.merge(*(rx.timer(second).pipe(ops.map(lambda _, prompt=prompt: prompt)) for second, prompt in prompts.items()))
    source.pipe(operator, lx.text()).subscribe(lambda text: seen.append((scheduler.clock, text)), scheduler=scheduler)
    scheduler.start()
    return seen


@ALL
def test_each_prompt_is_answered(operator: Operator) -> None:
    """Each in the grammar of its call."""
    for prompt in ("Hi", "Bye"):
        seen = items(rx.of(prompt).pipe(operator(echo())))

        assert text_of(seen) == prompt
        assert_grammar(seen)


@pytest.mark.parametrize("operator", [lx.generate, lx.chat], ids=lambda operator: operator.__name__)
def test_prompts_are_answered_one_after_the_other(operator: Operator) -> None:
    """The second is asked when the first answer has ended, though it came before."""
    assert timed({0: "Hi", 1: "Bye"}, operator(echo(delay(5), "!"))) == [(0, "Hi"), (5, "!"), (5, "Bye"), (10, "!")]


def test_the_latest_prompt_wins() -> None:
    """The answer before it is left in the middle."""
    assert timed({0: "Hi", 3: "Bye"}, lx.switch_generate(echo(delay(5), "!"))) == [(0, "Hi"), (3, "Bye"), (8, "!")]


def test_the_request_that_is_left_is_closed() -> None:
    """The provider sees it."""
    with ProviderServer(Answer(faults=[Flood()])) as server:
        prompts, seen = Subject[str](), Seen()
        subscription = prompts.pipe(lx.switch_generate(an_engine(server))).subscribe(seen.on_next)
        prompts.on_next("Hi")
        seen.wait_text()
        prompts.on_next("Bye")

        assert [one.request for one in server.wait_closed(1)] == [0]
        server.wait_requests(2)  # before that the second connection has no request to be left
        subscription.dispose()
        assert [one.request for one in server.wait_closed(2)] == [0, 1]


def test_a_chat_runs_its_tools() -> None:
    """Until it is done."""

    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"sunny in {city}"

    call = ToolCall(id="c1", name="weather", arguments={"city": "Oslo"})
    engine = Engine(adapter=Fake(scripts=[[call], ["It is sunny."]]), model="fake-1", tools=(weather,))

    seen = lx.run(rx.of("Weather?").pipe(lx.chat(engine), ops.to_list()))

    assert (text_of(seen), seen[-1].type) == ("It is sunny.", "chat_completed")


@ALL
def test_a_prompt_that_cannot_be_sent_is_a_failed_answer(operator: Operator) -> None:
    """One `error` event; the box it was typed into lives on."""
    seen = items(rx.of((), "Hi").pipe(operator(echo())))

    assert isinstance(seen[0], Error)
    assert (seen[0].failure.kind, seen[0].failure.reason) == ("ValidationError", "invalid_request")
    assert text_of(seen) == "Hi"


@ALL
def test_a_key_that_is_missing_is_a_failed_answer(operator: Operator) -> None:
    """Whatever pre-flight raises."""
    engine = Engine(adapter=Fake(script=[], preflight_error=EngineError("missing_key", "No key.")), model="fake-1")

    [error] = items(rx.of("Hi").pipe(operator(engine)))

    assert isinstance(error, Error)
    assert error.failure.reason == "missing_key"


@ALL
def test_what_is_refused_arrives_where_answers_do(operator: Operator) -> None:
    """Not on the thread of whoever typed it."""
    names: list[str] = []
    done = threading.Event()

    rx.of(()).pipe(operator(echo())).subscribe(lambda _: names.append(threading.current_thread().name), on_completed=done.set)

    assert done.wait(30)
    assert names == ["allm_rx-io"]


@ALL
def test_a_mistake_in_the_options_is_told_at_once(operator: Operator) -> None:
    """When the operator is made, not with each prompt."""
    with pytest.raises(TypeError, match=r"lx\.\w+\(\) got an unknown option 'temprature': did you mean 'temperature'\?"):
        operator(echo(), temprature=0.5)
    with pytest.raises(ValidationError, match="max_turns"):
        operator(echo(), max_turns=0)


@ALL
def test_options_reach_the_request(operator: Operator) -> None:
    """As those of the calls do."""
    engine = echo()

    items(rx.of("Hi").pipe(operator(engine, temperature=0.5)))

    assert engine.adapter.requests[0].temperature == 0.5  # type: ignore[union-attr]


@ALL
def test_leaving_leaves_the_answer(operator: Operator) -> None:
    """The request is disposed with the pipe."""
    scheduler, fake = TestScheduler(), Fake(script=["a", delay(9), "b"])
    engine = Engine(adapter=fake, model="fake-1")

    rx.concat(rx.of("Hi"), rx.never()).pipe(operator(engine), ops.take_until(rx.timer(5.0))).subscribe(scheduler=scheduler)
    scheduler.start()

    assert fake.disposals == 1


@ALL
def test_each_subscription_asks_anew(operator: Operator) -> None:
    """The operator keeps nothing between subscriptions."""
    engine = echo()
    stream = rx.of("Hi").pipe(operator(engine))

    assert text_of(items(stream)) == text_of(items(stream)) == "Hi"
    assert len(engine.adapter.requests) == 2  # type: ignore[union-attr]
