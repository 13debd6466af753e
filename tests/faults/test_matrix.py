"""What each fault comes to, at every provider, under every way to deal with it: one table.

A cell says: the finish reason, or the failure's reason (and which timeout); the text that is kept; the requests that the
troubled provider saw; restarts; and the requests that the other provider saw, where there is one.
"""

from collections.abc import Callable

import pytest

from allm_rx.data.policies import Timeouts
from allm_rx.testing.faults import (
    ContentType,
    Cut,
    DelayBody,
    DelayHead,
    Drip,
    DuplicateTerminal,
    ErrorBody,
    ErrorFrame,
    Flood,
    Garbage,
    Gzip,
    HtmlPage,
    HugeRecord,
    KeepAlive,
    NoTerminal,
    Redirect,
    ResetBeforeHead,
    Stall,
    WholeBody,
)
from tests.faults.cells import HALF, KEPT, CutBehind, Trouble, outcome, record_count
from tests.faults.rows import MODES, PROTOCOLS, SHORT, Mode, Row, breaks, cut_short, harmless, heals, stays

Make = Callable[[int], Trouble]
"""Gives the trouble, told after how many records half of the text is out."""

TABLE: dict[str, Row[Make]] = {
    "refused": stays(lambda _: Trouble(where="port"), "network_error '' x0"),
    "TLS failure": stays(lambda _: Trouble(where="certificate"), "network_error '' x0"),
    "reset before headers": heals(lambda _: Trouble((ResetBeforeHead(),)), "network_error"),
    "head never comes": heals(lambda _: Trouble((DelayHead(),), Timeouts(first=SHORT)), "timeout first"),
    "body never comes": heals(lambda _: Trouble((DelayBody(),), Timeouts(idle=SHORT)), "timeout idle"),
    "keep-alives only": heals(lambda _: Trouble((KeepAlive(),), Timeouts(first=SHORT, idle=5)), "timeout first"),
    "drip too slow": heals(lambda _: Trouble((Drip(1, every=0.02),), Timeouts(first=SHORT, idle=5)), "timeout first"),
    "keep-alives first": harmless(lambda _: Trouble((KeepAlive(every=0.001, count=5),))),
    "slow drip": harmless(lambda _: Trouble((Drip(64, every=0.001),))),
    "one-byte chunks": harmless(lambda _: Trouble((Drip(),))),
    "gzip": harmless(lambda _: Trouble((Gzip(),))),
    "gzip in one-byte chunks": harmless(lambda _: Trouble((Gzip(), Drip()))),
    "stream called plain text": harmless(lambda _: Trouble((ContentType("text/plain"),))),
    "stream called binary": harmless(lambda _: Trouble((ContentType("application/octet-stream"),))),
    "stream called JSON": stays(lambda _: Trouble((ContentType("application/json"),)), "malformed_response '' x1"),
    "stream called HTML": stays(lambda _: Trouble((ContentType("text/html"),)), "malformed_response '' x1"),
    "duplicate terminal": harmless(lambda _: Trouble((DuplicateTerminal(),))),
    "huge record": harmless(lambda half: Trouble((HugeRecord(3_000_000, at=half),)), "stop 'Hello x*3000000you' x1"),
    "record over the limit": breaks(
        lambda half: Trouble((HugeRecord(100_000, at=half),), record_limit=50_000),
        "record_too_large 'Hello ' x1",
        retried=False,
    ),
    "one JSON body": harmless(lambda _: Trouble((WholeBody(),))),
    "200 with a JSON error": heals(lambda _: Trouble((ErrorBody(),)), "server_error"),
    "redirect": stays(lambda _: Trouble((Redirect("http://127.0.0.1:9/v1"),)), "not_found '' x1"),
    "proxy HTML error page": heals(lambda _: Trouble((HtmlPage(502),)), "server_error"),
    "HTML page with 200": stays(lambda _: Trouble((HtmlPage(200),)), "malformed_response '' x1"),
    "garbage first": stays(lambda _: Trouble((Garbage(0),)), "malformed_response '' x1"),
    "garbage in mid-answer": breaks(lambda half: Trouble((Garbage(half),)), "malformed_response 'Hello ' x1", retried=False),
    "error frame first": heals(lambda _: Trouble((ErrorFrame(0),)), "server_error"),
    "error frame in mid-answer": breaks(lambda half: Trouble((ErrorFrame(half),)), "server_error 'Hello ' x1"),
    "stall in mid-answer": breaks(lambda half: Trouble((Stall(half),), Timeouts(stall=SHORT)), "timeout stall 'Hello ' x1"),
    "silence in mid-answer": breaks(lambda half: Trouble((Stall(half),), Timeouts(idle=SHORT)), "timeout idle 'Hello ' x1"),
    "empty body": heals(lambda _: Trouble((Cut(0, "end"),)), "stream_interrupted"),
    "no terminal": breaks(lambda _: Trouble((NoTerminal(),)), "stream_interrupted 'Hello you' x1"),
    "no end marker": breaks(lambda _: Trouble((NoTerminal(marker_only=True),)), "stream_interrupted 'Hello you' x1"),
    # `total` is for all attempts together, so nobody asks the same provider again.
    "never-ending": breaks(
        lambda _: Trouble((Flood(),), Timeouts(total=SHORT)), "timeout total 'Hello you and so on...' x1", retried=False
    ),
}

EXCEPTIONS: dict[tuple[str, str], Row[Make]] = {
    # It repeats the whole text at the end of its block, and that counts; the record here is one that it does not know of.
    ("huge record", "openai"): harmless(lambda half: Trouble((HugeRecord(3_000_000, at=half),))),
    # Their finish reason is the end; the marker behind it is a courtesy.
    ("no end marker", "gemini"): harmless(lambda _: Trouble((NoTerminal(marker_only=True),))),
    ("no end marker", "openai-chat"): harmless(lambda _: Trouble((NoTerminal(marker_only=True),))),
}

CELLS = [(name, protocol, mode) for name in TABLE for protocol in PROTOCOLS for mode in MODES]


@pytest.mark.parametrize(("name", "protocol", "mode"), CELLS)
def test_a_fault_comes_to_what_the_table_says(name: str, protocol: str, mode: Mode) -> None:
    """The outcome, the text, the requests and the restarts are those of the cell; the grammar holds, and nothing is left."""
    row = EXCEPTIONS.get((name, protocol), TABLE[name])

    assert outcome(protocol, row.trouble(HALF[protocol]), mode) == row.expected(mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("protocol", "after"), [(name, n) for name, kept in KEPT.items() for n in range(len(kept))])
def test_a_reset_behind_every_record(protocol: str, after: int, mode: Mode) -> None:
    """Before output it heals unseen; after it the text so far is kept, or voided where a restart is allowed."""
    row = cut_short(Trouble((CutBehind(after),)), KEPT[protocol][after])

    assert outcome(protocol, row.trouble, mode) == row.expected(mode)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_table_of_resets_is_as_long_as_the_answer(protocol: str) -> None:
    """No record is forgotten, nor the end of the last."""
    assert record_count(protocol) == len(KEPT[protocol]) - 1
