"""Steps until halted, as one stream: a lazy sequence of turns, one after the other.

Neither recursion nor a growing stack: each turn begins when the one before it has ended.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import reactivex as rx
from reactivex import operators as ops
from reactivex.disposable import CompositeDisposable, SerialDisposable

from allm_rx.data import events as ev
from allm_rx.data.messages import Message, user
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.usage import Usage
from allm_rx.execution import step, structured
from allm_rx.execution.spans import spanned
from allm_rx.operators.collect_chat import collect_chat
from allm_rx.reducers.chat import halts_chat
from allm_rx.runtime.delivery import deliver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.threads import Thread
    from allm_rx.execution.resolve import Input, Resolved
    from allm_rx.operators.run import RunnableObservable
    from allm_rx.runtime.engine import Engine
    from allm_rx.runtime.options import Options

DEFAULT_MAX_TURNS = 8
"""Steps a chat may take."""


def stream(engine: Engine, given: Input, options: Options) -> RunnableObservable[ev.Event]:
    """Give the events of a chat; see `allm_rx.stream`."""
    resolved = step.prepared(engine, given, options, function="stream")
    thread = step.thread_of(given, resolved)
    return step.seen(spanned("chat", resolved, chat_events(resolved, thread)), resolved, ("chat", thread))


def run(engine: Engine, given: Input, options: Options) -> RunnableObservable[ChatResult]:
    """Give the result of a chat; see `allm_rx.chat`."""
    resolved = step.prepared(engine, given, options, function="chat")
    events = spanned("chat", resolved, chat_events(resolved, step.thread_of(given, resolved)))
    return deliver(step.observed(events, resolved).pipe(collect_chat()))


def chat_events(resolved: Resolved, thread: Thread) -> Observable[ev.Event]:
    """Give the events of a chat over a thread, cold.

    Emits: each step's events, then `chat_completed`.
    """

    def subscribe(observer: ObserverBase[ev.Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
        chat = _Chat(resolved, thread)
        inbox = SerialDisposable()
        source = resolved.orchestration.get("inbox")
        if source is not None:
            inbox.disposable = source.subscribe(chat.receive, _reporter(observer, scheduler), scheduler=scheduler)
        turns = rx.concat_with_iterable(chat.turns()).subscribe(observer, scheduler=scheduler)
        return CompositeDisposable(turns, inbox)

    return rx.Observable(subscribe)


def _reporter(observer: ObserverBase[ev.Event], scheduler: SchedulerBase | None) -> Callable[[Exception], None]:
    """Give what tells the observer of an error of the inbox, whose thread may be any, on the owning loop."""

    def report(error: Exception) -> None:
        if scheduler is None:
            observer.on_error(error)
        else:
            scheduler.schedule(lambda scheduler, state=None: observer.on_error(error))

    return report


class _Chat:
    """The state of one subscription."""

    def __init__(self, resolved: Resolved, thread: Thread) -> None:
        options = resolved.orchestration
        self._passes = structured.passes(resolved)
        self._resolved = self._passes.first
        self._thread = thread
        self._steps: list[StepResult] = []
        self._usage = Usage()
        self._halted: str | None = None
        self._mail: deque[Message | str] = deque()
        self._max_turns: int = options.get("max_turns", DEFAULT_MAX_TURNS)
        self._halt_when: Any = options.get("halt_when")
        self._usage_limit: Usage | None = options.get("usage_limit")
        self._finalizing = False

    def receive(self, message: Message | str) -> None:
        """Take a message of the inbox, on any thread; it is added before the next step."""
        self._mail.append(message)

    def turns(self) -> Iterator[Observable[ev.Event]]:
        """Give the turns one by one; the next is asked for when the one before it has ended."""
        while self._halted is None:
            checked = not self._take_mail() and bool(self._steps)
            yield self._turn(checked=checked)
        if self._passes.finalizes(self._halted):
            self._finalizing = True
            self._resolved = self._passes.last
            self._thread = self._passes.nudged(self._thread)
            self._max_turns = len(self._steps) + 1
            yield self._turn(checked=False)
        if not self._steps[-1].pending_tool_calls:  # whose answers come first
            self._take_mail()
        yield rx.just(ev.ChatCompleted(self._result()))

    def _turn(self, *, checked: bool) -> Observable[ev.Event]:
        events = step.step_events(self._resolved, self._thread, len(self._steps), checked=checked)
        return events.pipe(ops.do_action(self._see))

    def _take_mail(self) -> bool:
        """Add what came to the conversation; tell whether anything did."""
        some = False
        while self._mail:  # popped one by one, because more may come meanwhile on another thread
            message = self._mail.popleft()
            self._thread = self._thread.append(user(message) if isinstance(message, str) else message)
            some = True
        return some

    def _see(self, event: ev.Event) -> None:
        if type(event) is not ev.StepCompleted:
            return
        result = event.result
        self._steps.append(result)
        self._thread = result.thread
        self._usage = self._usage + result.response.usage
        self._halted = halts_chat(
            result,
            steps=len(self._steps),
            max_turns=self._max_turns,
            halt_when=self._halt_when,
            usage=self._usage,
            usage_limit=self._usage_limit,
            more=bool(self._mail) and not self._finalizing,  # what came while the model finished is answered, not lost
        )

    def _result(self) -> ChatResult:
        return ChatResult(
            thread=self._thread,
            steps=tuple(self._steps),
            halted_reason=self._halted or "completed",
            error=self._steps[-1].error,
        )
