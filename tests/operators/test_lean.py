"""Streams without a guard of their own."""

import reactivex as rx
from reactivex.disposable import Disposable

from allm_rx.operators.lean import Lean, keep
from allm_rx.testing.marbles import events, expect, observe


def test_only_what_is_wanted_passes() -> None:
    """Order and times stay, and so do both ends."""
    source = events("s-a-b-#")

    assert observe(source.pipe(keep(lambda event: event.type == "text_delta"))) == expect("--a-b-#")


def test_leaving_leaves_the_source() -> None:
    """A filter has nothing of its own to close."""
    left: list[bool] = []
    source: rx.Observable[int] = Lean(lambda observer, scheduler: Disposable(lambda: left.append(True)))

    source.pipe(keep(bool)).subscribe().dispose()

    assert left == [True]


def test_a_lean_stream_takes_callbacks_and_observers_alike() -> None:
    """As every observable does."""
    seen: list[object] = []
    stream = Lean[int](lambda observer, scheduler: rx.of(1).subscribe(observer, scheduler=scheduler))

    stream.subscribe(seen.append, None, lambda: seen.append("end"))
    stream.subscribe(rx.Observer(seen.append, None, lambda: seen.append("end")))

    assert seen == [1, "end", 1, "end"]
