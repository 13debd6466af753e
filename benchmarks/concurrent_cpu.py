"""What does a streamed chunk cost when 100, 200 and 1,000 short streams run at once?

Budget: 2.0 x floor for 200 of them.
"""

from benchmarks.answers import Answer
from benchmarks.contest import EVERYBODY, Contest
from benchmarks.harness import Table, compared, described, row
from benchmarks.stream_cpu import cpu

_SIZES = {100: 50, 200: 100, 1_000: 10}
"""How many chunks each stream has, by how many there are at once."""
_PROMISED = 200
_MANY = 1_000
"""So many take some of the others half a minute; the median of their rounds leaves out the first, which connects."""
_NOTE = "The streams are as short for everybody, since the slowest would take minutes for longer ones."


def tables(contest: Contest) -> list[Table]:
    """Measure them; where something is promised, without others, which need no more than two tables."""
    found: list[Table] = []
    for streams, chunks in _SIZES.items():
        promised = streams == _PROMISED
        entries = [entry for entry in contest.among(EVERYBODY) if not (promised and entry.peer)]
        answer = Answer(chunks, together=4)
        taken = contest.per_item(f"concurrent_cpu, {streams}", answer, entries, streams=streams, warm_up=streams < _MANY)
        title = f"{streams:,} concurrent streams of {chunks} chunks"
        note = "" if promised else described(contest, _NOTE)
        budget = "2.0 x floor" if promised else ""
        found.append(Table(f"CPU per chunk, {title}", compared(entries, cpu(taken), "ns"), budget=budget, note=note))
        per_second = [row(what, one.rate, "1/s") for what, one in taken.items()]
        found.append(Table(f"Chunks per second, {title}", per_second))
    return found
