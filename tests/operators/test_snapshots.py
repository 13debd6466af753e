"""The answer so far."""

from typing import Any

from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.data.events import ToolCallStarted
from allm_rx.testing.marbles import OVERLOADED, USAGE, events, expect, items, observe


def texts(diagram: str, lookup: Any = None) -> list[Any]:
    """The text of each snapshot."""
    return observe(events(diagram, lookup).pipe(lx.snapshots(), ops.map(lambda view: view.text)))


def test_a_view_comes_at_each_change() -> None:
    """Each content event grows the text, and the end repeats it."""
    assert texts("s-a-b--c-(d,|)") == expect("--1-2--3-(3,|)", {"1": "a", "2": "ab", "3": "abc"})


def test_what_changes_nothing_gives_no_view() -> None:
    """The start and usage are no change of the answer."""
    assert texts("s-u-|") == expect("----|")


def test_an_error_event_comes_as_on_error() -> None:
    """A display learns of a failure."""
    assert texts("s-a-(e,|)") == expect("--1-#", {"1": "a"}, error=OVERLOADED.exception())


def test_a_restart_shows_an_empty_answer() -> None:
    """The display is cleared when the text becomes void."""
    assert texts("s-a-r-s-b-(d,|)") == expect("--1-2---3-(3,|)", {"1": "a", "2": "", "3": "b"})


def test_a_view_stays_as_it_was() -> None:
    """One that is read late shows its own moment, not the last."""
    views = items(events("s-a-b-(d,|)").pipe(lx.snapshots()))

    assert [view.text for view in views] == ["a", "ab", "ab"]


def test_the_last_view_knows_usage_and_finish_reason() -> None:
    """What was reported before the end is on it."""
    last = items(events("s-a-u-d").pipe(lx.snapshots()))[-1]

    assert (last.finish_reason, last.usage) == ("stop", USAGE)


def test_a_call_that_is_not_complete_carries_an_error() -> None:
    """A view shows a call from its start, and that it cannot be run yet."""
    [view] = items(events("x", {"x": ToolCallStarted("c", "look_up")}).pipe(lx.snapshots()))

    assert [(call.name, call.error is None) for call in view.tool_calls] == [("look_up", False)]


def test_the_next_answer_begins_anew() -> None:
    """Neither the answer of the step before it is shown, nor one that was left without an end."""
    assert texts("s-a-d-s-b-s-c-|") == expect("--1-1---2---3-|", {"1": "a", "2": "b", "3": "c"})
