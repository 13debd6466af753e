"""A step's result from its events."""

from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.data.messages import user
from allm_rx.data.threads import Thread
from allm_rx.execution.calls import stream_step
from allm_rx.testing.marbles import events, expect, observe
from tests.orchestration import call, engine, giving, observed, result

THREAD = Thread(messages=[user("hi")])


def test_it_gives_the_result_when_the_stream_completes() -> None:
    """That of the stream's own last event."""
    seen: list[str] = []
    pieces = stream_step(engine([call("look")], tools=[giving(1)]), "hi").pipe(ops.do_action(lambda one: seen.append(one.type)))

    done = result(pieces.pipe(lx.collect_step()))

    assert (done.halted_reason, done.tool_results[0].text, seen[-1]) == (None, "1", "step_completed")


def test_a_stream_left_early_gives_what_there_is() -> None:
    """With the thread that was given."""
    source = stream_step(engine(["a", "b"]), "hi").pipe(ops.take(2), lx.collect_step(THREAD))

    [(_, done)] = observed(source)

    assert (done.halted_reason, done.response.output_text, done.thread) == ("cancelled", "a", THREAD)


def test_it_gives_one_item() -> None:
    """At the end."""
    source = events("s-a-(d,|)").pipe(lx.collect_step(), ops.map(lambda done: done.response.output_text))

    assert observe(source) == expect("----(a,|)", {"a": "a"})


def test_each_subscription_folds_anew() -> None:
    """Nothing leaks from one into the next."""
    source = events("s-a-(d,|)").pipe(lx.collect_step(), ops.map(lambda done: done.response.output_text))

    assert observe(source) == observe(source)
