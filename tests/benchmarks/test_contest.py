"""The benchmarks measure what they say: everybody reads the whole answer, in every way there is."""

from collections.abc import Generator

import pytest

from benchmarks.answers import Answer
from benchmarks.contest import Contest
from benchmarks.ours import OURS


@pytest.fixture(scope="module")
def contest() -> Generator[Contest]:
    """Give the server and the processes, which take a while to start."""
    with Contest(peers=False) as started:
        yield started


everybody = pytest.mark.parametrize("worker", OURS)


@everybody
def test_every_piece_is_read(contest: Contest, worker: str) -> None:
    """Each of several streams gives each piece of text."""
    done = contest.ask(worker, Answer(50, together=4), "read", streams=3, least=0)

    assert done["seen"] == 150


@everybody
def test_the_whole_answer_is_put_together(contest: Contest, worker: str) -> None:
    """A piece has the characters that were asked for."""
    done = contest.ask(worker, Answer(20, length=30), "fold", streams=1, least=0)

    assert done["seen"] == 600


@everybody
def test_every_turn_calls_the_tool(contest: Contest, worker: str) -> None:
    """The model is asked again until it calls no more."""
    done = contest.ask(worker, Answer(turns=3), "chat", streams=1, least=0)

    assert done["seen"] == 3


@everybody
def test_held_streams_are_open_at_once_and_complete(contest: Contest, worker: str) -> None:
    """The server lets them go on when it is told to."""
    done = contest.ask(worker, Answer(2, held=1), "hold", streams=20, go=f"{contest.url}/go")

    assert (done["opened"], done["completed"]) == (20, 20)


@everybody
def test_a_slow_reader_gets_every_piece(contest: Contest, worker: str) -> None:
    """Nothing is dropped on the way."""
    done = contest.ask(worker, Answer(500, length=1_000), "linger", pause=0.001, every=100)

    assert done["seen"] == 500


@pytest.mark.parametrize("how", ["close", "cancel", "thread"])
def test_the_server_sees_who_leaves(contest: Contest, how: str) -> None:
    """It tells so before the answer would have ended."""
    contest.forget()

    left = contest.ask("allm_rx", Answer(10_000, pace=10), "leave", how=how)

    assert (contest.closed() or 0) > left["left"]


def test_a_second_wave_opens_no_connection(contest: Contest) -> None:
    """The count leaves out the question itself."""
    contest.ask("floor", Answer(1), "read", streams=5, least=0)
    before = contest.connections()

    contest.ask("floor", Answer(1), "read", streams=5, least=0)

    assert contest.connections() == before


def test_what_fails_is_told(contest: Contest) -> None:
    """The reason comes from the other process."""
    with pytest.raises(RuntimeError, match=r"(?s)allm_rx could not sing: .*KeyError: 'sing'"):
        contest.ask("allm_rx", Answer(1), "sing")
