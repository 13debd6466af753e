"""What makes a class an event.

Rule 1: there is one event per token, so an event is a plain slotted dataclass: `frozen=True` makes `__init__` 2.5 times as
dear (see benchmarks/events.py), and type checkers enforce it all the same.
Rule 2: events are closed and hashable by value, like all data.
"""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, dataclass_transform

from pydantic import ConfigDict, PlainSerializer

from allm_rx.data.model import hash_of, jsonable

_Class = TypeVar("_Class", bound=type)
_make: Any = dataclass(slots=True)

Given = Annotated[Any, PlainSerializer(jsonable)]
"""What a program or a provider put in; what JSON cannot hold is written as its `repr`."""


@dataclass_transform(frozen_default=True)
def event_class(cls: _Class) -> _Class:
    """Make a class with annotated fields an event: slotted, and frozen for type checkers."""
    made = _make(cls)
    made.__pydantic_config__ = ConfigDict(extra="forbid", ser_json_inf_nan="constants")
    made.__hash__ = _hash
    return made


def _hash(event: Any) -> int:
    return hash_of((event.type, *(getattr(event, name) for name in event.__match_args__)))
