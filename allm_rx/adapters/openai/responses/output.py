"""The items of one answer, and which of them an event belongs to.

Rule 1: the output index joins. Item ids do so only where an index is missing or repeated, because some vendors send another id
with every event; where neither helps, order does: the last item of the kind that is still open.
Rule 2: what an event belongs to need not have begun: a resumed stream may start in the middle of an item.
Rule 3: the terminal's list of items completes what the stream left out, and repeats nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allm_rx.adapters.openai.responses.items import new_item
from allm_rx.wire.shapes import as_integer, as_object, as_objects, as_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from allm_rx.abc.emitter import EventEmitter
    from allm_rx.adapters.openai.responses.item import Item
    from allm_rx.adapters.openai.responses.wire import Wire

_KINDS = {
    "code_interpreter_call_code": "code_interpreter_call",
    "content_part": "message",
    "custom_tool_call_input": "custom_tool_call",
    "function_call_arguments": "function_call",
    "mcp_call_arguments": "mcp_call",
    "output_text": "message",
    "reasoning_part": "reasoning",
    "reasoning_summary_part": "reasoning",
    "reasoning_summary_text": "reasoning",
    "reasoning_text": "reasoning",
    "refusal": "message",
}
"""The kind of item that an event is about, by the first word of the event."""


class Output:
    """The items of one answer."""

    def __init__(self, out: EventEmitter, client: frozenset[str]) -> None:
        """Begin without any.

        Args:
            out: told what the items say.
            client: what the application runs itself, see `hosted.client_side`.
        """
        self._out = out
        self._client = client
        self._items: list[Item] = []
        self._at: dict[int, list[Item]] = {}
        self._adrift: list[Item] = []
        """Those that began without an index."""

    @property
    def refused(self) -> bool:
        """Whether the model refused."""
        return any(item.refused for item in self._items)

    def open(self, index: Any, wire: Wire) -> Item:
        """Begin an item."""
        item = new_item(self._out, len(self._items), wire, self._client)
        self._items.append(item)
        place = as_integer(index)
        (self._adrift if place is None else self._at.setdefault(place, [])).append(item)
        return item

    def find(self, event: str, data: Wire) -> Item | None:
        """Give the item that an event belongs to; None for an event that changes nothing."""
        kind = _KINDS.get(event.partition(".")[0])
        if kind is None:
            return None
        if event.startswith("content_part.") and as_object(data.get("part")).get("type") == "reasoning_text":
            kind = "reasoning"
        index, item_id = as_integer(data.get("output_index")), as_word(data.get("item_id"))
        here = self._of(kind, index)
        still_open = [item for item in here if not item.done]
        if still_open:
            return next((item for item in still_open if item_id and item.wire_id == item_id), still_open[-1])
        late = bool(here) and index is not None
        return None if late else self.open(index, {"type": kind, "id": item_id})

    def is_alone(self, item: Item, index: Any) -> bool:
        """Tell whether an index names this item and no other."""
        return self._at.get(index) == [item]

    def end(self, index: Any, wire: Wire) -> None:
        """Take a whole item; one that ended before is not told twice."""
        here = self._of(as_word(wire.get("type")), as_integer(index))
        named = [item for item in here if item.is_named_by(wire)]
        if any(item.done for item in named):
            return
        still_open = [item for item in named or here if not item.done]
        item = still_open[-1] if still_open else self.open(index, wire)
        item.end(wire, cut=False)

    def settle(self, output: Any, *, cut: bool) -> None:
        """Say that nothing more comes.

        Args:
            output: the terminal's list of items; anything else is as good as an empty one.
            cut: whether the answer ended at a limit, or failed.
        """
        unmatched = list(self._items)
        for index, wire in enumerate(as_objects(output)):
            item = self._match(unmatched, index, wire)
            if item is None:
                item = self.open(index, wire)
            else:
                unmatched.remove(item)
            if not item.done:
                item.end(wire, cut=cut and wire.get("status") != "completed")
        for item in unmatched:
            if not item.done:
                item.end(None, cut=cut)

    def _match(self, unmatched: Sequence[Item], index: int, wire: Wire) -> Item | None:
        alike = [item for item in unmatched if item.kind == as_word(wire.get("type"))]
        here = self._at.get(index, ())
        return (
            next((item for item in alike if item.is_named_by(wire)), None)
            or (here[0] if len(here) == 1 and here[0] in alike else None)
            or (alike[0] if alike else None)
        )

    def _of(self, kind: str, index: int | None) -> list[Item]:
        """Give the items of a kind that an index may mean."""
        if index is None:
            return [item for item in self._items if item.kind == kind]
        here = [item for item in self._at.get(index, ()) if item.kind == kind]
        return here or [item for item in self._adrift if item.kind == kind]
