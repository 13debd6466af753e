"""What does one event cost to make, frozen or not?

There is one event per token, so the way its class is made decides what a stream costs at least. Answered in nanoseconds per
event, the median of several rounds, for a value of two strings: the budget is half a microsecond. The ratios hold; the
nanoseconds are those of this machine.
"""

import statistics
import timeit
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from allm_rx.data.events import TextDelta
from benchmarks.contest import Contest, progress
from benchmarks.harness import Table, row

ROUNDS = 7
EVENTS = 100_000
"""Events that one round makes."""


@dataclass(slots=True)
class Plain:
    """A slotted dataclass."""

    type: ClassVar[Literal["text_delta"]] = "text_delta"
    id: str
    delta: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """The same, frozen at run time: its `__init__` goes through `object.__setattr__`."""

    type: ClassVar[Literal["text_delta"]] = "text_delta"
    id: str
    delta: str


class Model(BaseModel):
    """The same as a frozen pydantic model, which validates."""

    model_config = ConfigDict(frozen=True)

    type: Literal["text_delta"] = "text_delta"
    id: str
    delta: str


WAYS: dict[str, type[Any]] = {
    "plain slotted dataclass": Plain,
    "frozen slotted dataclass": Frozen,
    "pydantic model": Model,
    "allm_rx.data.events.TextDelta": TextDelta,
}


def tables(contest: Contest) -> list[Table]:
    """Measure each way, and our own event as it is."""
    del contest
    progress("events")
    taken = {what: _nanoseconds(cls) for what, cls in WAYS.items()}
    base = statistics.median(taken["plain slotted dataclass"])
    found = [row(what, values, "ns", base) for what, values in taken.items()]
    return [Table("Making one event of two texts", found, floor="the plain dataclass")]


def _nanoseconds(cls: type[Any]) -> list[float]:
    made = timeit.repeat("make(id='0', delta='token')", globals={"make": cls}, number=EVENTS, repeat=ROUNDS)
    return [seconds / EVENTS * 1e9 for seconds in made]
