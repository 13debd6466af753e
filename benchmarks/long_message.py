"""Does a delta cost the same in a message of 100,000 as in one of 1,000?

Budget: within 1.2 x.
"""

import statistics

from benchmarks.answers import Answer
from benchmarks.contest import CHAT_PEERS, FLOOR, FOLDED, MESSAGES_PEER, Contest, Entry
from benchmarks.harness import Row, Table, described, row

SHORT = 1_000
LONG = 100_000
_FOLDED = tuple(Entry(entry.what, entry.worker, "fold") for entry in (*CHAT_PEERS, MESSAGES_PEER))
_NOTE = (
    "The message is put together by what the package has for that. "
    "Others read one long message, since five would take ten minutes."
)


def tables(contest: Contest) -> list[Table]:
    """Measure the fold of a long and of a short message."""
    found: list[Row] = []
    for entry, rounds in [(FLOOR, 5), (FOLDED, 5), *((peer, 1) for peer in contest.among(_FOLDED))]:
        title = f"long_message, {entry.what}"
        short = contest.per_item(title, Answer(SHORT, together=8), [entry])[entry.what].cpu
        long = contest.per_item(title, Answer(LONG, together=8), [entry], rounds=rounds, warm_up=False)[entry.what].cpu
        base = statistics.median(short)
        one = row(entry.what, long, "ns", base)
        one.note = f"{base:,.0f} ns in a message of {SHORT:,}"
        found.append(one)
    title = f"CPU per delta in a message of {LONG:,}"
    return [Table(title, found, floor="the short ones", budget="1.2 x the short ones", note=described(contest, _NOTE))]
