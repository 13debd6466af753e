"""Waiting in blocking code."""

import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.internal.exceptions import SequenceContainsNoElementsError
from reactivex.scheduler import NewThreadScheduler

from allm_rx import operators as lx
from allm_rx.abc.flow import RunScheduler
from allm_rx.operators.run import RunnableObservable


class Endless:
    """A stream that emits once and never ends; it tells when somebody subscribed and left."""

    def __init__(self) -> None:
        self.subscribed = threading.Event()
        self.disposed = threading.Event()
        self.schedulers: list[Any] = []

    def stream(self) -> RunnableObservable[int]:
        def subscribe(observer: Any, scheduler: Any = None) -> Disposable:
            self.schedulers.append(scheduler)
            observer.on_next(1)
            self.subscribed.set()
            return Disposable(self.disposed.set)

        return RunnableObservable(subscribe)


Run = Callable[[RunnableObservable[Any]], Any]


def by_method(stream: RunnableObservable[Any]) -> Any:
    """Run it by its own method."""
    return stream.run()


both_ways = pytest.mark.parametrize("run", [lx.run, by_method], ids=["function", "method"])


@both_ways
def test_it_gives_the_last_value(run: Run) -> None:
    """The values before it are passed over."""
    assert run(runnable(rx.of(1, 2, 3))) == 3


@both_ways
def test_none_is_a_value(run: Run) -> None:
    """A stream of None is not an empty one."""
    assert run(runnable(rx.of(None))) is None


@both_ways
def test_the_error_of_the_stream_is_raised(run: Run) -> None:
    """The very exception, also when a value came before it."""
    error = ValueError("broken")

    with pytest.raises(ValueError, match="broken") as raised:
        run(runnable(rx.of(1).pipe(ops.concat(rx.throw(error)))))

    assert raised.value is error


@both_ways
def test_an_empty_stream_is_an_error(run: Run) -> None:
    """There is nothing to give."""
    with pytest.raises(SequenceContainsNoElementsError):
        run(runnable(rx.empty()))


def runnable(source: Observable[Any]) -> RunnableObservable[Any]:
    """The stream as one that has our `run`."""

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        return source.subscribe(observer, scheduler=scheduler)

    return RunnableObservable(subscribe)


def test_a_falsy_exception_is_raised_too() -> None:
    """What counts is that the stream failed, not what its exception looks like."""

    class FalsyError(Exception):
        def __bool__(self) -> bool:
            return False

    with pytest.raises(FalsyError):
        lx.run(rx.throw(FalsyError()))


def test_a_value_from_another_thread_arrives() -> None:
    """The wait ends when the stream does, wherever that is."""
    assert lx.run(rx.of(1, 2).pipe(ops.subscribe_on(NewThreadScheduler()))) == 2


@both_ways
def test_ctrl_c_closes_the_request(run: Run) -> None:
    """`KeyboardInterrupt` leaves the wait, and the subscription is disposed."""
    endless, waiting = Endless(), threading.get_ident()

    def press() -> None:
        endless.subscribed.wait()
        while sys._current_frames()[waiting].f_code.co_name != "wait":  # pyright: ignore[reportPrivateUsage]
            continue  # it has not returned from `subscribe` yet
        signal.raise_signal(signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        run(endless.stream())
    presser.join()

    assert endless.disposed.is_set()


def test_ctrl_c_within_subscribe_loses_no_subscription() -> None:
    """A signal that comes before there is anything to dispose is raised right after there is."""
    disposed = threading.Event()

    def subscribe(observer: object, scheduler: object = None) -> Disposable:
        signal.raise_signal(signal.SIGINT)
        return Disposable(disposed.set)

    stream: rx.Observable[int] = rx.create(subscribe)

    with pytest.raises(KeyboardInterrupt):
        lx.run(stream)

    assert disposed.is_set()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_time_out_closes_the_request() -> None:
    """The message says how long was waited."""
    endless = Endless()

    with pytest.raises(TimeoutError, match="did not end within 0 s"):
        lx.run(endless.stream(), timeout=0)

    assert endless.disposed.is_set()


def test_the_method_has_a_time_out_as_well() -> None:
    """It is the same wait."""
    with pytest.raises(TimeoutError):
        Endless().stream().run(timeout=0)


def test_the_default_scheduler_names_no_place() -> None:
    """Our streams see by it that a thread waits."""
    endless = Endless()

    with pytest.raises(TimeoutError):
        lx.run(endless.stream(), timeout=0)

    assert [type(scheduler) for scheduler in endless.schedulers] == [RunScheduler]


def test_another_scheduler_is_passed_on() -> None:
    """And cleaned up all the same."""
    endless, scheduler = Endless(), NewThreadScheduler()

    with pytest.raises(TimeoutError):
        endless.stream().run(scheduler, timeout=0)

    assert (endless.schedulers, endless.disposed.is_set()) == ([scheduler], True)
