"""What does a streamed chunk cost, from the socket to the subscriber, beside the least a client can do, and beside others?

Budgets: streamed 1.5 x floor, folded 1.7 x floor; the `openai` package at least 15 x what ours costs, `anthropic` 8 x.
"""

from benchmarks.answers import Answer
from benchmarks.contest import EVERYBODY, Contest, Taken
from benchmarks.harness import Table, compared, described, row

CHUNKS = 5_000
BUDGET = "streamed 1.5 x floor, folded 1.7 x floor, `openai` 15 x ours, `anthropic` 8 x ours"
_LIMITED = "The server is one process as well, and gives no more than the fastest of these take."


def tables(contest: Contest) -> list[Table]:
    """Run the benchmark."""
    entries = contest.among(EVERYBODY)
    alone = contest.per_item("stream_cpu", Answer(CHUNKS), entries)
    mine = [entry for entry in entries if not entry.peer]
    gathered = contest.per_item("stream_cpu, gathered", Answer(CHUNKS, together=32), mine)
    title = "CPU per chunk, one stream of {} chunks, {} per HTTP chunk"
    note = described(contest, "`generate` is the whole answer; the others give each piece of it.")
    per_second = [row(what, taken.rate, "1/s") for what, taken in alone.items()]
    return [
        Table(title.format(f"{CHUNKS:,}", 1), compared(entries, cpu(alone), "ns"), budget=BUDGET, note=note),
        Table(title.format(f"{CHUNKS:,}", 32), compared(mine, cpu(gathered), "ns"), budget=BUDGET),
        Table("Chunks per second, one stream", per_second, note=described(contest, _LIMITED)),
    ]


def cpu(taken: dict[str, Taken]) -> dict[str, list[float]]:
    """Give the CPU times alone."""
    return {what: one.cpu for what, one in taken.items()}
