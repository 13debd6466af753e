"""What a trouble comes to under each way to deal with it: the rows of the tables of faults."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

Mode = Literal["off", "retry", "restart", "fallback", "fallback, restart"]
MODES: tuple[Mode, ...] = ("off", "retry", "restart", "fallback", "fallback, restart")

PROTOCOLS = ("anthropic", "gemini", "openai", "openai-chat")

SHORT = 0.1
"""Seconds that are waited for what never comes."""
FIRST = 0.2
"""The same, where another program has to be as quick as that when it is asked again."""


@dataclass(frozen=True)
class Row(Generic[T]):
    """One trouble, and what it comes to; see `cells.line` for how that is written."""

    trouble: T
    off: str
    retry: str
    restart: str
    fallback: str
    fallback_restart: str

    def expected(self, mode: Mode) -> str:
        """Give the outcome under one way."""
        return (self.off, self.retry, self.restart, self.fallback, self.fallback_restart)[MODES.index(mode)]


def heals(trouble: T, alone: str) -> Row[T]:
    """Fails before output in a way that may heal: every remedy works, and leaves no trace of the first attempt."""
    again, other = "stop 'Hello you' x2", "stop 'Hello you' x1 other x1"
    return Row(trouble, f"{alone} '' x1", again, again, other, other)


def persists(trouble: T, alone: str) -> Row[T]:
    """Fails before output in a way that might have healed, and fails again: only another one helps."""
    again, other = f"{alone} '' x2", "stop 'Hello you' x1 other x1"
    return Row(trouble, f"{alone} '' x1", again, again, other, other)


def stays(trouble: T, alone: str) -> Row[T]:
    """Fails before output in a way that the same provider would repeat: only another one helps."""
    other = f"stop 'Hello you' {alone.split()[-1]} other x1"
    return Row(trouble, alone, alone, alone, other, other)


def breaks(trouble: T, alone: str, *, retried: bool = True) -> Row[T]:
    """Fails after output: what came is kept, unless a remedy may void it."""
    again = "stop 'Hello you' x2 restarts 1" if retried else alone
    return Row(trouble, alone, alone, again, alone, "stop 'Hello you' x1 restarts 1 other x1")


def harmless(trouble: T, alone: str = "stop 'Hello you' x1") -> Row[T]:
    """Is no failure."""
    return Row(trouble, *[alone] * len(MODES))


def cut_short(trouble: T, kept: str | None, *, before_output: str = "stream_interrupted") -> Row[T]:
    """The answer ends early.

    Args:
        trouble: what cuts it.
        kept: the text that was there; None when nothing was, "=" when all of the answer was.
        before_output: the reason when nothing was.
    """
    if kept is None:
        return heals(trouble, before_output)
    return harmless(trouble) if kept == "=" else breaks(trouble, f"stream_interrupted {kept!r} x1")
