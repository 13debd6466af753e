"""How things are measured: interleaved rounds against a floor, medians with their spread, ratios of one run.

A machine that is busy with other things slows the floor as well, so only ratios are worth comparing.
"""

import asyncio
import contextlib
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROUNDS = 7


@dataclass
class Row:
    """One line of a table."""

    what: str
    value: float
    unit: str
    ratio: float | None = None
    """To the floor of the same table."""
    spread: float | None = None
    """Half the distance between the quartiles, as a part of the median."""
    note: str = ""


@dataclass
class Table:
    """The answer to one question."""

    question: str
    rows: list[Row] = field(default_factory=list[Row])
    floor: str = "floor"
    """What the ratios are to."""
    budget: str = ""
    """What was promised."""

    def show(self) -> str:
        """Give the table as text, aligned."""
        lines = [self.question if not self.budget else f"{self.question} (promised: {self.budget})"]
        width = max((len(row.what) for row in self.rows), default=0)
        for row in self.rows:
            ratio = f"{row.ratio:7.2f} x {self.floor}" if row.ratio is not None else " " * (10 + len(self.floor))
            spread = f"  ±{row.spread * 100:.0f} %" if row.spread is not None else ""
            lines.append(f"  {row.what:<{width}}  {row.value:12,.2f} {row.unit:<14}{ratio}{spread}  {row.note}".rstrip())
        return "\n".join(lines)

    def markdown(self) -> str:
        """Give the table for a page."""
        lines = [f"### {self.question}", ""]
        if self.budget:
            lines += [f"Promised: {self.budget}.", ""]
        lines += [f"| | median | unit | x {self.floor} | spread | |", "|---|---:|---|---:|---:|---|"]
        for row in self.rows:
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
            spread = "" if row.spread is None else f"±{row.spread * 100:.0f} %"
            lines.append(f"| {row.what} | {row.value:,.2f} | {row.unit} | {ratio} | {spread} | {row.note} |")
        return "\n".join(lines)

    def as_json(self) -> str:
        """Give the table as one line of JSON."""
        return json.dumps(asdict(self))


@contextlib.contextmanager
def server(chunks: int, together: int = 1, pace: float = 0.0) -> Generator[str]:
    """Run the canned server in a process of its own and give its base URL."""
    command = [sys.executable, "-m", "benchmarks.server"]
    options = ["--chunks", str(chunks), "--together", str(together), "--pace", str(pace)]
    folder = Path(__file__).parent.parent
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


async def cpu_per_item(
    candidates: dict[str, Callable[[], Awaitable[int]]], items: int, *, rounds: int = ROUNDS
) -> dict[str, list[float]]:
    """Give nanoseconds of this process's CPU per item, for each candidate and round, interleaved.

    Raises:
        AssertionError: a candidate did not see every item.
    """
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds + 1):
        for name, work in candidates.items():
            gc.collect()
            begun = time.process_time()
            seen = await work()
            cost = (time.process_time() - begun) / items * 1e9
            assert seen == items, f"{name} saw {seen} of {items}"
            if number:  # the first round warms up
                taken[name].append(cost)
    return taken


def rows(taken: dict[str, list[float]], unit: str, *, floor: str) -> list[Row]:
    """Give a row per candidate, with its ratio to the floor; the median over rounds counts."""
    base = statistics.median(taken[floor])
    return [row(name, values, unit, base) for name, values in taken.items()]


def row(name: str, values: list[float], unit: str, base: float | None = None) -> Row:
    """Give the row of one candidate from its measurements."""
    middle = statistics.median(values)
    spread = None
    if len(values) >= 4:
        low, _, high = statistics.quantiles(values, n=4)
        spread = (high - low) / 2 / middle if middle else None
    return Row(name, middle, unit, None if base is None else middle / base, spread)


def run(work: Awaitable[Table]) -> Table:
    """Run a benchmark that is a coroutine."""

    async def main() -> Table:
        return await work

    return asyncio.run(main())
