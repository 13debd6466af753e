"""Usage: what is not reported stays unknown, newer reports win, answers add up."""

import pytest
from hypothesis import given, settings

from allm_rx.data.usage import Usage
from tests.strategies import usages


@pytest.mark.parametrize(
    ("older", "newer", "known"),
    [
        (Usage(input_tokens=10), Usage(output_tokens=5), Usage(input_tokens=10, output_tokens=5)),
        (Usage(output_tokens=1), Usage(output_tokens=5), Usage(output_tokens=5)),
        (Usage(output_tokens=5), Usage(output_tokens=0), Usage(output_tokens=0)),
        (Usage(total_cost=0.5), Usage(total_cost=0.25), Usage(total_cost=0.25)),
        (Usage(extra={"a": 1, "b": 2}), Usage(extra={"b": 3}), Usage(extra={"a": 1, "b": 3})),
    ],
)
def test_a_newer_report_wins_where_it_says_something(older: Usage, newer: Usage, known: Usage) -> None:
    """F-13: a report without the prompt's tokens does not wipe them; nought is something."""
    assert older.merge(newer) == known


@pytest.mark.parametrize(
    ("left", "right", "total"),
    [
        (Usage(input_tokens=10), Usage(input_tokens=5), Usage(input_tokens=15)),
        (Usage(input_tokens=10), Usage(output_tokens=5), Usage(input_tokens=10, output_tokens=5)),
        (Usage(), Usage(), Usage()),
        (Usage(total_cost=0.5), Usage(total_cost=0.25), Usage(total_cost=0.75)),
        (Usage(extra={"searches": 1}), Usage(extra={"searches": 2}), Usage(extra={"searches": 3})),
        (Usage(extra={"tier": "a"}), Usage(extra={"tier": "b"}), Usage(extra={"tier": "b"})),
        (Usage(extra={"fast": True}), Usage(extra={"fast": 2}), Usage(extra={"fast": 2})),
        (Usage(extra={"fast": 2}), Usage(extra={"fast": True}), Usage(extra={"fast": True})),
    ],
)
def test_answers_add_up(left: Usage, right: Usage, total: Usage) -> None:
    """Numbers are summed, a number is unknown only when neither answer reported it, and a flag is no number."""
    assert left + right == total


@given(usages)
@settings(max_examples=30)
def test_nothing_reported_changes_nothing(usage: Usage) -> None:
    """The empty usage is neutral, on both sides of both operations."""
    assert usage.merge(Usage()) == Usage().merge(usage) == usage
    assert usage + Usage() == Usage() + usage == usage


@given(usages, usages, usages)
@settings(max_examples=30)
def test_the_order_of_grouping_reports_does_not_matter(first: Usage, second: Usage, third: Usage) -> None:
    """A fold may merge as it goes."""
    assert first.merge(second).merge(third) == first.merge(second.merge(third))


def test_neither_operation_changes_its_operands() -> None:
    """Usage is data."""
    left, right = Usage(input_tokens=1, extra={"a": 1}), Usage(input_tokens=2, extra={"a": 2})

    assert (left.merge(right), left + right) == (right, Usage(input_tokens=3, extra={"a": 3}))
    assert left == Usage(input_tokens=1, extra={"a": 1})
