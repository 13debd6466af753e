"""One question and its answer on the page: ordinary composition of the public calls."""

from __future__ import annotations

import sys
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.adapters import OpenAIChat
from allm_rx.cli.terminal import Page, cleaned
from allm_rx.data import events
from allm_rx.data.messages import system, user
from allm_rx.errors import EngineError, UsageError
from allm_rx.execution.calls import stream_generate
from allm_rx.runtime.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from allm_rx.abc.adapter import Adapter
    from allm_rx.cli.arguments import Options
    from allm_rx.data.failures import Failure
    from allm_rx.data.responses import Response
    from allm_rx.data.usage import Usage
    from allm_rx.operators.run import RunnableObservable

ANSWERED, FAILED, MISUSED = 0, 1, 2
"""Exit codes; the fourth, 130, is an interruption."""

_REMARKS = {
    "length": "The answer was cut off at the limit of tokens: raise --max-tokens, or ask for less.",
    "content_filter": "The provider ended the answer by its content filter: put the question differently.",
}


def ask(options: Options, model: str, prompt: str) -> int:
    """Ask a model, show the answer as it comes, and give the exit code."""
    page = Page(sys.stdout)
    try:
        stream = _stream(options, model, prompt)
    except UsageError as error:
        complain(error.message)
        return MISUSED
    show = _json_lines(page) if options.json else _prose(page)
    try:
        response = lx.run(stream.pipe(ops.do_action(show), lx.collect_response()))
    except KeyboardInterrupt:
        page.interrupted()
        raise
    page.end()
    return _conclude(response, usage=options.usage)


def complain(text: str) -> None:
    """Tell what is wrong, and what to do."""
    print(f"allm-rx: {cleaned(text)}", file=sys.stderr)


def _stream(options: Options, model: str, prompt: str) -> RunnableObservable[events.Event]:
    engine = Engine.from_model(model)
    if options.base_url:
        engine = engine.replace(adapter=_at(engine.adapter, options.base_url, model))
    messages = [user(prompt)] if options.system is None else [system(options.system), user(prompt)]
    return stream_generate(
        engine,
        messages,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        reasoning=options.reasoning,
    )


def _at(adapter: Adapter | None, base_url: str, model: str) -> Adapter:
    """Give the same adapter for another address."""
    if isinstance(adapter, OpenAIChat) and adapter.provider == "openai":
        return OpenAIChat(base_url=base_url)  # the protocol itself: what is special there depends on the address alone
    if is_dataclass(adapter) and hasattr(adapter, "base_url"):
        return cast("Adapter", replace(cast("Any", adapter), base_url=base_url))
    raise EngineError("missing_adapter", f"The adapter of {model!r} has no address to change: leave out --base-url.")


def _prose(page: Page) -> Callable[[events.Event], None]:
    def show(event: events.Event) -> None:
        if isinstance(event, events.TextDelta):
            page.text(event.delta)
        elif isinstance(event, events.ReasoningDelta):
            page.reasoning(event.delta)

    return show


def _json_lines(page: Page) -> Callable[[events.Event], None]:
    return lambda event: page.json(events.dumps(event))


def _conclude(response: Response, *, usage: bool) -> int:
    if usage:
        print(f"usage: {_told(response.usage)}", file=sys.stderr)
    if response.error is not None:
        complain(f"{response.error.message}{_reference(response.error)}")
        return FAILED
    if response.finish_reason in _REMARKS:
        complain(_REMARKS[response.finish_reason])
    return ANSWERED


def _reference(failure: Failure) -> str:
    """Give what a support request has to quote."""
    facts = {"reason": failure.reason, "status": failure.status, "request": failure.provider_request_id}
    return " (" + ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None) + ")"


def _told(usage: Usage) -> str:
    """Put what was consumed into words; what was not reported is left out."""
    words = [
        f"{name} {count}" + (f" ({part} {note})" if part else "")
        for name, count, part, note in (
            ("input", usage.input_tokens, usage.cached_input_tokens, "from the cache"),
            ("output", usage.output_tokens, usage.reasoning_tokens, "for reasoning"),
            ("total", usage.total_tokens, None, ""),
        )
        if count is not None
    ]
    tokens = f"{', '.join(words)} tokens" if words else "no tokens reported"
    return tokens if usage.total_cost is None else f"{tokens}, {usage.total_cost:.6f} US dollars"
