"""Folds that belong to one subscription."""

from typing import Self

import reactivex as rx

from allm_rx import operators as lx
from allm_rx.data.events import Event
from allm_rx.testing.marbles import events, expect, observe


class Types:
    """The types of all events."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def apply(self, event: Event) -> Self:
        self.seen.append(event.type)
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Types) and self.seen == other.seen

    __hash__ = None  # type: ignore[assignment]


class Refusing(Types):
    """A fold that raises."""

    def apply(self, event: Event) -> Self:
        raise ValueError(event.type)


def types(*seen: str) -> Types:
    """A fold that has seen these."""
    fold = Types()
    fold.seen += seen
    return fold


def test_it_gives_the_fold_when_the_source_completes() -> None:
    """One item, at the time of completion."""
    seen = observe(events("s-a-(d,|)").pipe(lx.reduce_with(Types)))

    assert seen == expect("----(f,|)", {"f": types("message_started", "text_delta", "message_completed")})


def test_an_empty_source_gives_a_new_fold() -> None:
    """Nothing is a sum too."""
    assert observe(events("--|").pipe(lx.reduce_with(Types))) == expect("--(f,|)", {"f": types()})


def test_each_subscription_has_a_fold_of_its_own() -> None:
    """The second run does not begin where the first one ended."""
    stream = events("a|").pipe(lx.reduce_with(Types))

    assert observe(stream) == observe(stream) == expect("-(f,|)", {"f": types("text_delta")})


def test_an_error_gives_no_fold() -> None:
    """What was folded before an error of the source is dropped."""
    assert observe(events("a-#").pipe(lx.reduce_with(Types))) == expect("--#")


def test_a_fold_that_raises_ends_the_stream() -> None:
    """The exception is the stream's, not the producer's."""
    assert observe(events("-a-b|").pipe(lx.reduce_with(Refusing))) == expect("-#", error=ValueError("text_delta"))


def test_a_maker_that_raises_ends_the_stream() -> None:
    """So is one from making the fold."""

    def make() -> Types:
        raise ValueError("no fold")

    errors: list[Exception] = []
    rx.empty().pipe(lx.reduce_with(make)).subscribe(on_error=errors.append)

    assert [str(error) for error in errors] == ["no fold"]


def test_a_result_is_given_in_place_of_the_fold() -> None:
    """What leaves a fold is often not the fold itself."""
    seen = observe(events("a-b|").pipe(lx.reduce_with(Types, lambda fold: len(fold.seen))))

    assert seen == expect("---(n,|)", {"n": 2})


def test_a_result_that_raises_ends_the_stream() -> None:
    """So does one from making the result."""

    def refuse(fold: Types) -> int:
        raise ValueError(len(fold.seen))

    assert observe(events("a-b|").pipe(lx.reduce_with(Types, refuse))) == expect("---#", error=ValueError(2))


def test_after_a_fold_raised_nothing_more_is_folded() -> None:
    """The rest of what a source gives within `subscribe` is not asked for."""
    seen: list[int] = []

    class Once:
        def apply(self, item: int) -> None:
            seen.append(item)
            raise ValueError(item)

    errors: list[Exception] = []
    rx.of(1, 2, 3).pipe(lx.reduce_with(Once)).subscribe(on_error=errors.append)

    assert (seen, [str(error) for error in errors]) == ([1], ["1"])
