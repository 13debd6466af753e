"""The tools of one answer: run side by side, each contained, their results in call order.

Rule 1: `tool_execution_started` comes before the handler runs; events of different calls may interleave.
Rule 2: whatever a handler, the policy or an encoder does is contained in its own call.
Rule 3: leaving cancels async handlers, disposes observables, and tells threads through `ToolContext.cancelled`.
"""

from __future__ import annotations

import contextvars
import inspect
import os
from collections import deque
from concurrent.futures import Executor
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, Disposable

from allm_rx.abc.tools import AskUser, Halt, ToolContext
from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.tool_values import encoded
from allm_rx.errors import AllmError, StreamError, ToolError
from allm_rx.execution.spans import tool_span
from allm_rx.execution.tool_invocation import Invocation, is_ctrl_c, raised
from allm_rx.execution.tool_outcomes import checked, question_of, settled, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.abc.tools import Handled, ToolResultEncoder
    from allm_rx.data.parts import ToolCall
    from allm_rx.execution.resolve import Resolved
    from allm_rx.reducers.step import ToolPhase
    from allm_rx.runtime.telemetry import OpenSpan

DEFAULT_TIMEOUT = 30.0
"""Seconds a handler may take."""


def run_tools(resolved: Resolved, calls: Sequence[ToolCall], phase: ToolPhase) -> Observable[ev.Event]:
    """Give the events of running some calls, cold; `phase` is filled on the way.

    Emits: for each call `tool_execution_started`, any `tool_execution_progress`, `tool_execution_completed`, then one of
    `tool_result_encoded`, `ask_user_requested` and `tool_halt`; on the owning loop.
    """

    def subscribe(observer: ObserverBase[ev.Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
        if scheduler is None:
            raise TypeError("Tools run on an owning loop or in virtual time: subscribe through a call.")
        running = _Running(resolved, calls, phase, observer, scheduler)
        # Not at once: whoever leaves at the first event has nothing to dispose before this function has returned.
        starting = scheduler.schedule(lambda scheduler, state=None: running.start())
        return CompositeDisposable(Disposable(running.dispose), starting)

    return Observable(subscribe)


class _Running:
    """The calls of one subscription."""

    def __init__(
        self,
        resolved: Resolved,
        calls: Sequence[ToolCall],
        phase: ToolPhase,
        observer: ObserverBase[ev.Event],
        scheduler: SchedulerBase,
    ) -> None:
        options = resolved.orchestration
        self._resolved = resolved
        self._handlers: Mapping[str, Handled] = {tool.spec.name: tool for tool in resolved.tools if hasattr(tool, "bind")}
        self._policy: Any = options.get("on_tool_error", "continue")
        self._timeout: float = options.get("tool_timeout", DEFAULT_TIMEOUT)
        self._encoder: ToolResultEncoder = options.get("tool_result_encoder", encoded)
        self._executor: Any = options.get("tool_executor")
        self._limit: int = options.get("max_concurrency") or 2 * (os.cpu_count() or 1)
        self._waiting = deque(calls)
        self._left = len(calls)
        self._phase = phase
        self._observer = observer
        self._scheduler = scheduler
        self._current = CompositeDisposable()
        self._spans: dict[str, OpenSpan] = {}
        """Of the calls that run, while somebody observes."""
        self._running = 0
        self._over = False
        self._starting = False

    def start(self) -> None:
        if self._waiting:
            self._fill()
        else:
            self._observer.on_completed()

    def dispose(self) -> None:
        self._over = True
        self._current.dispose()
        for span in self._spans.values():
            span.end("disposed")

    def _fill(self) -> None:
        # A handler that ends at once comes back here before the loop below goes on: the flag keeps the stack flat.
        if self._starting:
            return
        self._starting = True
        while self._waiting and self._running < self._limit and not self._over:
            self._running += 1
            self._begin(self._waiting.popleft())
        self._starting = False

    def _begin(self, call: ToolCall) -> None:
        self._emit(ev.ToolExecutionStarted(call.id, call.name, call.arguments))
        if self._over:  # whoever saw that event left
            return
        span = tool_span(self._resolved, call)
        if span is not None:
            self._spans[call.id] = span
        invocation: Invocation | None = None
        try:
            handler = self._handler(call)
            invocation = Invocation(
                call,
                self._scheduler,
                timeout=handler.spec.timeout or self._timeout,
                on_progress=lambda value: self._emit(ev.ToolExecutionProgress(call.id, call.name, value)),
                on_end=lambda outcome: self._ended(call, outcome, invocation),
            )
            work, blocking = self._work(call, handler, handler.bind(call.arguments, self._context(call, invocation)))
        except BaseException as error:
            if is_ctrl_c(error):
                raise
            self._ended(call, raised(call, error), None)  # a validator may run the caller's code
            return
        self._current.add(invocation)
        invocation.start(work, blocking=blocking)

    def _work(self, call: ToolCall, handler: Handled, bound: Callable[[], Any]) -> tuple[Callable[[], Any], bool]:
        """Give what starts the handler, and whether that may block."""
        executor = self._executor
        if executor is None:
            return bound, handler.blocking
        if isinstance(executor, Executor):
            if not handler.blocking:
                return bound, False
            context = contextvars.copy_context()
            return lambda: executor.submit(lambda: context.run(bound)), False
        return partial(executor, call, bound), not inspect.iscoroutinefunction(executor)

    def _handler(self, call: ToolCall) -> Handled:
        if call.error is not None:
            raise ToolError("invalid_arguments", f"The arguments of {call.name!r} are not usable: {call.error}")
        handler = self._handlers.get(call.name)
        if handler is None:
            known = ", ".join(sorted(tool.name for tool in self._resolved.request.function_tools)) or "none"
            raise ToolError("unknown_tool", f"There is no tool {call.name!r}; there are: {known}.")
        return handler

    def _context(self, call: ToolCall, invocation: Invocation) -> ToolContext:
        resolved = self._resolved.call
        return ToolContext(
            tool_call=call,
            request_id=resolved.request_id,
            session_id=resolved.session_id,
            context=MappingProxyType(dict(resolved.context)),
            engine=self._resolved.engine,
            progress=invocation.progress,
            is_cancelled=invocation.is_cancelled,
        )

    def _ended(self, call: ToolCall, outcome: Any, invocation: Invocation | None) -> None:
        if self._over:
            return
        if call.id in self._spans:
            _end_span(self._spans.pop(call.id), checked(call, outcome))
        if invocation is not None:
            self._current.remove(invocation)
        if isinstance(outcome, StreamError):  # the loop is ending: another turn could only be lost with it
            self._over = True
            self._current.dispose()
            self._observer.on_error(outcome)
            return
        try:
            self._settle(call, outcome)
        except Exception as error:  # noqa: BLE001 - a defect of ours must end the stream, not leave it open for ever
            self._over = True
            self._current.dispose()
            self._observer.on_error(error)
            return
        self._running -= 1
        self._left -= 1
        if self._over:
            return
        if self._left == 0:
            self._over = True
            self._observer.on_completed()
        else:
            self._fill()

    def _settle(self, call: ToolCall, given: Any) -> None:
        given = checked(call, given)
        self._emit(ev.ToolExecutionCompleted(call.id, call.name, told(given)))
        if self._over:
            return
        settlement = settled(call, given, policy=self._policy, encoder=self._encoder)
        outcome, result, failure = settlement.outcome, settlement.result, settlement.failure
        phase = self._phase
        phase.results[call.id] = result
        if failure is not None:
            phase.failed.add(call.id)
            self._emit(ev.ToolHalt(call.id, "tool_error", result.text))
        elif isinstance(outcome, AskUser):
            question = phase.questions[call.id] = question_of(call, outcome)
            self._emit(ev.AskUserRequested(call.id, call.name, question.question, question.options))
        elif isinstance(outcome, Halt):
            phase.halts[call.id] = outcome.reason
            told_result = result.text if isinstance(outcome.result, ToolError) else outcome.result
            self._emit(ev.ToolHalt(call.id, outcome.reason, told_result))
        else:
            self._emit(ev.ToolResultEncoded(call.id, result.content))

    def _emit(self, event: ev.Event) -> None:
        if not self._over:
            self._observer.on_next(event)


def _end_span(span: OpenSpan, outcome: Any) -> None:
    if isinstance(outcome, AllmError):
        span.end("error", failure=Failure.of(outcome))
    else:
        span.end("completed")
