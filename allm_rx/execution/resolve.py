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
    if call_options:
        check_names(call_options, where=f"{function}()")
        check_values(call_options)
    params = engine.params
    sources: tuple[Mapping[str, Any], ...] = (params, {"retry": engine.retry, "timeouts": engine.timeouts}, call_options)
    settings = {name: value for source in sources for name, value in source.items() if value is not None}
    of_request = given.tools if isinstance(given, Request) else ()
    tools = merged_tools(params.get("tools") or (), engine.tools, of_request, call_options.get("tools") or ())
    key = settings.get("api_key")
    call = Call(
        host=HOST,
        request_id=settings.get("request_id") or secrets.token_urlsafe(16),
        api_key=SecretStr(key) if isinstance(key, str) else key,
        timeouts=settings.get("timeouts", _TIMEOUTS),
        include_raw_chunks=settings.get("include_raw_chunks", False),
        session_id=settings.get("session_id"),
        context={**(params.get("context") or {}), **engine.context, **(call_options.get("context") or {})},
    )
    return Resolved(
        engine=engine,
        request=_with_model_options(given, engine, call_options, tools),
        call=call,
        retry=_policy(settings.get("retry")),
        tools=tools,
        emit_text_deltas=settings.get("emit_text_deltas", True),
        emit_tool_deltas=settings.get("emit_tool_deltas", True),
        on_event=settings.get("on_event"),
        orchestration={name: value for name, value in settings.items() if name in ORCHESTRATION},
    )


def request_of(given: Input) -> Request:
    """Give the request that an input stands for.

    Raises:
        ValidationError: the input is none of the accepted forms.
    """
    return given if isinstance(given, Request) else Request(messages=_messages(given))


def _messages(given: str | Message | Sequence[Message] | Thread) -> tuple[Message, ...]:
    match given:
        case str():
            return (user(given),)
        case Message():
            return (given,)
        case Thread():
            return given.messages
        case list() | tuple() if all(isinstance(item, Message) for item in cast("Sequence[object]", given)):
            return tuple(cast("Sequence[Message]", given))
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


def _with_model_options(given: Input, engine: Engine, call_options: Mapping[str, Any], tools: tuple[Any, ...]) -> Request:
    """Give the request with the model, the tools and all model options, validated once."""
    own = given if isinstance(given, Request) else None
    params = engine.params
    changes: dict[str, Any] = {}
    for options in (params, call_options):  # the request's own values stay in between
        changes |= {
            name: value
            for name, value in options.items()
            if value is not None and name in _PLAIN and (options is call_options or own is None or getattr(own, name) is None)
        }
    extras = [options.get("provider_options") for options in (params, call_options)]
    if any(extras):
        between = own.provider_options if own is not None else {}
        changes["provider_options"] = merged(merged(extras[0] or {}, between), extras[1] or {})
    models = (call_options.get("model"), own.model if own is not None else None, engine.model, params.get("model"))
    model: Any = next((model for model in models if model is not None), None)
    specs = tuple(map(spec_of, tools))
    if not isinstance(given, Request):
        return Request(messages=_messages(given), model=model, tools=specs, **changes)
    if not changes and (model is None or isinstance(model, str)) and specs == given.tools:
        return given.model_copy(update={"model": model, "tools": specs})  # nothing is new, so nothing is validated again
    return given.replace(model=model, tools=specs, **changes)


def _policy(given: Any) -> RetryPolicy:
    if given is False:
        return _NO_RETRY
    return given if isinstance(given, RetryPolicy) else _RETRY
