"""What does one event cost to make, frozen or not?

There is one event per token, so the way its class is made decides what a stream costs at least. Answered in nanoseconds per
event, the best of several rounds, for a value of two strings: the budget is half a microsecond. The ratios hold; the
nanoseconds are those of this machine.
"""

import timeit
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from allm_rx.data.events import TextDelta

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


class Row(NamedTuple):
    """One way to make an event."""

    what: str
    nanoseconds: float
    ratio: float
    """How many times as dear as the plain slotted dataclass."""


def run(*, rounds: int = ROUNDS, events: int = EVENTS) -> list[Row]:
    """Measure each way, and our own event as it is."""
    ways: dict[str, type[Any]] = {
        "plain slotted dataclass": Plain,
        "frozen slotted dataclass": Frozen,
        "pydantic model": Model,
        "allm_rx.data.events.TextDelta": TextDelta,
    }
    best = {what: _nanoseconds(cls, rounds, events) for what, cls in ways.items()}
    floor = best["plain slotted dataclass"]
    return [Row(what, nanoseconds, nanoseconds / floor) for what, nanoseconds in best.items()]


def _nanoseconds(cls: type[Any], rounds: int, events: int) -> float:
    made = timeit.repeat("make(id='0', delta='token')", globals={"make": cls}, number=events, repeat=rounds)
    return min(made) / events * 1e9


def main() -> None:
    """Print the answer."""
    for row in run():
        print(f"{row.what:32} {row.nanoseconds:8.0f} ns {row.ratio:6.1f} x")


if __name__ == "__main__":
    main()
