"""What an answer consumed: tokens and money. None always means "not reported"."""

from pydantic import Field, JsonValue

from allm_rx.data.model import Data

_SUMMED = (
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "reasoning_tokens",
    "total_tokens",
    "input_cost",
    "output_cost",
    "total_cost",
)


class Usage(Data):
    """Tokens and cost of one answer, or of several added up."""

    input_tokens: int | None = None
    """The whole prompt, cache reads and writes included."""
    output_tokens: int | None = None
    """Everything generated, reasoning included."""
    cached_input_tokens: int | None = None
    """The part of the prompt that came from the provider's cache."""
    cache_write_input_tokens: int | None = None
    """The part of the prompt that was written to the provider's cache."""
    reasoning_tokens: int | None = None
    """The part of the output that was reasoning."""
    total_tokens: int | None = None
    input_cost: float | None = None
    """US dollars, like the other costs; None unless the provider reports it or prices are given."""
    output_cost: float | None = None
    total_cost: float | None = None
    extra: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """What only this provider reports, under its own names."""

    def merge(self, newer: "Usage") -> "Usage":
        """Give what is known after a newer report of the same answer: its numbers win, what it leaves out stays."""
        known = {name: value for name in _SUMMED if (value := getattr(newer, name)) is not None}
        return self.model_copy(update={**known, "extra": {**self.extra, **newer.extra}})

    def __add__(self, other: "Usage") -> "Usage":
        """Give the sum over two answers; a number is None only when neither reported it.

        `extra` is specific to one answer: numbers add up, of anything else the later one stays.
        """
        sums: dict[str, object] = {}
        for name in _SUMMED:
            left, right = getattr(self, name), getattr(other, name)
            sums[name] = right if left is None else left if right is None else left + right
        extra: dict[str, JsonValue] = dict(self.extra)
        for name, value in other.extra.items():
            before = extra.get(name)
            both = _is_number(before) and _is_number(value)
            extra[name] = before + value if both else value  # type: ignore[operator]
        return self.model_copy(update={**sums, "extra": extra})


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
