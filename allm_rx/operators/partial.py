"""An object that fills up while its JSON is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import pydantic

from allm_rx.operators.json_answers import read_answers
from allm_rx.operators.partial_models import Unready, partial_model
from allm_rx.wire.partial_json import PartialJson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reactivex import Observable

    from allm_rx.data.events import Event
    from allm_rx.data.responses import Response

ModelT = TypeVar("ModelT", bound=pydantic.BaseModel)


def partial(model: type[ModelT]) -> Callable[[Observable[Event]], Observable[ModelT]]:
    """Give the answer as an instance of a pydantic class, again and again while its JSON is written; the last one is valid.

        s-j-s-o-n-(d,|)
        [ partial(Recipe) ]
        --A---B-C-(D,|)

    Every item is a `model`. Until the last, a field that has not come, or does not fit yet, is its default, else None; a
    string may be cut, and validators of the class have not run. `item.model_fields_set` names what has come.

    The text is read again when it has grown by an eighth, and at least 32 characters, so that all of it costs about eight
    times one reading, however long it is. Of the answers of a chat the last one counts.

    Args:
        model: the class, also to be passed as `response_format`.

    Emits: instances, on the source's thread, then the validated one, as `Response.parsed` gives it. `on_error` with
    `malformed_response` at the end when the answer does not fit, with `stream_interrupted` when it is not whole; an `error`
    event becomes `on_error`.
    """
    build = partial_model(model)
    return read_answers(lambda: _Partial(model, build))


class _Partial(Generic[ModelT]):
    """One answer."""

    def __init__(self, model: type[ModelT], build: Callable[[object], ModelT]) -> None:
        self._model = model
        self._build = build
        self._json = PartialJson()
        self._seen: object = None

    def feed(self, piece: str, /) -> Sequence[ModelT]:
        self._json.feed(piece)
        value: object = self._json.value
        if value is self._seen:
            return ()
        self._seen = value
        try:
            return (self._build(value),)
        except Unready:
            return ()

    def finish(self, response: Response, /) -> Sequence[ModelT]:
        return (response.parsed(self._model),)
