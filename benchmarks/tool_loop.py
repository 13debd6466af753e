"""What does a turn of a chat cost, in which the model calls one trivial tool?

Nothing is promised; the floor sends the requests by hand.
"""

from benchmarks.answers import Answer
from benchmarks.contest import CHAT_PEERS, FLOOR, MESSAGES_FLOOR, MESSAGES_OURS, MESSAGES_PEER, OURS, Contest, Entry
from benchmarks.harness import Table, compared, described
from benchmarks.stream_cpu import cpu

TURNS = 20
_ENTRIES = tuple(
    Entry(entry.what.replace("stream_generate", "chat"), entry.worker, "chat", entry.floor)
    for entry in (FLOOR, OURS, *CHAT_PEERS, MESSAGES_FLOOR, MESSAGES_OURS, MESSAGES_PEER)
)
_NOTE = (
    f"A chat of {TURNS} turns, each a streamed request that has all the earlier ones in it. "
    "`pydantic-ai` has a loop of its own, as we do; around the others it is by hand, without a check of the arguments."
)


def tables(contest: Contest) -> list[Table]:
    """Run the benchmark."""
    entries = contest.among(_ENTRIES)
    taken = cpu(contest.per_item("tool_loop", Answer(turns=TURNS), entries))
    microseconds = {what: [value / 1e3 for value in values] for what, values in taken.items()}
    return [Table("CPU per turn with a tool call", compared(entries, microseconds, "us"), note=described(contest, _NOTE))]
