"""How long after it was left does the server see a stream close, and how long does leaving take?

Budget: 20 ms on loopback, from any thread.
"""

import statistics

from benchmarks.answers import Answer
from benchmarks.contest import EVERYBODY, Contest, Entry, progress
from benchmarks.harness import Row, Table, described

TIMES = 20
_ANSWER = Answer(10_000, pace=10)
_WAYS = {
    "close": {"allm_rx": "disposed on the loop", "": "closed"},
    "thread": {"allm_rx": "disposed on another thread"},
    "cancel": {"": "its task cancelled"},
}
_NOTE = "Closed means left behind the first piece, and closed as the documentation says."


def tables(contest: Contest) -> list[Table]:
    """Run the benchmark, interleaved."""
    entries = [entry for entry in contest.among(EVERYBODY) if entry.do == "read" and entry.what != entry.floor]
    ways = [(entry, how, name) for entry in entries for how, names in _WAYS.items() if (name := _name(entry, names))]
    seen: dict[str, list[float | None]] = {f"{entry.what}, {name}": [] for entry, _, name in ways}
    returned: list[float] = []
    for number in range(TIMES + 1):
        progress("cancel_latency", f"round {number} of {TIMES}" if number else "warming up")
        for entry, how, name in ways:
            contest.forget()
            left = contest.ask(entry.worker, _ANSWER, "leave", how=how)
            closed = contest.closed()
            if number:
                seen[f"{entry.what}, {name}"].append(None if closed is None else (closed - left["left"]) * 1e3)
                if how == "thread":
                    returned.append(left["took"] * 1e3)
    found = [_row(what, values) for what, values in seen.items()]
    found.append(_row("dispose() returns, on another thread", returned))
    return [Table("Leaving a stream in mid-token", found, budget="20 ms, from any thread", note=described(contest, _NOTE))]


def _name(entry: Entry, names: dict[str, str]) -> str | None:
    return names.get(entry.worker.partition(",")[0]) or names.get("")


def _row(name: str, values: list[float | None] | list[float]) -> Row:
    known = [value for value in values if value is not None]
    never = f"{len(values) - len(known)} of {len(values)} were not seen within 5 s" if len(known) < len(values) else ""
    if len(known) < 2:
        return Row(name, None, "ms", note=never)
    worst = statistics.quantiles(known, n=20, method="inclusive")[18]
    return Row(name, statistics.median(known), "ms", note=never or f"95th percentile {worst:.2f} ms")
