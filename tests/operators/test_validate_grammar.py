"""Holding a stream to the grammar."""

from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import operators as lx
from allm_rx.data.events import TextDelta
from allm_rx.errors import StreamError
from allm_rx.testing.marbles import STARTED, events, expect, observe


def complaint(diagram: str, **lookup: object) -> StreamError:
    """The error that a malformed stream ends with."""
    errors: list[Exception] = []
    scheduler = TestScheduler()
    events(diagram, lookup).pipe(lx.validate_grammar()).subscribe(on_error=errors.append, scheduler=scheduler)
    scheduler.start()

    [error] = errors
    assert isinstance(error, StreamError)
    return error


def test_a_well_formed_stream_passes_unchanged() -> None:
    """Events, times and completion."""
    assert observe(events("s-a-u-(d,|)").pipe(lx.validate_grammar())) == expect("s-a-u-(d,|)")


def test_it_ends_at_the_first_violation() -> None:
    """What came before arrives; neither the wrong event nor what follows does."""
    message = (
        "Event 4, text_delta, breaks the grammar: nothing of an answer follows its message_completed or error. "
        "Mend the source of these events."
    )

    assert observe(events("s-a-d-b-c-|").pipe(lx.validate_grammar())) == expect(
        "s-a-d-#", error=StreamError("malformed_stream", message)
    )


def test_the_error_names_rule_event_and_position() -> None:
    """A program can tell what was wrong."""
    error = complaint("s-x|", x=TextDelta("b", ""))

    assert (error.reason, error.details) == (
        "malformed_stream",
        {"rule": "delta_empty", "event": "text_delta", "position": 2},
    )


def test_a_completion_that_comes_too_early_is_a_violation() -> None:
    """The end of a stream is judged like an event."""
    error = complaint("s-a-|")

    assert error.details == {"rule": "terminal_missing", "event": None, "position": 3}
    assert error.message.startswith("The end of the stream after 2 events breaks the grammar:")


def test_an_error_of_the_source_passes() -> None:
    """A stream that fails is not malformed."""
    assert observe(events("s-#", error=ValueError("x")).pipe(lx.validate_grammar())) == expect("s-#", error=ValueError("x"))


def test_the_source_is_disposed_at_the_violation() -> None:
    """Nobody pays for what is no longer heard."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(10, STARTED), ReactiveTest.on_next(20, STARTED))

    scheduler.start(lambda: source.pipe(lx.validate_grammar()))

    assert source.subscriptions == [ReactiveTest.subscribe(200, 220)]


def test_each_subscription_is_judged_anew() -> None:
    """The automaton belongs to one subscription."""
    stream = events("s-a-(d,|)").pipe(lx.validate_grammar())

    assert observe(stream) == observe(stream) == expect("s-a-(d,|)")
