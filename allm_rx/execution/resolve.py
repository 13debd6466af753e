"""From a call's arguments to one immutable resolved call; nothing looks an option up twice.

Precedence, for every value: call option, then `Request` field, then engine, then library default. None means "not
given". `context` merges shallowly, `tools` by name, `provider_options` deeply.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr

from allm_rx.abc.adapter import Call
from allm_rx.data.messages import Message, user
from allm_rx.data.policies import RetryPolicy, Timeouts
from allm_rx.data.requests import Request
from allm_rx.data.threads import Thread
from allm_rx.errors import Issue, ValidationError
from allm_rx.runtime.host import HOST
from allm_rx.runtime.options import MODEL, ORCHESTRATION, Options, check_names, check_values
from allm_rx.runtime.tools import merged_tools, spec_of
from allm_rx.wire.merging import merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from allm_rx.abc.adapter import Adapter
    from allm_rx.data.events import Event
    from allm_rx.runtime.engine import Engine

Input = str | Message | Sequence[Message] | Thread | Request
"""What the calls take: a text, a message, several, a thread, or a whole request."""

_PLAIN = MODEL - {"model", "tools", "provider_options"}
"""Model options without a rule of their own."""

_TIMEOUTS = Timeouts()
_RETRY = RetryPolicy()
_NO_RETRY = RetryPolicy(max_attempts=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A call whose every value is settled."""

    engine: Engine
    request: Request
    """With model, tools and all model options."""
    call: Call
    retry: RetryPolicy
    tools: tuple[Any, ...] = ()
    """The tools as they were given, handlers included; `request.tools` is what the model sees of them."""
    emit_text_deltas: bool = True
    emit_tool_deltas: bool = True
    on_event: Callable[[Event], None] | None = None
    orchestration: Mapping[str, Any]
    """The orchestration options that were given, for the layers that use them."""

    def with_request(self, request: Request) -> Resolved:
        """Give the same call for another request."""
        return replace(self, request=request)

    @property
    def adapter(self) -> Adapter:
        """The engine's adapter; pre-flight has made sure of it."""
        return cast("Adapter", self.engine.adapter)


def resolve(engine: Engine, given: Input, options: Options, *, function: str) -> Resolved:
    """Settle a call's values.

    Args:
        engine: the engine.
        given: the input of the call.
        options: the call's options, as they were given.
        function: name of the called function, for messages.

    Raises:
        TypeError: an option is unknown; the message names the nearest known one.
        ValidationError: a value is impossible, or the input is none of the accepted forms.
    """
    call_options = cast("dict[str, Any]", options)
    check_names(call_options, where=f"{function}()")
    check_values(call_options)
    request = request_of(given)

    def value(name: str, default: Any = None) -> Any:
        for source in (call_options.get(name), getattr(engine, name, None), engine.params.get(name)):
            if source is not None:
                return source
        return default

    tools = merged_tools(engine.params.get("tools") or (), engine.tools, request.tools, call_options.get("tools") or ())
    request_id = value("request_id") or secrets.token_urlsafe(16)
    key = value("api_key")
    call = Call(
        host=HOST,
        request_id=request_id,
        api_key=SecretStr(key) if isinstance(key, str) else key,
        timeouts=value("timeouts", _TIMEOUTS),
        include_raw_chunks=value("include_raw_chunks", default=False),
        session_id=value("session_id"),
        context={**(engine.params.get("context") or {}), **engine.context, **(call_options.get("context") or {})},
    )
    orchestration = {name: found for name in ORCHESTRATION if (found := value(name)) is not None}
    return Resolved(
        engine=engine,
        request=_with_model_options(request, engine, call_options, tools),
        call=call,
        retry=_policy(value("retry")),
        tools=tools,
        emit_text_deltas=value("emit_text_deltas", default=True),
        emit_tool_deltas=value("emit_tool_deltas", default=True),
        on_event=value("on_event"),
        orchestration=orchestration,
    )


def request_of(given: Input) -> Request:
    """Give the request that an input stands for.

    Raises:
        ValidationError: the input is none of the accepted forms.
    """
    match given:
        case Request():
            return given
        case str():
            return Request(messages=(user(given),))
        case Message():
            return Request(messages=(given,))
        case Thread():
            return Request(messages=given.messages)
        case list() | tuple() if all(isinstance(item, Message) for item in cast("Sequence[object]", given)):
            return Request(messages=tuple(cast("Sequence[Message]", given)))
        case _:
            shown = type(given).__name__
            raise ValidationError.of(
                "invalid_request",
                Issue(
                    ("input",),
                    "invalid_type",
                    f"a {shown} is no input: pass a text, a Message, a list of them, a Thread or a Request",
                ),
            )


def _with_model_options(request: Request, engine: Engine, call_options: Mapping[str, Any], tools: tuple[Any, ...]) -> Request:
    params = engine.params
    changes: dict[str, Any] = {}
    for options in (params, call_options):  # the request's own values stay in between
        changes |= {
            name: value
            for name, value in options.items()
            if value is not None and name in _PLAIN and (options is call_options or getattr(request, name) is None)
        }
    extras = [options.get("provider_options") for options in (params, call_options)]
    if any(extras):
        changes["provider_options"] = merged(merged(extras[0] or {}, request.provider_options), extras[1] or {})
    models = (call_options.get("model"), request.model, engine.model, params.get("model"))
    settled = {
        "model": next((model for model in models if model is not None), None),
        "tools": tuple(spec_of(tool) for tool in tools),
    }
    if not changes and isinstance(settled["model"], str | None) and settled["tools"] == request.tools:
        return request.model_copy(update=settled)  # nothing is new, so nothing needs to be validated again
    return request.replace(**changes, **settled)


def _policy(given: Any) -> RetryPolicy:
    if given is False:
        return _NO_RETRY
    return given if isinstance(given, RetryPolicy) else _RETRY
