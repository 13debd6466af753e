"""The public calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from allm_rx.execution import chat as chat_runner
from allm_rx.execution import runner, stream_runner
from allm_rx.execution import step as step_runner

if TYPE_CHECKING:
    from allm_rx.data.events import Event
    from allm_rx.data.responses import Response
    from allm_rx.data.results import ChatResult, StepResult
    from allm_rx.execution.resolve import Input
    from allm_rx.operators.run import RunnableObservable
    from allm_rx.runtime.engine import Engine
    from allm_rx.runtime.options import Options


def stream_generate(engine: Engine, input: Input, **options: Unpack[Options]) -> RunnableObservable[Event]:
    """Ask the model once and give the answer's events as they come.

        s-a-b-c-(d,|)

    Nothing is sent before `subscribe`; every subscription is a request of its own; disposing closes its connection.

    Args:
        engine: adapter, model and defaults.
        input: a text, a `Message`, a sequence of them, a `Thread` or a `Request`.
        options: see `allm_rx.runtime.options.Options`; a call's option beats the request's field and the engine's.

    Raises:
        TypeError: an option is unknown.
        UsageError: the call cannot be sent; the message says what to change.

    Emits: `message_started`, content, one terminal (`message_completed` or `error`), on the thread that
    `allm_rx.runtime.schedulers` gives for the subscription's scheduler. A failure of provider, account or network is an
    `error` event; `on_error` is for exceptions of the caller's own functions.
    """
    return stream_runner.run(engine, input, options)


def generate(engine: Engine, input: Input, **options: Unpack[Options]) -> RunnableObservable[Response]:
    """Ask the model once and give the whole answer.

        ------(R,|)

    `generate(...).run()` blocks, `await generate(...)` waits in a coroutine; both are the fold of `stream_generate`.

    Args:
        engine: adapter, model and defaults.
        input: a text, a `Message`, a sequence of them, a `Thread` or a `Request`.
        options: as for `stream_generate`; filters shape what is seen of a stream, never what is folded.

    Raises:
        TypeError: an option is unknown.
        UsageError: the call cannot be sent; the message says what to change.

    Emits: one `Response`. One that failed has `finish_reason="error"`, its `error`, and the partial text.
    """
    return runner.run(engine, input, options)


def stream_step(engine: Engine, input: Input, **options: Unpack[Options]) -> RunnableObservable[Event]:
    """Ask the model once, run the tools it calls, and give all events as they come.

        s-a-b-d-t-r-(S,|)

    Args:
        engine: adapter, model, tools and defaults.
        input: a text, a `Message`, a sequence of them, a `Thread` or a `Request`.
        options: as for `stream_generate`, and those of orchestration.

    Raises:
        TypeError: an option is unknown.
        UsageError: the call cannot be sent; the message says what to change.

    Emits: the events of `stream_generate`, then those of the tools, then `step_completed`.
    """
    return step_runner.stream(engine, input, options)


def step(engine: Engine, input: Input, **options: Unpack[Options]) -> RunnableObservable[StepResult]:
    """Ask the model once, run the tools it calls, and give the result: the fold of `stream_step`.

        ------------(S,|)

    Args:
        engine: adapter, model, tools and defaults.
        input: a text, a `Message`, a sequence of them, a `Thread` or a `Request`.
        options: as for `stream_step`.

    Raises:
        TypeError: an option is unknown.
        UsageError: the call cannot be sent; the message says what to change.

    Emits: one `StepResult`.
    """
    return step_runner.run(engine, input, options)


def stream(engine: Engine, input: Input, **options: Unpack[Options]) -> RunnableObservable[Event]:
    """Ask the model and run its tools until it is done, and give all events as they come.

        s-a-d-t-r-S-s-a-d-S-(C,|)

    Disposing closes everything at once: the open request, running tools, pending retries.

    Args:
        engine: adapter, model, tools and defaults.
        input: a text, a `Message`, a sequence of them, a `Thread` or a `Request`.
        options: as for `stream_step`; `max_turns`, `halt_when` and `usage_limit` end the chat, `inbox` adds messages
            between steps.

    Raises:
        TypeError: an option is unknown.
        UsageError: the first turn cannot be sent; of a later turn that is an `error` event.

    Emits: the events of each step, then `chat_completed`.
    """
    return chat_runner.stream(engine, input, options)


def chat(engine: Engine, input: Input, **options: Unpack[Options]) -> RunnableObservable[ChatResult]:
    """Ask the model and run its tools until it is done, and give the result: the fold of `stream`.

        --------------------(C,|)

    Args:
        engine: adapter, model, tools and defaults.
        input: a text, a `Message`, a sequence of them, a `Thread` or a `Request`.
        options: as for `stream`.

    Raises:
        TypeError: an option is unknown.
        UsageError: the first turn cannot be sent; of a later turn `ChatResult.error` tells.

    Emits: one `ChatResult`.
    """
    return chat_runner.run(engine, input, options)
