"""A chat's result from its events."""

from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.data.messages import user
from allm_rx.data.threads import Thread
from allm_rx.execution.calls import stream
from allm_rx.testing.marbles import events, expect, observe
from tests.orchestration import call, engine, giving, observed, texts

THREAD = Thread(messages=[user("hi")])


def test_it_gives_the_result_when_the_stream_completes() -> None:
    """That of the stream's own last event."""
    [(_, done)] = observed(stream(engine([call("look")], ["done"], tools=[giving(1)]), "hi").pipe(lx.collect_chat()))

    assert (done.halted_reason, len(done.steps)) == ("completed", 2)


def test_a_chat_left_in_its_second_step_keeps_the_first() -> None:
    """And the partial text of the second."""
    source = stream(engine([call("look")], ["par", "tial"], tools=[giving(1)]), "hi")

    [(_, done)] = observed(source.pipe(ops.take(11), lx.collect_chat(THREAD)))

    assert (done.halted_reason, len(done.steps), done.final_response.output_text) == ("cancelled", 2, "par")
    assert texts(done.thread.messages)[-1] == "tool: 1"


def test_a_chat_left_at_once_has_the_thread_that_was_given() -> None:
    """Nothing was said."""
    [(_, done)] = observed(stream(engine(["a"]), "hi").pipe(ops.take(0), lx.collect_chat(THREAD)))

    assert (done.halted_reason, done.thread, done.final_response) == ("cancelled", THREAD, None)


def test_it_gives_one_item() -> None:
    """At the end."""
    source = events("s-a-(d,|)").pipe(lx.collect_chat(), ops.map(lambda done: done.halted_reason))

    assert observe(source) == expect("----(a,|)", {"a": "cancelled"})
