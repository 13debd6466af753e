"""What goes wrong at a server that others wrote, in its own ways, comes to what the same goes wrong to at ours."""

from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import pytest

from allm_rx.data.policies import Timeouts
from allm_rx.testing.assertions import assert_no_leaks
from tests.faults.cells import answered, asking, line
from tests.faults.rows import FIRST, MODES, PROTOCOLS, SHORT, Mode, Row, breaks, cut_short, harmless, heals, persists, stays
from tests.independent.aimock import PATHS, requests_of, serving

NEVER = 30_000
"""Milliseconds; the most that it waits, and far more than any test does."""


class Trouble(NamedTuple):
    """What its answer to the first request has beside the text; the later ones are good."""

    told: dict[str, Any]
    timeouts: Timeouts | None = None


def chaos(**rates: float) -> Trouble:
    return Trouble({"chaos": rates})


def status(number: int, **more: int) -> Trouble:
    return Trouble({"response": {"error": {"message": "No."}, "status": number, **more}})


def stopped(after: int, **more: int) -> dict[str, Any]:
    """So many records, then nothing for as long as it can."""
    return {"recordedTimings": {"ttftMs": 0, "interChunkDelaysMs": [0] * (after - 1) + [NEVER], "totalDurationMs": NEVER}, **more}


LATE = {"streamingProfile": {"ttft": NEVER}}
MALFORMED, RATE = "malformed_response '' x1", "rate_limited '' x1"

TABLE: dict[str, Row[Trouble]] = {
    "dropped": heals(chaos(dropRate=1), "server_error"),
    "malformed": stays(chaos(malformedRate=1), MALFORMED),
    "hung up": heals(chaos(disconnectRate=1), "network_error"),
    # It asks for a second, which is more than we are ready to wait.
    "limited for too long": stays(chaos(rateLimitRate=1), RATE),
    "limited for no time": heals(status(429, retryAfter=0), "rate_limited"),
    "first record late": heals(Trouble(LATE, Timeouts(first=FIRST)), "timeout first"),
    "hung up before the first record": heals(Trouble({**LATE, "disconnectAfterMs": 1}), "network_error"),
    "slow": harmless(Trouble({"streamingProfile": {"ttft": 1, "tps": 500, "jitter": 1}})),
    "a character at a time": harmless(Trouble({"chunkSize": 1})),
    "cut before it is sent": heals(Trouble({"truncateAfterChunks": 3}), "network_error"),
}

HALF = {"anthropic": 4, "gemini": 2, "openai": 8, "openai-chat": 3}
"""Records until "Hello " has been said."""

HALFWAY: dict[str, dict[str, Row[Trouble]]] = {
    protocol: {
        "stalled": breaks(Trouble(stopped(half), Timeouts(stall=SHORT)), "timeout stall 'Hello ' x1"),
        "silenced": breaks(Trouble(stopped(half), Timeouts(idle=SHORT)), "timeout idle 'Hello ' x1"),
        "left": breaks(Trouble(stopped(half, disconnectAfterMs=50)), "stream_interrupted 'Hello ' x1"),
    }
    for protocol, half in HALF.items()
}

HEALING = {
    408: "timeout",
    409: "invalid_request",
    500: "server_error",
    502: "server_error",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
STAYING = {
    400: "invalid_request",
    401: "authentication_failed",
    402: "quota_exceeded",
    403: "permission_denied",
    404: "not_found",
    405: "invalid_request",
    413: "invalid_request",
    422: "invalid_request",
}
STATUSES = {
    **{f"status {number}": heals(status(number), reason) for number, reason in HEALING.items()},
    **{f"status {number}": stays(status(number), f"{reason} '' x1") for number, reason in STAYING.items()},
}

KEPT: dict[str, list[str | None]] = {
    # What is kept of so many records, from none: None before any output, "=" is the whole answer.
    "anthropic": [None, None, None, "Hel", "Hello ", "Hello you", "Hello you", "Hello you", "="],
    "gemini": [None, "Hel", "Hello ", "="],
    # The model is one that thinks, and says so before it speaks, though it does not say what.
    "openai": [None, None, None, None, "", "", "", "Hel", "Hello ", *["Hello you"] * 4, "="],
    "openai-chat": [None, None, "Hel", "Hello ", "Hello you", "="],
}


def cut(after: int) -> Trouble:
    """Cut behind so many records: it counts the one that it was about to send, and a pause lets those before it go."""
    return Trouble({"truncateAfterChunks": after + 1, "latency": 1})


CUTS: dict[str, dict[str, Row[Trouble]]] = {
    # Before the first record there is no head either.
    protocol: {
        f"cut behind {after}": cut_short(cut(after), text, before_output="stream_interrupted" if after else "network_error")
        for after, text in enumerate(kept)
    }
    for protocol, kept in KEPT.items()
}

HANDLED_LATE = heals(Trouble({"chaos": {"latencyMs": NEVER}}, Timeouts(first=SHORT)), "timeout first")

ROWS = {
    protocol: {**TABLE, "handled late": HANDLED_LATE, **HALFWAY[protocol], **CUTS[protocol], **STATUSES} for protocol in PROTOCOLS
}
CELLS = [(protocol, name, mode) for protocol, rows in HALFWAY.items() for name in (*TABLE, *rows) for mode in MODES]

_NUMBERS = count()


def question(protocol: str, name: str) -> str:
    """It finds an answer by what is asked, wherever in the question that stands."""
    return f"<{protocol}: {name}>"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server, for all tests of this file, which together leave nothing behind."""
    good: dict[str, Any] = {"response": {"content": "Hello you"}, "chunkSize": 3}
    answers: list[dict[str, Any]] = [{"match": {"userMessage": "Hi"}, **good}]
    for protocol, rows in ROWS.items():
        for name, row in rows.items():
            asked = {"userMessage": question(protocol, name)}
            answers += [{"match": {**asked, "sequenceIndex": 0}, **good, **row.trouble.told}, {"match": asked, **good}]
    with assert_no_leaks(), serving(answers, tmp_path_factory.mktemp("aimock")) as found:
        yield found


def outcome(address: str, protocol: str, asked: str, mode: Mode, timeouts: Timeouts | None = None) -> str:
    """Ask, and give in one line what came; another client of the same server asks what goes well."""
    number = next(_NUMBERS)
    tests = f"first-{number}", f"other-{number}"
    url = address + PATHS[protocol]
    first, other = ({"X-Test-Id": test} for test in tests)
    stream = asking(protocol, url, mode, question=asked, timeouts=timeouts, headers=first)
    events = answered(stream, asking(protocol, url, headers=other), mode)
    return line(events, *(requests_of(address, test) for test in tests))


@pytest.mark.parametrize(("protocol", "name", "mode"), CELLS)
def test_a_fault_of_others_comes_to_what_the_table_says(address: str, protocol: str, name: str, mode: Mode) -> None:
    """The outcome, the text, the requests and the restarts are those of the cell, and the grammar holds."""
    row = ROWS[protocol][name]

    assert outcome(address, protocol, question(protocol, name), mode, row.trouble.timeouts) == row.expected(mode)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_waits_before_it_begins(address: str, protocol: str) -> None:
    """A client that leaves meanwhile is not in its book, so that the table could not tell how often it was asked."""
    timeouts = HANDLED_LATE.trouble.timeouts

    assert outcome(address, protocol, question(protocol, "handled late"), "off", timeouts) == "timeout first '' x0"


@pytest.mark.parametrize(("protocol", "name"), [(protocol, name) for protocol in PROTOCOLS for name in STATUSES])
def test_a_status(address: str, protocol: str, name: str) -> None:
    """What comes of it, and whether it is asked again; what else a remedy does is the same as for its like in the table."""
    assert outcome(address, protocol, question(protocol, name), "retry") == STATUSES[name].retry


@pytest.mark.parametrize("mode", ["off", "restart"])
@pytest.mark.parametrize(("protocol", "name"), [(protocol, name) for protocol, rows in CUTS.items() for name in rows])
def test_a_cut_behind_every_record(address: str, protocol: str, name: str, mode: Mode) -> None:
    """What was there is kept, or voided where a restart is allowed; before output it heals unseen."""
    assert outcome(address, protocol, question(protocol, name), mode) == CUTS[protocol][name].expected(mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_question_that_nobody_answers(address: str, protocol: str, mode: Mode) -> None:
    """What it has no answer for is an error that it repeats however often it is asked."""
    assert outcome(address, protocol, "What else?", mode) == persists(None, "overloaded").expected(mode)
