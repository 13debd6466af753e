"""What a stream has cost so far."""

from typing import Any

from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.data.events import RawChunk
from allm_rx.data.usage import Usage
from allm_rx.testing.marbles import OVERLOADED, USAGE, events, expect, items, observe


def report(**numbers: int) -> RawChunk:
    """A report of usage."""
    return RawChunk("usage", Usage(**numbers))


def outputs(diagram: str, **lookup: Any) -> list[int | None]:
    """The output tokens of each item."""
    return [usage.output_tokens for usage in items(events(diagram, lookup).pipe(lx.usage()))]


def test_usage_comes_when_it_is_known() -> None:
    """Not at the end: a failed answer has a price too."""
    assert observe(events("s-u-a-(e,|)").pipe(lx.usage())) == expect("--u---#", {"u": USAGE}, error=OVERLOADED.exception())


def test_reports_about_one_answer_are_merged() -> None:
    """What the later one leaves out stays."""
    seen = items(events("s-x-a-y-(d,|)", {"x": report(input_tokens=7), "y": report(output_tokens=3)}).pipe(lx.usage()))

    assert seen == [Usage(input_tokens=7), Usage(input_tokens=7, output_tokens=3)]


def test_answers_are_added_up() -> None:
    """The last item is the price of the whole chat."""
    reports = {"x": report(output_tokens=1), "y": report(output_tokens=2), "z": report(output_tokens=4)}

    assert outputs("s-a-x-d-s-y-d-s-z-(d,|)", **reports) == [1, 3, 7]


def test_an_answer_that_was_left_has_a_price() -> None:
    """Behind `switch_generate` one begins without an end of the one before."""
    assert outputs("s-x-a-s-y-(d,|)", x=report(output_tokens=1), y=report(output_tokens=2)) == [1, 3]


def test_a_restarted_answer_is_one_answer() -> None:
    """Its next report stands for all of it, as in the fold of a response."""
    assert outputs("s-x-a-r-s-y-(d,|)", x=report(output_tokens=1), y=report(output_tokens=5)) == [1, 5]


def test_the_last_item_is_what_the_response_says() -> None:
    """One answer, read by both."""
    stream = events("s-x-a-y-(d,|)", {"x": report(input_tokens=7), "y": report(output_tokens=3)})

    [response] = items(stream.pipe(lx.collect_response()))

    assert items(stream.pipe(lx.usage(), ops.last())) == [response.usage]


def test_a_report_that_says_nothing_new_gives_nothing() -> None:
    """An item is a change."""
    assert outputs("s-x-x-a-x-(d,|)", x=report(output_tokens=1)) == [1]


def test_frames_of_the_provider_are_no_usage() -> None:
    """Whatever their data is."""
    assert outputs("s-x-(d,|)", x=RawChunk("chunk", {"usage": 1})) == []


def test_each_subscription_counts_anew() -> None:
    """The operator keeps nothing between subscriptions."""
    stream = events("s-u-(d,|)").pipe(lx.usage())

    assert items(stream) == items(stream) == [USAGE]
