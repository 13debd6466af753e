"""Steps until halted."""

import asyncio
import threading
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.scheduler import EventLoopScheduler
from reactivex.subject import Subject

from allm_rx import operators as lx
from allm_rx.abc.tools import AskUser
from allm_rx.adapters.fake import Fake, delay, error, finish
from allm_rx.data import events as ev
from allm_rx.data.messages import Message, user
from allm_rx.data.requests import Request
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.threads import Thread
from allm_rx.data.tools import Tool
from allm_rx.data.usage import Usage
from allm_rx.errors import EngineError, SessionError, ValidationError
from allm_rx.execution.calls import chat, step, stream
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.tools import tool
from tests.orchestration import after, broken, call, engine, events, fake_of, giving, kinds, result, texts


def calling(*, turns: int = 99, **usage: int) -> Engine:
    """An engine whose model calls a tool, turn after turn, and then is done."""
    script = [[call("look"), Usage(**usage)]] * turns
    return engine(*script, ["done"], tools=[giving(1)])


# The stream.


def test_the_canonical_sequence_of_a_chat_with_one_tool() -> None:
    """Every event, in order."""
    seen = events(stream(engine([call("look")], ["done"], tools=[giving(1)]), "hi"))

    assert kinds(seen) == [
        *("message_started", "tool_call_started", "tool_call_delta", "tool_call_completed", "message_completed"),
        *("tool_execution_started", "tool_execution_completed", "tool_result_encoded", "step_completed"),
        *("message_started", "text_delta", "text_completed", "message_completed", "step_completed"),
        "chat_completed",
    ]


def test_each_step_sends_the_thread_of_the_one_before() -> None:
    """The model reads its own calls, and their results."""
    here = engine([call("look")], ["done"], tools=[giving("7 degrees")])

    done = result(chat(here, "hi"))

    first, second = fake_of(here).requests
    assert texts(first.messages) == ["user: hi"]
    assert texts(second.messages) == ["user: hi", "assistant: ", "tool: 7 degrees"]
    assert second.messages == done.steps[0].thread.messages


def test_steps_are_numbered() -> None:
    """From 0, on the events and on the results."""
    done = result(chat(calling(turns=2), "hi"))

    assert [one.index for one in done.steps] == [0, 1, 2]


def test_the_request_id_is_that_of_the_call() -> None:
    """The same through all steps."""
    done = result(chat(calling(turns=2), "hi"))

    assert len({one.response.request_id for one in done.steps}) == 1


def test_usage_is_the_sum_of_all_steps() -> None:
    """What the whole chat cost."""
    assert result(chat(calling(turns=2, input_tokens=5, output_tokens=1), "hi")).usage == Usage(input_tokens=10, output_tokens=2)


def test_options_of_a_request_hold_for_every_step() -> None:
    """Not for the first only."""
    here = calling(turns=1)

    result(chat(here, Request(messages=[user("hi")], temperature=0.5)))

    assert [one.temperature for one in fake_of(here).requests] == [0.5, 0.5]


# Why it ends.


@pytest.mark.parametrize(
    ("reason", "halted"),
    [
        ("stop", "completed"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("other", "other"),
    ],
)
def test_a_finish_reason_ends_the_chat(reason: Any, halted: str) -> None:
    """F-11: the model is not asked again after any of them."""
    here = engine(["a", finish(reason)], ["never"])

    done = result(chat(here, "hi"))

    assert (done.halted_reason, len(fake_of(here).requests)) == (halted, 1)


def test_max_turns_ends_the_chat_after_the_tools() -> None:
    """Their results are in the thread, ready for whoever goes on."""
    done = result(chat(calling(), "hi", max_turns=3))

    assert (done.halted_reason, len(done.steps)) == ("max_turns", 3)
    assert done.thread.messages[-1].role == "tool"
    assert done.thread.unanswered_calls == ()


def test_a_chat_takes_eight_turns_by_default() -> None:
    """A model that never stops does not cost without end."""
    assert len(result(chat(calling(), "hi")).steps) == 8


def test_halt_when_ends_the_chat() -> None:
    """It sees the step's result, thread included."""

    def enough(done: StepResult) -> bool:
        return len(done.thread.messages) > 4

    done = result(chat(calling(), "hi", halt_when=enough))

    assert (done.halted_reason, len(done.steps)) == ("halt_when", 2)


def test_halt_when_is_not_asked_about_an_end() -> None:
    """A chat that is complete is complete."""
    assert result(chat(engine(["a"]), "hi", halt_when=lambda step: True)).halted_reason == "completed"


def test_what_halt_when_raises_goes_to_on_error() -> None:
    """It is the caller's own function, and not part of the conversation."""

    def fail(step: StepResult) -> bool:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        result(chat(calling(), "hi", halt_when=fail))


def test_a_usage_limit_ends_the_chat() -> None:
    """After the step that went over it."""
    done = result(chat(calling(input_tokens=10), "hi", usage_limit=Usage(input_tokens=25)))

    assert (done.halted_reason, len(done.steps)) == ("usage_limit", 3)


def test_a_cost_limit_ends_the_chat() -> None:
    """Money is a limit like tokens."""
    turn = [call("look"), Usage(total_cost=0.4)]

    done = result(chat(engine(turn, turn, turn, tools=[giving(1)]), "hi", usage_limit=Usage(total_cost=0.5)))

    assert (done.halted_reason, len(done.steps)) == ("usage_limit", 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("usage_limit", 5), ("inbox", ["hi"]), ("tool_executor", 5), ("max_turns", 0), ("halt_when", True)],
)
def test_an_impossible_value_is_refused_at_the_call(name: str, value: Any) -> None:
    """The message names the option."""
    options: Any = {name: value}

    with pytest.raises(ValidationError, match=name):
        chat(engine(["a"]), "hi", **options)


# Failures.


def test_a_failure_in_a_later_step_keeps_the_earlier() -> None:
    """Their results, their thread, and the failure."""
    done = result(chat(engine([call("look")], ["par", error("overloaded")], tools=[giving(1)]), "hi"))

    assert (done.halted_reason, len(done.steps)) == ("error", 2)
    assert texts(done.thread.messages) == ["user: hi", "assistant: ", "tool: 1"]
    assert done.error is not None
    assert done.error.reason == "overloaded"
    assert done.final_response is not None
    assert done.final_response.output_text == "par"


class LosingItsKey(Fake):
    """An adapter whose key is taken away after the first answer."""

    def preflight(self, request: Request, call: Any, /) -> None:
        if self.requests:
            raise EngineError("missing_key", "There is no API key.")


def losing() -> Engine:
    """An engine whose second step cannot be sent."""
    return Engine(adapter=LosingItsKey([call("look")]), model="m", tools=[giving(1)])


def test_a_preflight_failure_in_a_later_step_is_in_band() -> None:
    """F-02: an error event, the step's end and the chat's, earlier work kept."""
    seen = events(stream(losing(), "hi"))

    assert kinds(seen)[-4:] == ["step_completed", "error", "step_completed", "chat_completed"]


def test_a_preflight_failure_in_a_later_step_is_the_chats_error() -> None:
    """The result tells what to do, and has the thread of the first step."""
    done = result(chat(losing(), "hi"))

    assert (done.halted_reason, texts(done.thread.messages)[-1]) == ("error", "tool: 1")
    assert done.error is not None
    assert done.error.reason == "missing_key"


def test_a_script_that_is_exhausted_is_the_chats_error() -> None:
    """F-02: as any failure of a provider."""
    done = result(chat(engine([call("look")], tools=[giving(1)]), "hi"))

    assert (done.halted_reason, len(done.steps)) == ("error", 2)


def test_raise_for_error_raises_what_failed() -> None:
    """Of a chat, a step, or a tool that halted."""
    done = result(chat(engine([call("look")], tools=[giving(ValueError("no"))]), "hi", on_tool_error="halt"))

    with pytest.raises(Exception, match="raised ValueError: no"):
        done.raise_for_error()
    with pytest.raises(Exception, match="raised ValueError: no"):
        done.steps[0].raise_for_error()


def test_raise_for_error_gives_a_result_that_did_not_fail() -> None:
    """So it can stand in a chain."""
    done = result(chat(engine(["a"]), "hi"))

    assert done.raise_for_error() is done
    assert done.steps[0].raise_for_error() is done.steps[0]


# Going on.


def test_the_thread_of_a_chat_goes_on() -> None:
    """The result is the next input."""
    here = engine(["one"], ["two"])

    first = result(chat(here, "hi"))
    second = result(chat(here, first.thread.append(user("and?"))))

    assert texts(second.thread.messages) == ["user: hi", "assistant: one", "user: and?", "assistant: two"]


def test_an_answer_takes_the_place_of_its_question() -> None:
    """F-31: the model reads the answer as the tool's result, and there is no second assistant message."""
    here = engine([call("look")], ["done"], tools=[giving(AskUser("Which?"))])

    asked = result(chat(here, "hi"))
    done = result(chat(here, asked.resume("Oslo")))

    assert texts(done.thread.messages) == ["user: hi", "assistant: ", "tool: Oslo", "assistant: done"]


def test_several_questions_are_answered_by_id() -> None:
    """Each gets its own answer."""
    here = engine([call("look", "a"), call("look", "b")], tools=[giving(AskUser("Which?"))])

    asked = result(chat(here, "hi"))

    assert texts(asked.resume({"b": "Bergen", "a": "Oslo"}).messages)[-2:] == ["tool: Oslo", "tool: Bergen"]


@pytest.mark.parametrize("answer", ["Oslo", {"a": "Oslo"}])
def test_no_question_is_left_out(answer: Any) -> None:
    """The message names those that wait."""
    here = engine([call("look", "a"), call("look", "b")], tools=[giving(AskUser("Which?"))])

    with pytest.raises(SessionError, match="'b'"):
        result(chat(here, "hi")).resume(answer)


def test_a_step_is_resumed_like_a_chat() -> None:
    """Its question is in the same place."""
    asked = result(step(engine([call("look")], tools=[giving(AskUser("Which?"))]), "hi"))

    assert texts(asked.resume("Oslo").messages)[-1] == "tool: Oslo"


def test_without_a_question_there_is_nothing_to_resume() -> None:
    """The message says what to send."""
    with pytest.raises(SessionError, match="send the thread itself"):
        result(chat(engine(["a"]), "hi")).resume("Oslo")


def test_the_last_answer_is_the_text_of_the_result() -> None:
    """Of a chat, of a step, and of a chat that never was."""
    done = result(chat(engine([call("look")], ["done"], tools=[giving(1)]), "hi"))

    assert (done.output_text, done.steps[0].output_text) == ("done", "")
    assert ChatResult(thread=Thread(), halted_reason="cancelled").output_text == ""


# Messages that come meanwhile.


def test_a_message_of_the_inbox_is_added_before_the_next_step() -> None:
    """The model reads it with its tools' results."""
    here = engine([call("wait")], ["done"], tools=[waiting(5)])

    done = result(chat(here, "hi", inbox=after(2, "And hurry.")))

    assert texts(done.thread.messages) == ["user: hi", "assistant: ", "tool: late", "user: And hurry.", "assistant: done"]


def waiting(seconds: float) -> Any:
    """A tool that takes its time."""

    @tool
    def wait() -> Observable[str]:
        return after(seconds, "late")

    return wait


def test_a_message_that_comes_while_the_model_finishes_is_answered() -> None:
    """It is not lost, though the answer was complete."""
    here = engine(["one", delay(5)], ["two"])

    done = result(chat(here, "hi", inbox=after(2, user("And?"))))

    assert texts(done.thread.messages) == ["user: hi", "assistant: one", "user: And?", "assistant: two"]
    assert done.halted_reason == "completed"


def test_a_message_after_the_last_turn_is_in_the_thread() -> None:
    """Whoever goes on, answers it."""
    done = result(chat(engine(["one", delay(5)]), "hi", inbox=after(2, "And?"), max_turns=1))

    assert texts(done.thread.messages) == ["user: hi", "assistant: one", "user: And?"]
    assert (done.halted_reason, len(done.steps)) == ("completed", 1)


def test_a_message_beside_calls_that_wait_is_left_out() -> None:
    """Between a call and its result no provider takes one."""
    done = result(chat(engine([call("pay"), delay(5)], tools=[Tool(name="pay")]), "hi", inbox=after(2, "And?")))

    assert texts(done.thread.messages) == ["user: hi", "assistant: "]


def test_a_message_of_the_inbox_that_cannot_be_sent_is_an_error_event() -> None:
    """Pre-flight holds for what was added, too."""
    here = engine([call("wait")], ["done"], tools=[waiting(5)])

    done = result(chat(here, "hi", inbox=after(2, Message(role="assistant", content=[broken("look")]))))

    assert done.error is not None
    assert (done.halted_reason, done.error.kind) == ("error", "ValidationError")


def test_an_error_of_the_inbox_goes_to_on_error() -> None:
    """It is the caller's stream."""
    with pytest.raises(KeyError, match="mail"):
        result(chat(engine([delay(5)]), "hi", inbox=rx.throw(KeyError("mail"))))


def test_messages_may_come_on_any_thread() -> None:
    """None of them is lost, and all of their events come on the loop's."""
    inbox: Subject[str] = Subject()
    threads: set[str] = set()

    @tool
    def look() -> None:
        senders = [threading.Thread(target=inbox.on_next, args=(f"m{number}",)) for number in range(20)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    async def main() -> ChatResult:
        here = engine([call("look")], ["done"], tools=[look])
        return await chat(here, "hi", inbox=inbox, on_event=lambda event: threads.add(threading.current_thread().name))

    done = asyncio.run(main())

    assert sorted(message.text for message in done.thread.messages[3:-1]) == sorted(f"m{number}" for number in range(20))
    assert threads == {"MainThread"}


def test_the_inbox_is_left_with_the_chat() -> None:
    """Nobody reads it any more."""
    inbox: Subject[str] = Subject()

    result(chat(engine(["a"]), "hi", inbox=inbox))

    assert inbox.observers == []


# Many turns.


def test_the_stream_and_the_result_are_those_of_one_subscription() -> None:
    """Each subscription is a chat of its own."""
    here = Engine(adapter=Fake(respond=lambda request: ["done"] if len(request.messages) > 1 else [call("look")]), model="m")
    stream_of_it = stream(here, "hi", tools=[giving(1)])

    assert len(events(stream_of_it)) == len(events(stream_of_it))
    assert len(fake_of(here).requests) == 4


def test_a_chat_on_a_threads_scheduler_delivers_there() -> None:
    """All events, terminals included."""
    threads: set[str] = set()
    done = threading.Event()
    scheduler = EventLoopScheduler()

    stream(calling(turns=3), "hi").subscribe(
        lambda event: threads.add(threading.current_thread().name), on_completed=done.set, scheduler=scheduler
    )

    assert done.wait(30)
    assert len(threads) == 1
    assert threads.isdisjoint({"MainThread", "allm_rx-io"})
    scheduler.dispose()


def test_collect_chat_is_the_fold_behind_chat() -> None:
    """The pieces and the result of one subscription."""
    seen: list[str] = []
    pieces = stream(calling(turns=1), "hi").pipe(ops.do_action(lambda event: seen.append(event.type)))

    done = result(pieces.pipe(lx.collect_chat()))

    assert (done.halted_reason, seen[-1]) == ("completed", "chat_completed")


def test_a_chat_over_nothing_is_refused() -> None:
    """An empty thread has nothing to answer."""
    with pytest.raises(ValidationError, match="no message"):
        chat(engine(["a"]), Thread())


def test_events_of_a_chat_survive_json() -> None:
    """Results with their threads included."""
    seen = events(stream(calling(turns=1, input_tokens=3), "hi"))

    assert [ev.loads(ev.dumps(event)) for event in seen] == seen
