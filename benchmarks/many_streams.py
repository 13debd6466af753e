"""Do 1,000 concurrent streams complete in one process, and what does an open one hold?

Budget: all complete, under 100 KiB per open stream, and a second wave opens no new connection.
"""

import statistics

from benchmarks.answers import Answer
from benchmarks.contest import EVERYBODY, Contest, Entry, progress
from benchmarks.harness import Row, Table, described, row

STREAMS = 1000
ROUNDS = 5
PEER_ROUNDS = 1
"""Since 1,000 streams take some of them half a minute, and memory is not a matter of the machine's load."""
_ANSWER = Answer(2, held=1)
_NOTE = (
    "Each number is of a process of its own, that read one stream before: "
    "what the process grew by when each stream had given its first text and was not at its end. "
    f"Medians of {ROUNDS}, others' of {PEER_ROUNDS}. Who opens fewer has a limit of its own, and the rest wait."
)


def tables(contest: Contest) -> list[Table]:
    """Run the benchmark."""
    entries = [entry for entry in contest.among(EVERYBODY) if entry.do == "read"]
    taken: dict[str, list[float]] = {entry.what: [] for entry in entries}
    told: dict[str, str] = {}
    for number in range(ROUNDS):
        for entry in entries if number < PEER_ROUNDS else [one for one in entries if not one.peer]:
            progress("many_streams", f"round {number + 1} of {ROUNDS},", entry.what)
            kib, told[entry.what] = _waves(contest, entry)
            taken[entry.what].append(kib)
    base = {what: statistics.median(values) for what, values in taken.items()}
    found: list[Row] = []
    for entry in entries:
        one = row(entry.what, taken[entry.what], "KiB", base[entry.floor] or None)
        one.note = told[entry.what]
        found.append(one)
    budget = "all complete, under 100 KiB each, no new connection"
    return [Table(f"Memory per open stream, {STREAMS:,} at once", found, budget=budget, note=described(contest, _NOTE))]


def _waves(contest: Contest, entry: Entry) -> tuple[float, str]:
    """Open all streams at once; for ours and the floors, twice."""
    url, go = contest.url + _ANSWER.path, f"{contest.url}/go"
    with contest.fresh(entry.worker) as worker:
        worker.ask(url, "hold", streams=1, go=go)
        first = worker.ask(url, "hold", streams=STREAMS, go=go)
        told = f"{first['opened']:,} open at once, {first['completed']:,} completed"
        if not entry.peer:
            before = contest.connections()
            worker.ask(url, "hold", streams=STREAMS, go=go)
            # One connection per wave says that it may go on.
            told += f", {contest.connections() - before - 1} new connections in a second wave"
    return first["bytes"] / 1024, told
