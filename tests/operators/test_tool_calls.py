"""The tool calls of an answer."""

from reactivex import operators as ops
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import operators as lx
from allm_rx.data.events import ToolCallCompleted, ToolCallDelta, ToolCallStarted
from allm_rx.data.parts import ToolCall
from allm_rx.testing.marbles import OVERLOADED, events, expect, observe

CALL = {
    "1": ToolCallStarted("c1", "weather"),
    "2": ToolCallDelta("c1", '{"city":"Oslo"}'),
    "3": ToolCallCompleted("c1", "weather", {"city": "Oslo"}, '{"city":"Oslo"}'),
}
OSLO = {"A": ToolCall(id="c1", name="weather", arguments={"city": "Oslo"}, raw_arguments='{"city":"Oslo"}')}


def test_a_call_comes_when_it_is_complete() -> None:
    """Its start and its pieces give nothing."""
    assert observe(events("s-1-2-3-(d,|)", CALL).pipe(lx.tool_calls())) == expect("------A-|", OSLO)


def test_what_the_provider_runs_is_left_out() -> None:
    """It is nobody's business but the provider's."""
    own = {"x": ToolCallCompleted("c1", "web_search", {}, "{}", provider_executed=True)}

    assert observe(events("s-x-(d,|)", own).pipe(lx.tool_calls())) == expect("----|")


def test_a_call_with_broken_arguments_comes_with_its_error() -> None:
    """Whoever runs calls decides what becomes of it."""
    broken = {"x": ToolCallCompleted("c1", "weather", {}, '{"ci', error="cut")}

    seen = observe(events("s-x-(d,|)", broken).pipe(lx.tool_calls(), ops.map(lambda call: call.error)))

    assert seen == expect("--e-|", {"e": "cut"})


def test_an_error_event_comes_as_on_error_after_the_calls_before_it() -> None:
    """An answer that failed never looks like one without calls."""
    seen = observe(events("s-3-(e,|)", CALL).pipe(lx.tool_calls()))

    assert seen == expect("--A-#", OSLO, error=OVERLOADED.exception())


def test_leaving_early_disposes_the_source() -> None:
    """The first call may be all that is wanted."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(10, CALL["3"]))

    scheduler.start(lambda: source.pipe(lx.tool_calls(), ops.take(1)))

    assert source.subscriptions == [ReactiveTest.subscribe(200, 210)]


def test_each_subscription_reads_anew() -> None:
    """The operator keeps nothing between subscriptions."""
    stream = events("s-3-(d,|)", CALL).pipe(lx.tool_calls())

    assert observe(stream) == observe(stream) == expect("--A-|", OSLO)
