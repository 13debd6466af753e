"""One generation and its tools: the stream, the result, and the thread they leave."""

from typing import Any

import pytest

from allm_rx.adapters.fake import Fake, error, finish
from allm_rx.data import events as ev
from allm_rx.data.messages import assistant, system, user
from allm_rx.data.requests import PromptCache, Request
from allm_rx.data.threads import Thread
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.data.usage import Usage
from allm_rx.errors import EngineError, ValidationError
from allm_rx.execution.calls import chat, step, stream, stream_step
from allm_rx.runtime.engine import Engine
from tests.orchestration import broken, call, engine, events, fake_of, giving, kinds, observed, result, texts

PAY = Tool(name="pay")


def test_a_step_without_tools_is_its_answer() -> None:
    """The generation's events, then the result."""
    seen = events(stream_step(engine(["Hel", "lo"]), "hi"))

    assert kinds(seen) == ["message_started", "text_delta", "text_delta", "text_completed", "message_completed", "step_completed"]
    assert isinstance(seen[-1], ev.StepCompleted)
    assert texts(seen[-1].result.thread.messages) == ["user: hi", "assistant: Hello"]


def test_a_step_with_tools_may_go_on() -> None:
    """Its thread is ready to be sent again, and nothing has halted."""
    here = engine([call("look")], ["done"], tools=[giving("7 degrees")])

    first = result(step(here, "hi"))
    second = result(step(here, first.thread))

    assert (first.halted_reason, second.halted_reason) == (None, "completed")
    assert texts(second.thread.messages) == ["user: hi", "assistant: ", "tool: 7 degrees", "assistant: done"]


def test_the_tools_turn_begins_when_the_generation_has_ended() -> None:
    """Usage that comes late is still the generation's."""
    seen = events(stream_step(engine([call("look"), Usage(input_tokens=3)], tools=[giving(1)]), "hi"))

    assert kinds(seen, "raw_chunk", "message_completed", "tool_execution_started") == [
        "raw_chunk",
        "message_completed",
        "tool_execution_started",
    ]


def test_the_thread_keeps_the_applications_notes() -> None:
    """A thread that was given comes back longer, and otherwise as it was."""
    thread = Thread(messages=[user("hi")], metadata={"topic": "weather"})

    assert result(step(engine(["a"]), thread)).thread.metadata == {"topic": "weather"}


def test_the_mode_manual_runs_nothing() -> None:
    """All calls wait, also those of unknown tools, and there is no event of a tool."""
    here = engine([call("look", "a"), call("fly", "b"), broken("look", "c")], tools=[giving(1)])

    seen = events(stream_step(here, "hi", mode="manual"))

    assert isinstance(seen[-1], ev.StepCompleted)
    done = seen[-1].result
    assert kinds(seen)[-2:] == ["message_completed", "step_completed"]
    assert (done.halted_reason, [one.id for one in done.pending_tool_calls]) == ("manual_tool_calls", ["a", "b", "c"])
    assert [one.id for one in done.thread.unanswered_calls] == ["a", "b", "c"]


@pytest.mark.parametrize("tool", [PAY, Tool(name="pay", manual=True), giving(1, "pay", manual=True)])
def test_manual_tools_wait_while_the_others_run(tool: Any) -> None:
    """Without a handler, or because the tool says so."""
    done = result(step(engine([call("pay", "a"), call("look", "b")], tools=[tool, giving(1)]), "hi"))

    assert done.halted_reason == "manual_tool_calls"
    assert [one.id for one in done.pending_tool_calls] == ["a"]
    assert [one.id for one in done.tool_results] == ["b"]


def test_a_tool_of_the_providers_is_no_tool_of_ours() -> None:
    """It is offered, and never run here."""
    hosted = provider_tool("anthropic.messages", {"type": "web_search_20250305", "name": "web_search"})
    here = engine(["a"], tools=[hosted])

    assert result(step(here, "hi")).halted_reason == "completed"
    assert fake_of(here).requests[0].tools == (hosted,)


def test_a_request_is_an_input() -> None:
    """Its options hold for the call."""
    here = engine(["a"])

    result(step(here, Request(messages=[system("s"), user("hi")], temperature=0.5)))

    assert (fake_of(here).requests[0].temperature, len(fake_of(here).requests[0].messages)) == (0.5, 2)


class Keyless(Fake):
    """An adapter of a provider that knows no keys of its cache."""

    def preflight(self, request: Request, call: Any, /) -> None:
        if request.prompt_cache is not None and request.prompt_cache.key is not None:
            raise ValidationError("invalid_request", "There are no keys.")


@pytest.mark.parametrize(
    ("adapter", "cache", "session_id", "key"),
    [
        (Fake, True, "s", "s"),
        (Fake, True, None, None),
        (Fake, PromptCache(key="mine", retention="long"), "s", "mine"),
        (Keyless, True, "s", None),
    ],
)
def test_a_prompt_cache_is_keyed_by_the_session(adapter: type[Fake], cache: Any, session_id: str | None, key: str | None) -> None:
    """Requests of one conversation go to the same cache, where the provider has keys and nobody gave one."""
    here = Engine(adapter=adapter(["a"]), model="m")

    result(step(here, "hi", prompt_cache=cache, session_id=session_id))

    sent = fake_of(here).requests[0].prompt_cache
    assert sent is not None
    assert sent.key == key


def test_a_session_alone_turns_no_cache_on() -> None:
    """Caching is asked for."""
    here = engine(["a"])

    result(step(here, "hi", session_id="s"))

    assert fake_of(here).requests[0].prompt_cache is None


def test_on_event_sees_tools_and_steps() -> None:
    """Every event once, in order, before the filters."""
    seen: list[str] = []

    shown = observed(
        stream_step(
            engine(["a", call("look")], tools=[giving(1)]),
            "hi",
            emit_text_deltas=False,
            on_event=lambda event: seen.append(event.type),
        )
    )

    assert "text_delta" in seen
    assert [kind for kind in seen if kind != "text_delta"] == [one.item.type for one in shown]


def test_filters_do_not_change_the_result() -> None:
    """F-08: what a subscriber does not see is folded all the same."""
    done = result(stream_step(engine(["Hel", "lo"]), "hi", emit_text_deltas=False))

    assert isinstance(done, ev.StepCompleted)
    assert done.result.response.output_text == "Hello"


def test_what_on_event_raises_goes_to_on_error() -> None:
    """And the request is closed."""
    here = engine(["a", "b"])

    def fail(event: ev.Event) -> None:
        raise KeyError("watcher")

    with pytest.raises(KeyError, match="watcher"):
        result(step(here, "hi", on_event=fail))
    assert fake_of(here).disposals == 1


# Failures.


def test_a_failed_answer_is_the_steps_error() -> None:
    """The partial text is on the response, and not in the thread."""
    done = result(step(engine(["par", error("overloaded", status=529)]), "hi"))

    assert (done.halted_reason, done.response.output_text, texts(done.thread.messages)) == ("error", "par", ["user: hi"])
    assert done.error is not None
    assert (done.error.reason, done.error.status) == ("overloaded", 529)


def test_an_answer_that_was_cut_is_kept_without_its_cut_call() -> None:
    """The next request can be sent."""
    cut = broken("look").model_copy(update={"raw_arguments": '{"ci'})

    done = result(step(engine(["Let me", cut, finish("length")], tools=[giving(1)]), "hi"))

    assert (done.halted_reason, texts(done.thread.messages)) == ("length", ["user: hi", "assistant: Let me"])
    assert done.thread.unanswered_calls == ()


@pytest.mark.parametrize("function", [step, stream_step, chat, stream])
def test_unanswered_calls_are_refused_at_the_call(function: Any) -> None:
    """F-32: before any byte goes out, and before anybody subscribes."""
    here = engine(["a"])
    thread = Thread(messages=[user("hi"), assistant([call("look")])])

    with pytest.raises(ValidationError, match="has no result"):
        function(here, thread)
    assert fake_of(here).requests == []


@pytest.mark.parametrize("function", [step, stream_step, chat, stream])
def test_a_call_that_cannot_be_sent_raises_at_once(function: Any) -> None:
    """The same pre-flight as of one generation."""
    with pytest.raises(EngineError, match="model"):
        function(Engine(adapter=Fake(["a"])), "hi")


@pytest.mark.parametrize("function", [step, stream_step, chat, stream])
def test_an_unknown_option_is_a_type_error(function: Any) -> None:
    """The message names the nearest known one."""
    with pytest.raises(TypeError, match="max_turns"):
        function(engine(["a"]), "hi", max_turn=3)


def test_two_tools_of_a_name_in_one_list_are_refused() -> None:
    """Which of them would run is nobody's guess."""
    with pytest.raises(ValidationError, match="look"):
        step(engine(["a"]), "hi", tools=[giving(1), giving(2)])


def test_what_is_no_tool_is_refused() -> None:
    """A function without `@tool` is the usual slip, and the message says so."""
    with pytest.raises(ValidationError, match="@tool"):
        step(engine(["a"]), "hi", tools=[len])
