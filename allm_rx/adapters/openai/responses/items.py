"""Calls, pictures and everything else that is not made of texts, while it arrives; see `Item`.

Rule 1: what did not come by deltas is told by deltas too, so nobody has to look in two places.
Rule 2: an event that its item does not know changes nothing.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import TYPE_CHECKING

from allm_rx.adapters.openai.responses.hosted import CALLS, arguments_of, image_in, result_of, runs_at_provider
from allm_rx.adapters.openai.responses.item import Item
from allm_rx.adapters.openai.responses.texts import Message, Reasoning
from allm_rx.adapters.openai.responses.wire import Wire, as_json, kept, without
from allm_rx.data.parts import ProviderPart
from allm_rx.reducers.message import CUT_OFF
from allm_rx.wire.shapes import as_text, as_word
from allm_rx.wire.text import repair, repair_json

if TYPE_CHECKING:
    from allm_rx.abc.emitter import EventEmitter


def new_item(out: EventEmitter, number: int, item: Wire, client: frozenset[str]) -> Item:
    """Give the reader of an item that has begun.

    Args:
        out: told what the item says.
        number: its position in the answer, for the ids of its blocks.
        item: its first state.
        client: what the application runs itself, see `hosted.client_side`.
    """
    match kind := as_word(item.get("type")):
        case "message":
            return Message(out, number, item)
        case "reasoning":
            return Reasoning(out, number, item)
        case "function_call" | "mcp_call":
            return _JsonCall(out, item, theirs=kind == "mcp_call")
        case "custom_tool_call":
            return _TextCall(out, item, "input", theirs=bool(runs_at_provider(item, client)))
        case "code_interpreter_call":
            return _TextCall(out, item, "code", theirs=True)
        case "image_generation_call":
            return _Image(out, item)
        case "shell_call_output":
            return _Result(out, item)
        case _ if kind in CALLS and (theirs := runs_at_provider(item, client)) is not None:
            return _WholeCall(out, item, theirs=theirs)
        case _:
            return _Other(out, item)


class _Call(Item):
    """A call of a tool, the application's or one that the provider runs."""

    def __init__(self, out: EventEmitter, item: Wire, *, theirs: bool) -> None:
        super().__init__(out, item)
        self._theirs = theirs
        self._id: str | None = None
        self._held: list[str] = []
        self._begin(item)

    def take(self, event: str, data: Wire) -> None:
        """Take an event; one that brings the name begins a call that had none."""
        del event
        self._begin(data)

    def end(self, item: Wire | None, *, cut: bool) -> None:
        """Complete the call; one that never got a name is dropped, since nobody could run it."""
        self.done = True
        if item is not None:
            self._begin(item)
        if self._id is None:
            return
        self._complete(self._id, item, cut=cut or (item is not None and item.get("status") == "incomplete"))
        if self._theirs and item is not None and (result := result_of(item)) is not None:
            content, failed = result
            self._out.result(self._id, self._name(item), content, is_error=failed)

    @abstractmethod
    def _complete(self, call_id: str, item: Wire | None, *, cut: bool) -> None:
        """Say that the call is whole; see `end`."""

    def _begin(self, item: Wire) -> None:
        name = self._name(item)
        if self._id is None and name:
            self._id = self._out.new_call_id(self.call_id or as_word(item.get("call_id")) or self.wire_id or None)
            self._out.call_started(self._id, name, provider_executed=self._theirs)
            for piece in self._held:
                self._out.call_delta(self._id, piece)

    def _name(self, item: Wire) -> str:
        return CALLS.get(self.kind) or as_word(item.get("name"))

    def _grow(self, piece: str) -> None:
        if self._id is None:
            self._held.append(piece)
        else:
            self._out.call_delta(self._id, piece)

    def _said(self) -> str:
        return "".join(self._held if self._id is None else self._out.builder.call(self._id).pieces)

    def _extra(self, item: Wire | None, *told: str) -> Wire:
        """Give what is kept of the item: all, but of a call of the application's not what the call itself holds."""
        if item is None:
            return {}
        if self._theirs:
            return kept(item)
        return kept(without(item, *told, *(("call_id",) if as_word(item.get("call_id")) == self._id else ())))


class _JsonCall(_Call):
    """A call whose arguments come as JSON."""

    def take(self, event: str, data: Wire) -> None:
        super().take(event, data)
        if event.endswith("_arguments.delta"):
            self._grow(as_text(data.get("delta")))
        elif event.endswith("_arguments.done"):
            self._fill(as_json(data.get("arguments")))

    def _complete(self, call_id: str, item: Wire | None, *, cut: bool) -> None:
        whole = as_json(item.get("arguments")) if item is not None else ""
        self._fill(whole)
        self._out.call_completed(call_id, whole or None, extra=self._extra(item, "name", "arguments"), cut=cut)

    def _fill(self, whole: str) -> None:
        whole, said = repair(whole), self._said()
        if len(whole) > len(said) and whole.startswith(said):
            self._grow(whole[len(said) :])


class _TextCall(_Call):
    """A call with one text as its argument; the text is told as JSON, as the arguments of all calls are."""

    def __init__(self, out: EventEmitter, item: Wire, field: str, *, theirs: bool) -> None:
        self._field = field
        self._text: list[str] = []
        super().__init__(out, item, theirs=theirs)

    def take(self, event: str, data: Wire) -> None:
        super().take(event, data)
        if event.endswith(f"_{self._field}.delta"):
            self._add(as_text(data.get("delta")))
        elif event.endswith(f"_{self._field}.done"):
            self._fill(as_text(data.get(self._field)))

    def _complete(self, call_id: str, item: Wire | None, *, cut: bool) -> None:
        whole = as_text(item.get(self._field)) if item is not None else ""
        self._fill(whole)
        extra = self._extra(item, "name", self._field)
        if cut:  # any beginning of a text is a text, so only this tells that it must not be run
            self._out.call_completed(call_id, self._said(), arguments={}, extra=extra, error=CUT_OFF)
            return
        self._grow('"}' if self._text else json.dumps({self._field: ""}))
        self._out.call_completed(call_id, arguments={self._field: repair(whole or "".join(self._text))}, extra=extra)

    def _add(self, text: str) -> None:
        if text:
            opening = "" if self._text else f'{{"{self._field}": "'
            self._text.append(text)
            self._grow(opening + json.dumps(text, ensure_ascii=False)[1:-1])

    def _fill(self, whole: str) -> None:
        said = "".join(self._text)
        if whole.startswith(said):
            self._add(whole[len(said) :])


class _WholeCall(_Call):
    """A call of a tool of the API whose arguments come with the whole item."""

    def _complete(self, call_id: str, item: Wire | None, *, cut: bool) -> None:
        if item is None or cut:
            self._out.call_completed(call_id, arguments={}, extra=self._extra(item), error=CUT_OFF)
            return
        arguments = repair_json(arguments_of(item))
        self._grow(as_json(arguments))
        self._out.call_completed(call_id, arguments=arguments, extra=self._extra(item))


class _WholeItem(Item):
    """An item that means nothing before it is whole."""

    def take(self, event: str, data: Wire) -> None:
        """Take an event, which is news of its progress."""

    def end(self, item: Wire | None, *, cut: bool) -> None:
        """Tell the item; one that never came whole does not count."""
        del cut
        self.done = True
        if item is not None:
            self._tell(item)

    @abstractmethod
    def _tell(self, item: Wire) -> None:
        """Say what the item is."""


class _Image(_WholeItem):
    """A picture that the model made."""

    def _tell(self, item: Wire) -> None:
        image = image_in(item)
        if image is None:
            self._out.item(ProviderPart(kind=self.kind, provider_data=kept(item)))
        else:
            self._out.media(as_word(item.get("id")) or "image", image)


class _Result(_WholeItem):
    """What a tool that the provider ran gave back, in an item of its own."""

    def _tell(self, item: Wire) -> None:
        content, failed = result_of(item) or ((), False)
        name = CALLS.get(self.kind.removesuffix("_output"))
        self._out.result(as_word(item.get("call_id")), name, content, is_error=failed, extra=kept(item))


class _Other(_WholeItem):
    """An item that is not modelled, such as a compaction; it is kept whole."""

    def _tell(self, item: Wire) -> None:
        kind = as_word(item.get("type")) or "unknown"
        self._out.item(ProviderPart(kind=kind, provider_data=kept(item)))
