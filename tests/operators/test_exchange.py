"""One request and its answer."""

import asyncio
from typing import Any

import pytest
from reactivex import operators as ops
from reactivex.subject import Subject
from reactivex.testing import Recorded

from allm_rx.abc.flow import LoopScheduler
from allm_rx.data.events import Error, Event, MessageCompleted, MessageStarted, RawChunk, TextCompleted, TextDelta
from allm_rx.data.failures import Failure
from allm_rx.data.messages import assistant
from allm_rx.data.policies import Timeouts
from allm_rx.data.usage import Usage
from allm_rx.errors import EngineError, StreamError, SubscriberError
from allm_rx.operators.exchange import exchange
from allm_rx.wire.http import ResponseHead, WireRequest
from tests import virtual_loop
from tests.demand import Tap
from tests.toy_protocol import END, JSON, REQUEST, STREAM, Server, ToyDecoder, answer, frame, frames
from tests.virtual_loop import pass_time, running

HELLO = frames({"id": "1", "model": "m"}, {"say": "Hello"}, {"finish": "stop"})
STARTED = MessageStarted("1", "toy", "m", "ours", None)
NAMELESS = MessageStarted(None, "toy", None, "ours", None)
DELTA = TextDelta("text-0", "Hello")
WHOLE = TextCompleted("text-0", "Hello")
DONE = MessageCompleted(assistant("Hello"), "stop", "stop")


class Broken(ToyDecoder):
    """A decoder with a defect."""

    def feed_all(self, records: object) -> list[Event]:
        raise ZeroDivisionError("a defect of ours")

    finish = fail = feed_all  # type: ignore[assignment]


def told(recorded: list[Recorded[Any]]) -> list[tuple[float, Any]]:
    """Seconds since the request and what came: an event, `|`, or an exception."""

    def what(notification: Any) -> Any:
        match notification.kind:
            case "N":
                return notification.value
            case "E":
                return notification.exception
            case _:
                return "|"

    return [(round(one.time - 200, 6), what(one.value)) for one in recorded]


def failure_of(recorded: list[Recorded[Any]]) -> tuple[float, Failure]:
    """The second of the only `error` event, and its failure; completion follows it at once."""
    *_, (second, error), (ended, end) = told(recorded)
    assert isinstance(error, Error)
    assert (ended, end) == (second, "|")
    return second, error.failure


# An answer.


def test_an_answer_becomes_its_events() -> None:
    """Each piece gives what it holds when it comes, and the body's end completes the stream."""
    server = answer((1, STREAM), (2, frame(id="1", model="m")), (3, frame(say="Hello")), (4, frame(finish="stop") + END), end=5)

    assert told(server.seen()) == [(2, STARTED), (3, DELTA), (4, WHOLE), (4, DONE), (5, "|")]


def test_the_request_is_sent_on_subscription() -> None:
    """Once per subscription, and not before."""
    server = answer((1, STREAM), (2, HELLO), end=2)
    stream = server.stream()
    before = len(server.requests)

    server.scheduler.start(lambda: stream)
    stream.subscribe(scheduler=server.scheduler)

    assert (before, server.requests) == (0, [REQUEST, REQUEST])


@pytest.mark.parametrize("cut", range(0, len(HELLO) + 1, 7))
def test_pieces_may_be_cut_anywhere(cut: int) -> None:
    """The events are the same."""
    server = answer((1, STREAM), (2, HELLO[:cut] or b":\n"), (3, HELLO[cut:] or b":\n"), end=4)

    assert [event for _, event in told(server.seen())] == [STARTED, DELTA, WHOLE, DONE, "|"]


def test_one_json_body_becomes_the_same_events() -> None:
    """A server that does not stream is read to the end of its body."""
    server = answer((1, JSON), (2, b'{"say": '), (3, b'"Hello"}'), end=4)

    assert told(server.seen()) == [(4, NAMELESS), (4, DELTA), (4, WHOLE), (4, DONE), (4, "|")]


def test_a_web_page_is_an_error_that_shows_it() -> None:
    """What a wrong address gives is told as what it is."""
    page = ResponseHead(200, {"content-type": "text/html"})

    second, failure = failure_of(answer((1, page), (2, b"<html>Welcome</html>"), end=3).seen())

    assert (second, failure.reason, "<html>Welcome</html>" in failure.message) == (3, "malformed_response", True)


# How it ends.


def test_the_body_is_read_to_its_end_after_the_terminal() -> None:
    """The connection is closed by the server's end, so that it can be used again."""
    server = answer((1, STREAM), (2, HELLO), end=2.5)

    server.seen()

    assert server.connections == [(200, 202.5)]


def test_an_end_that_does_not_come_is_waited_for_one_second() -> None:
    """Then the stream completes, and the connection is given up."""
    server = answer((1, STREAM), (2, HELLO))

    assert told(server.seen())[-2:] == [(2, DONE), (3, "|")]
    assert server.connections == [(200, 203)]


def test_what_follows_the_terminal_is_ignored() -> None:
    """Neither bytes nor a broken connection change an answer that is whole."""
    server = answer(
        (1, STREAM), (2, HELLO + frame(say="more")), (2.2, frame(say="x")), broken=(2.5, StreamError("stream_interrupted", ""))
    )

    assert told(server.seen())[-2:] == [(2, DONE), (2.5, "|")]


def test_an_end_marker_that_does_not_come_is_waited_for_one_second() -> None:
    """The answer is complete then, whatever is still sent."""
    server = answer((1, STREAM), (2, HELLO.removesuffix(END)), (2.5, b": ping\n\n"), (3.5, END))

    assert told(server.seen())[-2:] == [(3, DONE), (3, "|")]
    assert server.connections == [(200, 203)]


def test_usage_after_the_finish_reason_is_waited_for() -> None:
    """It comes before the terminal."""
    server = answer((1, STREAM), (2, HELLO.removesuffix(END)), (2.9, frame(usage={"input_tokens": 3}) + END), end=3)

    assert told(server.seen())[-3:] == [(2.9, RawChunk("usage", Usage(input_tokens=3))), (2.9, DONE), (3, "|")]


def test_a_body_that_ends_after_the_finish_reason_is_whole() -> None:
    """Many servers leave the end marker out."""
    server = answer((1, STREAM), (2, HELLO.removesuffix(END)), end=2.1)

    assert told(server.seen())[-2:] == [(2.1, DONE), (2.1, "|")]


def test_a_connection_that_breaks_after_the_finish_reason_leaves_the_answer_whole() -> None:
    """Only the end marker was missing."""
    server = answer((1, STREAM), (2, HELLO.removesuffix(END)), broken=(2.1, StreamError("stream_interrupted", "reset")))

    assert told(server.seen())[-2:] == [(2.1, DONE), (2.1, "|")]


def test_an_error_of_the_provider_after_the_finish_reason_counts() -> None:
    """It says that the answer failed, whatever it said before."""
    server = answer((1, STREAM), (2, HELLO.removesuffix(END)), (2.1, frame(error={"message": "lost"})))

    second, failure = failure_of(server.seen())

    assert (second, failure.message) == (2.1, "lost")


def test_an_error_in_the_stream_closes_the_connection_at_once() -> None:
    """Nothing is expected after it."""
    server = answer((1, STREAM), (2, frame(error={"message": "no"}) + frame(say="x")), (2.5, frame(say="y")), end=3)

    assert failure_of(server.seen())[0] == 2
    assert server.connections == [(200, 202)]


def test_a_body_that_is_cut_is_an_error() -> None:
    """A stream without its natural end is never a success; what came before stays."""
    server = answer((1, STREAM), (2, frame(say="Hello")), end=3)
    seen = server.seen()

    assert [event for _, event in told(seen)[:2]] == [NAMELESS, DELTA]
    assert (failure_of(seen)[1].reason, failure_of(seen)[0]) == ("stream_interrupted", 3)


def test_a_record_that_is_cut_is_an_interruption() -> None:
    """Half a frame is no malformed answer."""
    assert failure_of(answer((1, STREAM), (2, b'data: {"say": "Hel'), end=3).seen())[1].reason == "stream_interrupted"


# How it fails.


def test_a_request_that_cannot_be_made_is_an_error_event() -> None:
    """A key that is missing arrives in band, and nothing is sent."""
    server = answer((1, STREAM), end=2)

    def no_key() -> WireRequest:
        raise EngineError("missing_key", "There is no key: set TOY_API_KEY.")

    stream = exchange(server, no_key, ToyDecoder, timeouts=Timeouts())
    second, failure = failure_of(server.scheduler.start(lambda: stream).messages)

    assert (second, failure.reason, failure.provider, server.requests) == (0, "missing_key", "toy", [])


def test_a_defect_in_making_the_request_is_no_event() -> None:
    """What is no failure of a call goes to `on_error`."""
    server = answer((1, STREAM), end=2)

    def defect() -> WireRequest:
        raise KeyError("messages")

    stream = exchange(server, defect, ToyDecoder, timeouts=Timeouts())
    [(second, error)] = told(server.scheduler.start(lambda: stream).messages)

    assert (second, type(error)) == (0, KeyError)


def test_a_connection_that_fails_before_the_head_is_an_error_event() -> None:
    """With the reason the transport gave."""
    server = answer(broken=(4, StreamError("cancelled", "The loop ended.")))

    second, failure = failure_of(server.seen())

    assert (second, failure.kind, failure.reason, failure.provider) == (4, "StreamError", "cancelled", "toy")


def test_a_connection_that_ends_before_the_head_is_an_error_event() -> None:
    """No answer is not an empty answer."""
    assert failure_of(answer(end=4).seen())[1].reason == "stream_interrupted"


def test_usage_that_is_known_comes_before_the_error() -> None:
    """A stream that breaks has cost something too."""
    server = answer((1, STREAM), (2, frame(usage={"input_tokens": 3})), broken=(4, StreamError("stream_interrupted", "reset")))

    assert [event.type for _, event in told(server.seen())[:3]] == ["message_started", "raw_chunk", "error"]


def test_a_refusal_is_read_and_mapped() -> None:
    """Status, message and the time to wait are on the failure."""
    head = ResponseHead(429, {"content-type": "application/json", "retry-after": "7", "x-request-id": "theirs"})
    server = answer((1, head), (2, b'{"message": "slow '), (3, b'down"}'), end=4)

    second, failure = failure_of(server.seen())

    assert (second, failure.reason, failure.status, failure.message) == (4, "rate_limited", 429, "slow down")
    assert (failure.retry_after, failure.provider_request_id) == (7, "theirs")


@pytest.mark.parametrize("content_type", ["text/event-stream", "text/html", "application/octet-stream", ""])
def test_a_refusal_is_told_by_its_status(content_type: str) -> None:
    """Whatever the body calls itself."""
    head = ResponseHead(500, {"content-type": content_type})

    assert failure_of(answer((1, head), (2, b"data: oops"), end=3).seen())[1].status == 500


def test_a_refusal_that_breaks_off_is_still_a_refusal() -> None:
    """The status says more than the broken connection."""
    server = answer((1, ResponseHead(500, {})), (2, b"Internal"), broken=(3, StreamError("stream_interrupted", "reset")))

    assert failure_of(server.seen())[1].message == "Internal"


def test_a_refusal_without_end_is_not_read_for_ever() -> None:
    """After a mebibyte it is known well enough."""
    server = answer((1, ResponseHead(500, {})), *((second, b"x" * 2**19) for second in range(2, 9)))

    assert failure_of(server.seen())[0] == 3
    assert server.connections == [(200, 203)]


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://api.other.test/v1?key=secret", "a redirect to https://api.other.test."),
        ("http://user:secret@other.test:8080/secret", "a redirect to http://other.test:8080."),
        ("/login?secret", "a redirect."),
        ("http://[secret", "a redirect."),
        ("http://other.test:secret/", "a redirect."),
        (None, "a redirect."),
    ],
)
def test_a_redirect_is_not_followed_and_says_where_it_leads(location: str | None, named: str) -> None:
    """The message names the host, and nothing that may be secret."""
    head = ResponseHead(307, {} if location is None else {"location": location})
    server = answer((1, head), (2, b"moved"), end=3)

    second, failure = failure_of(server.seen())

    assert (second, failure.reason, failure.status) == (1, "not_found", 307)
    assert failure.message.startswith(f"The server answered 307, {named} Redirects are not followed")
    assert "secret" not in str(failure)


def test_a_record_that_is_too_large_is_an_error() -> None:
    """What came before it stays, and reading ends."""
    server = answer((1, STREAM), (2, frame(say="Hello") + frame(say="x" * 200)), (3, END))
    seen = server.seen(record_limit=100)

    assert [event for _, event in told(seen)[:2]] == [NAMELESS, DELTA]
    assert (failure_of(seen)[0], failure_of(seen)[1].reason) == (2, "record_too_large")
    assert server.connections == [(200, 202)]


def test_a_stream_that_is_too_large_is_an_error() -> None:
    """Every record of it was small; what was read stays, and reading ends."""
    record = frame(say="Hello")
    server = answer((1, STREAM), (2, record), (3, record), (4, record), (5, END))
    seen = server.seen(answer_limit=len(record))

    assert [second for second, event in told(seen) if event == DELTA] == [2, 3]
    assert (failure_of(seen)[0], failure_of(seen)[1].reason) == (3, "record_too_large")
    assert str(len(record)) in failure_of(seen)[1].message
    assert server.connections == [(200, 203)]


def test_a_json_body_that_is_too_large_is_an_error() -> None:
    """It is not read to its end."""
    server = answer((1, JSON), (2, b'{"say": "' + b"x" * 60), (3, b"x" * 60), (4, b'"}'), end=5)

    assert failure_of(server.seen(record_limit=100))[0] == 3
    assert server.connections == [(200, 203)]


def test_a_json_body_of_the_limit_is_read() -> None:
    """The limit is the most that is allowed."""
    body = b'{"say": "Hello"}'

    assert told(answer((1, JSON), (2, body), end=3).seen(record_limit=len(body)))[-1] == (3, "|")


def test_a_defect_of_the_decoder_reaches_the_subscriber() -> None:
    """It is told as what it is, not blamed on provider or subscriber, and the connection is closed."""
    server = answer((1, STREAM), (2, HELLO), end=3)
    stream = exchange(server, lambda: REQUEST, Broken, timeouts=Timeouts())

    [(second, error)] = told(server.scheduler.start(lambda: stream).messages)

    assert (second, type(error)) == (2, ZeroDivisionError)
    assert server.connections == [(200, 202)]


def test_a_defect_at_the_end_reaches_the_subscriber() -> None:
    """Also when there is no further frame to read."""
    server = answer((1, STREAM), broken=(2, StreamError("stream_interrupted", "")))
    stream = exchange(server, lambda: REQUEST, Broken, timeouts=Timeouts())

    assert [type(error) for _, error in told(server.scheduler.start(lambda: stream).messages)] == [ZeroDivisionError]


def test_an_error_that_is_no_failure_passes() -> None:
    """What a subscriber raised is not the provider's."""
    blamed = SubscriberError(ValueError("mine"))

    assert told(answer((1, STREAM), broken=(2, blamed)).seen()) == [(2, blamed)]


# Silence.


def test_a_silent_provider_is_given_up() -> None:
    """No byte for so long is a timeout, with its name and seconds."""
    server = answer((1, STREAM), (3, frame(say="Hello")))
    second, failure = failure_of(server.seen(idle=5.0))

    assert (second, failure.reason, failure.details) == (8, "timeout", {"timeout": "idle", "seconds": 5.0})
    assert server.connections == [(200, 208)]


def test_comments_are_life() -> None:
    """A ping is a byte."""
    pings = [(second, b": ping\n\n") for second in (4, 8, 12)]

    assert told(answer((1, STREAM), *pings, (15, HELLO), end=15).seen(idle=5.0))[-1] == (15, "|")


def test_silence_counts_from_the_head() -> None:
    """How long the head may take is another limit's business."""
    assert told(answer((400, STREAM), (401, HELLO), end=401).seen(idle=5.0))[-1] == (401, "|")


@pytest.mark.parametrize(
    "ending",
    [
        answer((1, STREAM), (2, HELLO), end=3),
        answer((1, STREAM), (2, HELLO)),
        answer((1, STREAM), (2, HELLO.removesuffix(END))),
        answer((1, STREAM), (2, frame(error={"message": "no"}))),
        answer((1, STREAM), broken=(3, StreamError("stream_interrupted", ""))),
        answer((1, STREAM), broken=(3, ValueError())),
        answer((1, ResponseHead(302, {}))),
        answer((1, STREAM), end=3),
    ],
    ids=["done", "no end", "no marker", "error", "broken", "defect", "redirect", "cut"],
)
def test_no_timer_outlives_the_exchange(ending: Server) -> None:
    """However it ends, virtual time has nothing left to do afterwards."""
    ending.stream(idle=500.0).subscribe(on_error=lambda _: None, scheduler=ending.scheduler)
    ending.scheduler.advance_to(20.0)

    assert ending.timers == 0


# Leaving.


@pytest.mark.parametrize("second", [0.5, 1.5, 2.5, 3.5])
def test_leaving_closes_the_connection_at_once(second: float) -> None:
    """Before the head, before the first event, in the answer, and while its end is awaited; no timer stays."""
    server = answer((1, STREAM), (2, frame(say="Hello")), (3, frame(finish="stop") + END))
    subscription = server.stream(idle=500.0).subscribe(scheduler=server.scheduler)

    server.scheduler.advance_to(second)
    subscription.dispose()

    assert (server.connections, server.timers) == ([(0, second)], 0)


def test_leaving_in_the_middle_of_a_piece_gives_nothing_more() -> None:
    """After `take(1)` the events behind it are not given, and the connection is left at once."""
    decoder = ToyDecoder()
    server = answer((1, STREAM), (2, HELLO), end=3)
    stream = exchange(server, lambda: REQUEST, lambda _: decoder, timeouts=Timeouts())

    seen = told(server.scheduler.start(lambda: stream.pipe(ops.take(1))).messages)

    assert seen == [(2, STARTED), (2, "|")]
    assert server.connections == [(200, 202)]


@pytest.mark.parametrize("heard", [1, 2, 3, 4])
def test_an_exchange_that_was_left_is_silent_by_itself(heard: int) -> None:
    """Nothing stands between it and the operators on the way of every token, so it keeps silence without help."""
    server = answer((1, STREAM), (2, HELLO + END), end=3)
    seen: list[object] = []

    def leave(event: object) -> None:
        seen.append(event)
        if len(seen) == heard:
            subscription.dispose()

    subscription = server.stream().subscribe(leave, seen.append, lambda: seen.append("|"), scheduler=server.scheduler)
    server.scheduler.advance_to(20.0)

    assert seen == [STARTED, DELTA, WHOLE, DONE][:heard]


def test_what_a_subscriber_raises_goes_up() -> None:
    """The exchange does not take it for a failure of its own."""
    source: Subject[Any] = Subject()

    class Direct:
        def open(self, request: WireRequest, /) -> Any:
            return source

    def on_next(event: Event) -> None:
        raise ValueError(event.type)

    exchange(Direct(), lambda: REQUEST, ToyDecoder, timeouts=Timeouts(idle=None)).subscribe(on_next)
    source.on_next(STREAM)

    with pytest.raises(ValueError, match="message_started"):
        source.on_next(HELLO)


def test_a_subscriber_that_raises_at_the_end_leaves_no_connection() -> None:
    """An error that comes from a timer has no producer to go up to but the clock."""
    server = answer((1, STREAM))

    def on_next(event: Event) -> None:
        raise ValueError(event.type)

    server.stream(idle=5.0).subscribe(on_next, scheduler=server.scheduler)
    with pytest.raises(ValueError, match="error"):
        server.scheduler.advance_to(50)

    assert (server.connections, server.timers) == ([(0, 6)], 0)


# Demand.


class Socket:
    """A transport that a test feeds by hand."""

    def __init__(self) -> None:
        self.bytes: Subject[Any] = Subject()

    def open(self, request: WireRequest, /) -> Any:
        return self.bytes


async def paused(first: bytes, wait: float, then: bytes | None) -> tuple[list[Any], int]:
    """Feed something, let the subscriber be busy for so long, feed the rest; give events and tasks left."""
    seen: list[Any] = []
    tap, socket, loop = Tap(), Socket(), running()

    def on_next(event: Event) -> None:
        seen.append((loop.time(), event.type))
        tap.close()

    stream = exchange(socket, lambda: REQUEST, ToyDecoder, timeouts=Timeouts(idle=10.0))
    stream.subscribe(on_next, on_completed=lambda: seen.append((loop.time(), "|")), scheduler=LoopScheduler(loop, tap))
    socket.bytes.on_next(STREAM)
    await pass_time(4)
    socket.bytes.on_next(first)
    await pass_time(wait)
    tap.open()
    if then is not None:
        socket.bytes.on_next(then)
        tap.open()
    await pass_time(50)
    return seen, len(asyncio.all_tasks())


@pytest.mark.parametrize("pause", [5, 90])
def test_silence_that_the_subscriber_wants_does_not_count(pause: float) -> None:
    """While nobody reads, nobody can tell that the provider is silent."""
    seen, tasks = virtual_loop.run(paused(frame(say="Hello"), pause, None))

    assert seen[-2:] == [(14 + pause, "error"), (14 + pause, "|")]
    assert tasks == 1


def test_the_wait_for_the_end_marker_pauses_with_the_subscriber() -> None:
    """Usage that could not be read yet is not lost."""
    head, tail = HELLO.removesuffix(END), frame(usage={"input_tokens": 3}) + END
    seen, tasks = virtual_loop.run(paused(head, 90, tail))

    assert seen[-3:] == [(94, "raw_chunk"), (94, "message_completed"), (95, "|")]
    assert tasks == 1


def test_the_wait_for_the_end_marker_counts_only_with_the_subscriber() -> None:
    """Half a second of pause makes it half a second longer."""
    seen, _ = virtual_loop.run(paused(HELLO.removesuffix(END), 0.5, None))

    assert seen[-2:] == [(5.5, "message_completed"), (5.5, "|")]


def test_what_comes_while_the_end_marker_is_awaited_can_pause_the_wait() -> None:
    """Half of the second had passed when the subscriber got busy, and half is left when it is back."""

    async def main() -> list[float]:
        ended: list[float] = []
        tap, socket, loop = Tap(), Socket(), running()
        stream = exchange(socket, lambda: REQUEST, ToyDecoder, timeouts=Timeouts())
        stream.subscribe(on_completed=lambda: ended.append(loop.time()), scheduler=LoopScheduler(loop, tap))
        socket.bytes.on_next(STREAM)
        socket.bytes.on_next(frame(finish="stop"))
        await pass_time(0.5)
        tap.close()
        socket.bytes.on_next(frame(say="!"))
        await pass_time(20)
        tap.open()
        await pass_time(20)
        return ended

    assert virtual_loop.run(main()) == [21.0]


def test_the_end_marker_is_awaited_once() -> None:
    """Each further piece adds no timer."""
    server = answer((1, STREAM), (2, HELLO.removesuffix(END)), (2.1, b":\n"), (2.2, b":\n"))

    server.stream().subscribe(scheduler=server.scheduler)
    server.scheduler.advance_to(2.5)

    assert server.timers == 1
