"""Calls as operators: prompts in, events out. `from allm_rx import operators as lx` finds them by name.

Rule 1: a prompt that cannot be sent is a failed answer, not the end: nobody could catch it, and the next one may be better.
Rule 2: a mistake in the options is told at once, when the operator is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from reactivex import Observable, compose
from reactivex import operators as ops
from reactivex.disposable import Disposable

from allm_rx.data.events import Error, Event
from allm_rx.data.failures import Failure
from allm_rx.errors import AllmError
from allm_rx.execution import calls
from allm_rx.operators.max_concurrent import max_concurrent
from allm_rx.operators.turns import subscribe_there
from allm_rx.runtime.delivery import deliver
from allm_rx.runtime.options import check_names, check_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.execution.resolve import Input
    from allm_rx.runtime.engine import Engine
    from allm_rx.runtime.options import Options


def generate(engine: Engine, **options: Unpack[Options]) -> Callable[[Observable[Input]], Observable[Event]]:
    """Ask the model for each prompt, one after the other, and give the answers' events.

        Hi----------Bye--|
        [ generate(engine)  ]
        s-a-b-(d)---s-c-(d,|)

    A prompt that comes while an answer is under way waits for its end; `lx.switch_generate` drops the answer in its place,
    and `lx.max_concurrent(n, lambda prompt: generate(engine, prompt))` runs several.

    Args:
        engine: adapter, model and defaults.
        options: as for `allm_rx.stream_generate`.

    Emits: the events of each answer, whole ones in order, where those of `allm_rx.stream_generate` arrive. A prompt that
    cannot be sent gives one `error` event, and the next one is asked. Costs one request per prompt, and holds those that wait.

    Raises:
        TypeError: an option is unknown.
        ValidationError: an option has an impossible value.
    """
    return max_concurrent(1, _asker(calls.stream_generate, engine, options, "lx.generate"))


def switch_generate(engine: Engine, **options: Unpack[Options]) -> Callable[[Observable[Input]], Observable[Event]]:
    """Ask the model for each prompt, and leave the answer that is under way: the latest prompt wins.

        Hi------Bye-------|
        [ switch_generate(engine) ]
        --s-a-b---s-c-(d,|)

    For search boxes and completions, behind `ops.debounce`. The request that is left is closed.

    Args:
        engine: adapter, model and defaults.
        options: as for `allm_rx.stream_generate`.

    Emits: the events of the latest answer, where those of `allm_rx.stream_generate` arrive; an answer that was left has no
    end, and the next begins with `message_started`. A prompt that cannot be sent gives one `error` event, and the next one is
    asked. Costs one request per prompt.

    Raises:
        TypeError: an option is unknown.
        ValidationError: an option has an impossible value.
    """
    ask = _asker(calls.stream_generate, engine, options, "lx.switch_generate")
    return compose(ops.map(ask), ops.switch_latest())


def chat(engine: Engine, **options: Unpack[Options]) -> Callable[[Observable[Input]], Observable[Event]]:
    """Ask the model and run its tools until it is done, for each prompt, one after the other, and give all events.

        Hi---------------|
        [  chat(engine)  ]
        s-a-d-t-r-S-(C,|)

    Each prompt is a chat of its own; conversations that go on are the business of `allm_rx.sessions`.

    Args:
        engine: adapter, model, tools and defaults.
        options: as for `allm_rx.stream`.

    Emits: the events of each chat, in order, where those of `allm_rx.stream` arrive. A prompt that cannot be sent gives one
    `error` event, and the next one is asked. Costs the requests of the chats, and holds the prompts that wait.

    Raises:
        TypeError: an option is unknown.
        ValidationError: an option has an impossible value.
    """
    return max_concurrent(1, _asker(calls.stream, engine, options, "lx.chat"))


def _asker(
    call: Callable[..., Observable[Event]], engine: Engine, options: Mapping[str, Any], name: str
) -> Callable[[Input], Observable[Event]]:
    """Give the function from a prompt to its events, which never raises."""
    check_names(options, where=f"{name}()")
    check_values(options)

    def ask(prompt: Input) -> Observable[Event]:
        try:
            stream = call(engine, prompt, **options)
        except AllmError as error:
            stream = deliver(_refused(Error(Failure.of(error))))

        def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
            return subscribe_there(lambda: stream.subscribe(observer, scheduler=scheduler), scheduler)

        return Observable(subscribe)

    return ask


def _refused(error: Event) -> Observable[Event]:
    def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
        del scheduler
        observer.on_next(error)
        observer.on_completed()
        return Disposable()

    return Observable(subscribe)
