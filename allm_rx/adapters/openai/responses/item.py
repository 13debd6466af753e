"""What all items of an answer have in common while they arrive.

Rule: an item begins, takes events, and ends once: with the whole item where the provider sends it, which is the authority.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from allm_rx.wire.shapes import as_word

if TYPE_CHECKING:
    from allm_rx.abc.emitter import EventEmitter
    from allm_rx.adapters.openai.responses.wire import Wire


class Item(ABC):
    """One item of an answer."""

    def __init__(self, out: EventEmitter, item: Wire) -> None:
        """Begin an item.

        Args:
            out: told what the item says.
            item: its first state.
        """
        self.kind = as_word(item.get("type"))
        self.wire_id = as_word(item.get("id"))
        """Its id when it began; some vendors send another one with every event."""
        self.call_id = as_word(item.get("call_id"))
        self.refused = False
        """Whether the model refuses in it."""
        self.done = False
        self._out = out

    @abstractmethod
    def take(self, event: str, data: Wire) -> None:
        """Take an event of the item.

        Args:
            event: the event's type without `response.`.
            data: the event.
        """

    @abstractmethod
    def end(self, item: Wire | None, *, cut: bool) -> None:
        """Say that the item is over.

        Args:
            item: the whole item; None where it never came.
            cut: whether the answer ended at a limit, or failed.
        """

    def is_named_by(self, item: Wire) -> bool:
        """Tell whether a whole item has an id of this one."""
        ids = {as_word(item.get("id")), as_word(item.get("call_id"))} - {""}
        return not ids.isdisjoint((self.wire_id, self.call_id))
