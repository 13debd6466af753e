"""The elements of a list, each as it is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import pydantic
from pydantic import TypeAdapter

from allm_rx.errors import AdapterError
from allm_rx.operators.json_answers import read_answers, unfit
from allm_rx.wire.json_members import JsonMembers
from allm_rx.wire.partial_json import loads
from allm_rx.wire.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reactivex import Observable

    from allm_rx.data.events import Event
    from allm_rx.data.responses import Response

T = TypeVar("T")


def elements(model: type[T], *, field: str | None = None) -> Callable[[Observable[Event]], Observable[T]]:
    """Give each element of a list in a JSON answer when it is complete.

        s-j-s-o-n-(d,|)
        [ elements(Step) ]
        ----A-B---|

    The list is the answer itself, or a member of the object that the answer is. The text is read once, and an element is read
    when it closes. Of the answers of a chat the last one counts.

    Args:
        model: what an element is: a pydantic class, or any other type.
        field: the key of the list, where the answer is an object; None takes its first list with elements.

    Emits: the elements, on the source's thread. `on_error` with `malformed_response` at the first that does not fit, or at
    the end when there is no such list; with `stream_interrupted` when the answer is not whole; an `error` event becomes
    `on_error`.
    """
    adapter = TypeAdapter(model)
    return read_answers(lambda: _Elements(adapter, getattr(model, "__name__", repr(model)), field))


class _Elements(Generic[T]):
    """One answer."""

    def __init__(self, adapter: TypeAdapter[T], name: str, field: str | None) -> None:
        self._adapter = adapter
        self._name = name
        self._field = field
        self._members = JsonMembers("elements")

    def feed(self, piece: str, /) -> Iterator[T]:
        for position, text, within in self._members.feed(piece):
            if self._field is None and within is not None:
                self._field = within
            if within != self._field:
                continue
            try:
                value = self._adapter.validate_json(text)
            except pydantic.ValidationError as error:
                raise unfit(f"Element {position} of the answer's list", self._name, error, text) from None
            yield value

    def finish(self, response: Response, /) -> Sequence[T]:
        text = response.output_text
        try:
            whole: Any = loads(text)
        except ValueError as error:
            cut = " It was cut off: raise `max_tokens`." if response.finish_reason == "length" else ""
            raise _unlisted(f"The answer is not JSON: {error}.{cut}", text, response) from None
        if not self._has_list(whole):
            named = "list" if self._field is None else f"list {self._field!r}"
            raise _unlisted(f"The answer holds no {named} of {self._name}.", text, response)
        return ()

    def _has_list(self, whole: Any) -> bool:
        if isinstance(whole, list):
            return self._field is None
        members = cast("dict[str, Any]", whole) if isinstance(whole, dict) else {}
        lists = [key for key, value in members.items() if isinstance(value, list)]
        return bool(lists) if self._field is None else self._field in lists


def _unlisted(what: str, text: str, response: Response) -> AdapterError:
    return AdapterError(
        "malformed_response",
        f"{what} It begins {printable(text)!r}.",
        provider=response.provider,
        request_id=response.request_id,
        provider_request_id=response.provider_request_id,
    )
