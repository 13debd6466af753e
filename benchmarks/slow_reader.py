"""Does the memory grow when the subscriber is slower than the server, and is anything dropped?

Budget: it does not, since the socket is not read; nothing is.
"""

from benchmarks.answers import Answer
from benchmarks.contest import EVERYBODY, Contest, progress
from benchmarks.harness import Table, described, row

ROUNDS = 5
_PIECES = 2_000
_LENGTH = 5_000
_NOTE = (
    f"The answer has {_PIECES:,} pieces and {_PIECES * _LENGTH / 2**20:.0f} MiB; the reader sleeps 1 ms behind each tenth. "
    "Who keeps the whole message grows by that, and by as much again while it is joined at the end. "
    "Each number is of a process of its own, "
    f"the median of {ROUNDS}, others' of one."
)


def tables(contest: Contest) -> list[Table]:
    """Run the benchmark."""
    entries = [entry for entry in contest.among(EVERYBODY) if entry.do == "read"]
    answer = Answer(_PIECES, length=_LENGTH)
    small = Answer(1, length=_LENGTH)
    taken: dict[str, list[float]] = {entry.what: [] for entry in entries}
    seen: dict[str, int] = {}
    for number in range(ROUNDS):
        for entry in entries if not number else [one for one in entries if not one.peer]:
            progress("slow_reader", f"round {number + 1} of {ROUNDS},", entry.what)
            with contest.fresh(entry.worker) as worker:
                worker.ask(contest.url + small.path, "linger", pause=0, every=1)
                done = worker.ask(contest.url + answer.path, "linger", pause=0.001, every=10)
            taken[entry.what].append(done["bytes"] / 2**20)
            seen[entry.what] = done["seen"]
    found = [row(what, values, "MiB") for what, values in taken.items()]
    for one in found:
        one.note = f"{_PIECES - seen[one.what]} pieces dropped"
    title = "Growth while a slow reader reads from a fast server"
    return [Table(title, found, budget="bounded, nothing dropped", note=described(contest, _NOTE))]
