"""The fields of an object, each as it is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import pydantic
from pydantic import TypeAdapter

from allm_rx.operators.json_answers import read_answers, unfit
from allm_rx.operators.partial_models import names_of
from allm_rx.wire.json_members import JsonMembers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reactivex import Observable

    from allm_rx.data.events import Event
    from allm_rx.data.responses import Response


class Field(NamedTuple):
    """A field that is complete."""

    name: str
    """As the class names it."""
    value: Any
    """Of the field's type."""


def fields(model: type[pydantic.BaseModel]) -> Callable[[Observable[Event]], Observable[Field]]:
    """Give name and value of each field of a pydantic class when its part of the JSON is complete.

        s-j-s-o-n-(d,|)
        [ fields(Recipe) ]
        ----A---B-|

    For forms that fill up: a value is never half there, and has the type of its field. The text is read once. Keys that the
    class does not know are left out. Of the answers of a chat the last one counts.

    Args:
        model: the class, also to be passed as `response_format`.

    Emits: a `Field` per top-level field, in the order of the JSON, on the source's thread. `on_error` with
    `malformed_response` at the first value that does not fit, or at the end when the whole does not; with
    `stream_interrupted` when the answer is not whole; an `error` event becomes `on_error`.
    """
    if not model.__pydantic_complete__:
        model.model_rebuild()
    adapters = {name: _adapter(field) for name, field in model.model_fields.items()}
    names = {key: name for name, field in model.model_fields.items() for key in names_of(name, field)}
    return read_answers(lambda: _Fields(model, names, adapters))


def _adapter(field: pydantic.fields.FieldInfo) -> TypeAdapter[Any]:
    annotation: Any = field.annotation
    for constraint in field.metadata:
        annotation = Annotated[annotation, constraint]
    return TypeAdapter(annotation)


class _Fields:
    """One answer."""

    def __init__(
        self, model: type[pydantic.BaseModel], names: Mapping[str, str], adapters: Mapping[str, TypeAdapter[Any]]
    ) -> None:
        self._model = model
        self._names = names
        self._adapters = adapters
        self._members = JsonMembers("members")

    def feed(self, piece: str, /) -> Iterator[Field]:
        for key, text, _ in self._members.feed(piece):
            name = self._names.get(str(key))
            if name is None:
                continue
            try:
                value = self._adapters[name].validate_json(text)
            except pydantic.ValidationError as error:
                raise unfit(f"The field {name!r} of the answer", self._model.__name__, error, text) from None
            yield Field(name, value)

    def finish(self, response: Response, /) -> Sequence[Field]:
        response.parsed(self._model)
        return ()
