"""How much later than over raw aiohttp does the first piece of text arrive?

Budget: 1 ms over the floor, warm, on loopback.
"""

import statistics

from benchmarks.answers import Answer
from benchmarks.contest import EVERYBODY, Contest, progress
from benchmarks.harness import Table, compared, described

ROUNDS = 12
_TIMES = 10
"""Requests per round."""


def tables(contest: Contest) -> list[Table]:
    """Measure the time to the first text, interleaved."""
    entries = [entry for entry in contest.among(EVERYBODY) if entry.do == "read"]
    taken: dict[str, list[float]] = {entry.what: [] for entry in entries}
    for number in range(ROUNDS + 1):
        progress("first_event", f"round {number} of {ROUNDS}" if number else "warming up")
        for entry in entries:
            seconds = contest.ask(entry.worker, Answer(3), "first", times=_TIMES)["seconds"]
            if number:
                taken[entry.what] += [second * 1e6 for second in seconds]
    found = compared(entries, taken, "us")
    middles = {what: statistics.median(values) for what, values in taken.items()}
    for entry, one in zip(entries, found, strict=True):
        if entry.what != entry.floor:
            one.note = f"{middles[entry.what] - middles[entry.floor]:,.0f} us over the floor"
    title = "Time from the call to the first text, warm connection"
    return [Table(title, found, budget="1 ms over the floor", note=described(contest))]
