"""What is checked when a call is made, before anything is opened. The first failure wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.data.validation import check_request
from allm_rx.errors import EngineError
from allm_rx.runtime.capabilities import capabilities_of, check_capabilities

if TYPE_CHECKING:
    from allm_rx.execution.resolve import Resolved
    from allm_rx.runtime.engine import Engine


def check_engine(engine: Engine) -> None:
    """Accept an engine that can stream.

    Raises:
        EngineError: `missing_adapter` or `missing_stream_adapter`.
    """
    if engine.adapter is None:
        raise EngineError(
            "missing_adapter",
            "The engine has no adapter: pass `adapter=OpenAIChat()`, or build it with `Engine.from_model('openai-chat:...')`.",
        )
    if isinstance(engine.adapter, type):
        name = engine.adapter.__name__
        raise EngineError("missing_adapter", f"The engine's adapter is the class {name}: pass an instance of it, `{name}(...)`.")
    if not callable(getattr(engine.adapter, "stream", None)):
        raise EngineError(
            "missing_stream_adapter",
            f"{type(engine.adapter).__name__} cannot stream: an adapter has a method `stream(request, call)`.",
        )


def preflight(resolved: Resolved) -> None:
    """Accept a call that can be sent as far as anyone can tell without sending it.

    Raises:
        EngineError: no model, or no key.
        ValidationError: the request is wrong, or the model or protocol cannot take it.
    """
    check_request(resolved.request)
    model = resolved.request.model
    if not model:
        raise EngineError(
            "missing_model", "No model is given: pass `model=` to the engine or the call.", request_id=resolved.call.request_id
        )
    check_capabilities(resolved.request, model, resolved.engine.capabilities or capabilities_of(model))
    resolved.adapter.preflight(resolved.request, resolved.call)
