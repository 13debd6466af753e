"""How results are shown: medians with their spread, as ratios of one run.

A machine that is busy with other things slows the floor as well, so only ratios are worth comparing.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from benchmarks.contest import Contest, Entry


@dataclass
class Row:
    """One line of a table."""

    what: str
    value: float | None
    """None where there is nothing to measure, as `note` tells."""
    unit: str
    ratio: float | None = None
    """To the floor of the same table."""
    spread: float | None = None
    """Half the distance between the quartiles, as a part of the median."""
    note: str = ""
    who: Literal["floor", "ours", "peer"] = "ours"


@dataclass
class Table:
    """The answer to one question."""

    question: str
    rows: list[Row] = field(default_factory=list[Row])
    floor: str = "floor"
    """What the ratios are to."""
    budget: str = ""
    """What was promised."""
    note: str = ""
    """What has to be known to read it: how it was measured, and which versions."""

    def show(self) -> str:
        """Give the table as text, aligned."""
        lines = [self.question if not self.budget else f"{self.question} (promised: {self.budget})"]
        width = max((len(row.what) for row in self.rows), default=0)
        for row in self.rows:
            value = f"{row.value:12,.2f}" if row.value is not None else " " * 12
            ratio = f"{row.ratio:7.2f} x {self.floor}" if row.ratio is not None else " " * (10 + len(self.floor))
            spread = f"  ±{row.spread * 100:.0f} %" if row.spread is not None else ""
            lines.append(f"  {row.what:<{width}}  {value} {row.unit:<8}{ratio}{spread}  {row.note}".rstrip())
        return "\n".join([*lines, f"  {self.note}"] if self.note else lines)

    def markdown(self) -> str:
        """Give the table for a page."""
        lines = [f"### {self.question}", ""]
        if self.budget:
            lines += [f"Promised: {self.budget}.", ""]
        lines += [f"| | median | unit | x {self.floor} | spread | |", "|---|---:|---|---:|---:|---|"]
        for row in self.rows:
            value = "" if row.value is None else f"{row.value:,.2f}"
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
            spread = "" if row.spread is None else f"±{row.spread * 100:.0f} %"
            lines.append(f"| {row.what} | {value} | {row.unit} | {ratio} | {spread} | {row.note} |")
        note = ["", self.note.replace(". ", ".\n")] if self.note else []  # a line is a sentence
        return "\n".join([*lines, *note])

    def as_json(self) -> str:
        """Give the table as one line of JSON."""
        return json.dumps(asdict(self))


def compared(entries: Sequence[Entry], taken: Mapping[str, Sequence[float]], unit: str) -> list[Row]:
    """Give a row per entry, with its ratio to its floor, and for others' how much more than ours that is."""
    middles = {what: statistics.median(values) for what, values in taken.items()}
    ours = {entry.floor: middles[entry.what] for entry in reversed(entries) if entry.what != entry.floor and not entry.peer}
    found: list[Row] = []
    for entry in entries:
        one = row(entry.what, taken[entry.what], unit, middles[entry.floor])
        one.who = "floor" if entry.what == entry.floor else "peer" if entry.peer else "ours"
        if entry.peer:
            one.note = f"{middles[entry.what] / ours[entry.floor]:.1f} x ours"
        found.append(one)
    return found


def row(name: str, values: Sequence[float], unit: str, base: float | None = None) -> Row:
    """Give the row of one candidate from its measurements."""
    middle = statistics.median(values)
    spread = None
    if len(values) >= 4:
        low, _, high = statistics.quantiles(values, n=4)
        spread = (high - low) / 2 / middle if middle else None
    return Row(name, middle, unit, None if base is None else middle / base, spread)


def described(contest: Contest, *sentences: str) -> str:
    """Give the note of a table in which others take part: how it was measured, and their versions."""
    versions = [f"{name} {version}" for name, version in contest.versions().items()]
    return " ".join([*sentences, f"Measured beside {', '.join(versions)}."] if versions else sentences)
