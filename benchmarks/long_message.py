"""Does a delta cost the same in a message of 100,000 as in one of 1,000?

Budget: within 1.2 x.
"""

from benchmarks import clients
from benchmarks.harness import Table, cpu_per_item, row, run, server

SHORT = 1_000
LONG = 100_000


async def measure() -> Table:
    """Measure the fold of a long and of a short message; a round of short ones is as many deltas as a long one."""
    length = len("tok000 ")
    with server(SHORT, 8) as short, server(LONG, 8) as long:
        one = clients.folded(clients.engine_for(short), length)

        async def shorts() -> int:
            return sum([await one() for _ in range(LONG // SHORT)])

        taken = await cpu_per_item(
            {"messages of 1,000": shorts, "one of 100,000": clients.folded(clients.engine_for(long), length)}, LONG, rounds=5
        )
    base = sorted(taken["messages of 1,000"])[2]
    found = [row(name, values, "ns", base) for name, values in taken.items()]
    return Table("CPU per delta by length of the message", found, floor="the short ones", budget="1.2 x the short ones")


def tables() -> list[Table]:
    """Run the benchmark."""
    return [run(measure())]


if __name__ == "__main__":
    for table in tables():
        print(table.show())
