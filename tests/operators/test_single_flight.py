"""Equal requests at the same time are one request."""

import asyncio
from typing import Any

import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.observer import Observer
from reactivex.testing import Recorded, TestScheduler

from allm_rx import Engine, stream_generate
from allm_rx import operators as lx
from allm_rx.adapters import Fake
from allm_rx.adapters.fake import delay
from allm_rx.errors import SubscriberError
from allm_rx.testing.marbles import events, expect

LETTERS = {letter: letter for letter in "abcdef"}


class Requests:
    """Subscribers in virtual time to streams of one kind, and when each stream was subscribed and left."""

    def __init__(self, diagram: str = "a-b-c-|", **options: Any) -> None:
        self.scheduler = TestScheduler()
        self.made: list[list[float]] = []
        self._stream = events(diagram, LETTERS, **options)

    def join(self, key: str = "key") -> "Subscriber":
        """Subscribe now."""
        return Subscriber(self.scheduler, self.stream(key))

    def stream(self, key: str = "key") -> Observable[Any]:
        """What is subscribed."""
        return rx.defer(self._make).pipe(lx.single_flight(key))

    def _make(self, scheduler: Any) -> Observable[Any]:
        request = [self.scheduler.clock]
        self.made.append(request)
        return self._stream.pipe(ops.finally_action(lambda: request.append(self.scheduler.clock)))


class Subscriber:
    """One of them, and what it saw."""

    def __init__(self, scheduler: TestScheduler, stream: Observable[Any]) -> None:
        observer = scheduler.create_observer()
        self.seen: list[Recorded[Any]] = observer.messages
        self.subscription = stream.subscribe(observer, scheduler=scheduler)


def drawn(*diagrams: str, **options: Any) -> list[Any]:
    """What is expected, from second 0 on, in diagrams that follow each other."""
    return [one for diagram in diagrams for one in expect(diagram, LETTERS, subscribed=0, **options)]


def test_equal_requests_are_made_once() -> None:
    """Both see all of it."""
    requests = Requests()

    first, second = requests.join(), requests.join()
    requests.scheduler.start()

    assert first.seen == second.seen == drawn("a-b-c-|")
    assert requests.made == [[0, 6]]


def test_who_comes_late_gets_what_has_come() -> None:
    """Then goes on with the others."""
    requests = Requests()

    first = requests.join()
    requests.scheduler.advance_to(3.0)
    second = requests.join()
    requests.scheduler.start()

    assert first.seen == drawn("a-b-c-|")
    assert second.seen == drawn("---(a,b)", "----c-|")
    assert requests.made == [[0, 6]]


def test_other_keys_are_other_requests() -> None:
    """Nothing else tells them apart."""
    requests = Requests()

    requests.join("one")
    requests.join("two")
    requests.scheduler.start()

    assert requests.made == [[0, 6], [0, 6]]


def test_after_the_end_a_new_request_is_made() -> None:
    """Nothing is cached."""
    requests = Requests()

    requests.join()
    requests.scheduler.advance_to(6.0)
    requests.join()
    requests.scheduler.start()

    assert requests.made == [[0, 6], [6, 12]]


def test_who_asks_again_at_the_end_makes_a_new_request() -> None:
    """Although others have not heard of the end yet."""
    requests, again = Requests("a|"), list[Subscriber]()
    ends = Observer[Any](on_completed=lambda: again.append(requests.join()))

    requests.stream().subscribe(ends, scheduler=requests.scheduler)
    requests.join()
    requests.scheduler.start()

    assert requests.made == [[0, 1], [1, 2]]
    assert again[0].seen == drawn("-a|")


def test_one_who_leaves_does_not_disturb_the_others() -> None:
    """Not even the first."""
    requests = Requests()

    first, second = requests.join(), requests.join()
    requests.scheduler.advance_to(1.0)
    first.subscription.dispose()
    requests.scheduler.start()

    assert first.seen == drawn("a")
    assert second.seen == drawn("a-b-c-|")


def test_the_last_who_leaves_closes_the_request() -> None:
    """At that moment; the next one makes a new request."""
    requests = Requests()

    first, second = requests.join(), requests.join()
    requests.scheduler.advance_to(3.0)
    second.subscription.dispose()
    first.subscription.dispose()
    third = requests.join()
    requests.scheduler.start()

    assert requests.made == [[0, 3], [3, 9]]
    assert third.seen == drawn("---a-b-c-|")


def test_one_who_leaves_before_it_has_caught_up_gets_nothing() -> None:
    """It is counted all the same."""
    requests = Requests()

    first, second = requests.join(), requests.join()
    second.subscription.dispose()
    requests.scheduler.start()

    assert (first.seen, second.seen) == (drawn("a-b-c-|"), [])


def test_an_error_is_everybodys() -> None:
    """Also of those who come late; then a new request is made."""
    bug = ValueError("bug")
    requests = Requests("a-#", error=bug)

    first, second = requests.join(), requests.join()
    requests.scheduler.advance_to(3.0)
    requests.join()

    assert first.seen == second.seen == drawn("a-#", error=bug)
    assert len(requests.made) == 2


def test_a_stream_that_ends_at_once_is_replayed() -> None:
    """Whoever was there before the end gets all of it."""
    seen: list[str] = []
    scheduler = TestScheduler()
    inner = rx.defer(lambda _: rx.just("a") if seen.append("made") is None else rx.empty())

    for _ in range(2):
        inner.pipe(lx.single_flight("key")).subscribe(seen.append, scheduler=scheduler)
    scheduler.start()

    assert seen == ["made", "a", "a"]


def test_a_subscriber_that_raises_is_left_out() -> None:
    """The others go on, and it is told."""
    requests, errors = Requests(), list[Exception]()

    def on_next(item: str) -> None:
        if item == "b":
            raise ValueError(item)

    requests.stream().subscribe(on_next, errors.append, scheduler=requests.scheduler)
    second = requests.join()
    requests.scheduler.start()

    assert [type(error) for error in errors] == [SubscriberError]
    assert second.seen == drawn("a-b-c-|")


def test_subscribers_of_different_places_do_not_share() -> None:
    """Each hears where it lives: two schedulers are two requests."""
    one, other = Requests(), Requests()

    one.join()
    other.join()
    one.scheduler.start()
    other.scheduler.start()

    assert (one.made, other.made) == ([[0, 6]], [[0, 6]])


def test_awaits_of_one_loop_share_one_request() -> None:
    """With a real engine: two questions, one request."""
    fake = Fake(script=["Hi", delay(0.01)])
    engine = Engine(adapter=fake, model="fake-1")

    def ask() -> Observable[list[str]]:
        return stream_generate(engine, "Hi").pipe(lx.single_flight("Hi"), lx.text(), ops.to_list())

    async def main() -> list[Any]:
        return [*await asyncio.gather(ask(), ask()), await ask()]

    assert asyncio.run(main()) == [["Hi"]] * 3
    assert len(fake.requests) == 2
