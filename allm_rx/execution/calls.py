"""The public calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from allm_rx.execution import runner, stream_runner

if TYPE_CHECKING:
    from allm_rx.data.events import Event
    from allm_rx.data.responses import Response
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
