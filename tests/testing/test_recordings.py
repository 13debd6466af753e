"""What a recorder keeps, and what a file gives back."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from reactivex import operators as ops
from reactivex.scheduler import VirtualTimeScheduler
from reactivex.testing import TestScheduler

from allm_rx.abc.flow import LoopScheduler
from allm_rx.data.failures import Failure
from allm_rx.errors import StreamError
from allm_rx.testing.answers import Answer
from allm_rx.testing.faults import Cut
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.testing.recordings import Recorder, load, save
from allm_rx.transport.aiohttp_client import AiohttpTransport
from allm_rx.transport.replay import Exchange, Piece, Replay
from allm_rx.wire.http import ResponseHead, WireRequest
from tests.testing.plain_http import ASK, PATH

KEY = "sk-very-secret-0123456789"
SENT = WireRequest(
    "POST",
    f"https://provider.example/v1?key={KEY}",
    {"Authorization": SecretStr(f"Bearer {KEY}"), "X-Custom": SecretStr("hush"), "X-Api-Key": "sesame", "Accept": "text/plain"},
    b'{"prompt": "Hi"}',
)
CLEAN = WireRequest(
    "POST",
    "https://provider.example/v1?key=[REDACTED]",
    {"Authorization": "[REDACTED]", "X-Custom": "[REDACTED]", "X-Api-Key": "[REDACTED]", "Accept": "text/plain"},
    b'{"prompt": "Hi"}',
)
HEAD = ResponseHead(200, {"set-cookie": "session=1", "x-request-id": "req_1", "x-ratelimit-remaining-tokens": "99"})
CLEAN_HEAD = ResponseHead(200, {"set-cookie": "[REDACTED]", "x-request-id": "req_1", "x-ratelimit-remaining-tokens": "99"})
BROKEN = Failure.of(StreamError("stream_interrupted", "It broke."))


def exchange(**fields: Any) -> Exchange:
    pieces = (Piece(20.0, b"\xc3"), Piece(30.0, b"\xa9!"))
    usual: dict[str, Any] = {"request": CLEAN, "head": CLEAN_HEAD, "head_at": 10.0, "pieces": pieces, "ended_at": 40.0}
    return Exchange(**{**usual, **fields})


def recorded(answer: Exchange, *, disposed: float = 1000) -> Exchange:
    """Record an answer that is replayed in virtual time."""
    recorder = Recorder(Replay([answer], timing=True))
    TestScheduler().start(lambda: recorder.open(SENT), disposed=disposed)
    (kept,) = recorder.exchanges
    return kept


def test_a_recorder_keeps_pieces_and_times() -> None:
    """Head, pieces and end are kept with the times they came at."""
    assert recorded(exchange(head=HEAD)) == exchange()


def test_a_recorder_keeps_how_it_broke() -> None:
    """A failure is kept as the value that it is."""
    broken = exchange(head=None, head_at=0.0, pieces=(), ending="failed", failure=BROKEN)

    assert recorded(broken) == broken


def test_a_recorder_keeps_that_it_was_left() -> None:
    """A reader that leaves cuts its recording, not more."""
    assert recorded(exchange(head=HEAD), disposed=225) == exchange(pieces=(Piece(20.0, b"\xc3"),), ending="left", ended_at=25.0)


def test_a_reader_that_fails_has_left() -> None:
    """What a subscriber raises is no failure of the answer."""
    recorder = Recorder(Replay([exchange()]))
    scheduler = VirtualTimeScheduler()

    recorder.open(SENT).subscribe(lambda _: 1 / 0, lambda _: None, scheduler=scheduler)  # type: ignore[arg-type,return-value]
    scheduler.start()

    assert (recorder.exchanges[0].ending, recorder.exchanges[0].failure) == ("left", None)


def test_a_recorder_changes_nothing() -> None:
    """What passes through arrives as it is, secrets on their way out included."""
    inner = Replay([exchange(head=HEAD)], timing=True)
    plain = TestScheduler().start(lambda: Replay([exchange(head=HEAD)], timing=True).open(SENT)).messages

    passed = TestScheduler().start(lambda: Recorder(inner).open(SENT)).messages

    assert passed == plain
    assert inner.requests == (SENT,)


def test_a_recorder_keeps_the_order_of_requests() -> None:
    """Requests under way at the same time are kept in the order they were sent."""
    slow, quick = exchange(pieces=(Piece(90.0, b"slow"),), ended_at=90.0), exchange(pieces=(), ended_at=10.0)
    recorder = Recorder(Replay([slow, quick], timing=True))
    scheduler = VirtualTimeScheduler()

    recorder.open(SENT).subscribe(scheduler=scheduler)
    recorder.open(SENT).subscribe(scheduler=scheduler)
    scheduler.start()

    assert [kept.body for kept in recorder.exchanges] == [b"slow", b""]


def test_no_secret_is_stored(tmp_path: Path) -> None:
    """Neither the recording nor its file has a key in it."""
    kept = recorded(exchange(head=HEAD))

    save(tmp_path / "kept.json", [kept])

    text = (tmp_path / "kept.json").read_text()
    assert [secret for secret in (KEY, "hush", "sesame", "session=1") if secret in repr(kept) + text] == []
    assert kept.request == CLEAN


def test_a_file_of_ones_own_is_cleaned_too(tmp_path: Path) -> None:
    """Exchanges that were put together by hand are saved without their secrets."""
    save(tmp_path / "own.json", [Exchange(request=SENT, head=HEAD)])

    assert load(tmp_path / "own.json") == (Exchange(request=CLEAN, head=CLEAN_HEAD),)


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    """Whole, broken and left exchanges survive a file."""
    kept = [exchange(), exchange(head=None, head_at=0.0, ending="failed", failure=BROKEN), exchange(ending="left")]

    save(tmp_path / "kept.json", kept)

    assert load(tmp_path / "kept.json") == tuple(kept)


@given(st.lists(st.binary(min_size=1)), st.binary())
def test_a_file_gives_back_any_bytes(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], body: bytes) -> None:
    """Bodies are exact, text or not."""
    path = tmp_path_factory.getbasetemp() / "any.json"
    kept = exchange(
        request=WireRequest("POST", "https://x.example", {}, body),
        pieces=tuple(Piece(20.0, piece) for piece in pieces),
    )

    save(path, [kept])

    assert load(path) == (kept,)


def test_text_is_readable_in_a_file(tmp_path: Path) -> None:
    """A reviewer of a recording reads what was said."""
    save(tmp_path / "kept.json", [exchange(pieces=(Piece(20.0, "data: Zoë\n\n".encode()),))])

    assert '"text": "data: Zoë\\n\\n"' in (tmp_path / "kept.json").read_text("utf-8")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}', '{"format": "allm_rx exchanges 1", "exchanges": [{}]}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    """What `save` did not write is an error that says so."""
    path = tmp_path / "other.json"
    path.write_text(text)

    with pytest.raises(ValueError, match=r"other.json' holds no recorded exchanges"):
        load(path)


@pytest.mark.parametrize("faults", [[], [Cut(100, "reset")]])
def test_a_real_exchange_can_be_replayed(tmp_path: Path, faults: list[Cut]) -> None:
    """What came over a socket comes again from a file, to its end or to where it broke."""

    async def collected(transport: Recorder | Replay, request: WireRequest) -> list[str]:
        done = asyncio.get_running_loop().create_future()
        source = transport.open(request).pipe(ops.materialize(), ops.to_list())
        source.subscribe(done.set_result, scheduler=LoopScheduler(asyncio.get_running_loop()))
        return [str(note) for note in await done]

    with ProviderServer(Answer("Hello you", faults=faults)) as server:
        recorder = Recorder(AiohttpTransport())
        request = WireRequest("POST", server.url + PATH, {}, json.dumps(ASK).encode())
        live = asyncio.run(collected(recorder, request))

    save(tmp_path / "kept.json", recorder.exchanges)
    again = asyncio.run(collected(Replay(load(tmp_path / "kept.json"), timing=True), request))

    assert again == live
    assert len(live) > 2
