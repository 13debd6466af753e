"""The tools of one answer: run side by side, each contained, their results in call order.

Rule 1: `tool_execution_started` comes before the handler runs; events of different calls may interleave.
Rule 2: whatever a handler, the policy or an encoder does is contained in its own call.
Rule 3: leaving cancels async handlers, disposes observables, and tells threads through `ToolContext.cancelled`.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Any

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, Disposable

from allm_rx.abc.tools import RESERVED_HALTS, AskUser, Halt, ToolContext
from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.parts import TextPart, ToolCall, ToolResultPart
from allm_rx.data.results import AWAITING_USER, PendingQuestion, ToolOutcome
from allm_rx.errors import ToolError
from allm_rx.execution.tool_encoding import encoded, error_text
from allm_rx.execution.tool_invocation import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.abc.tools import Handled
    from allm_rx.data.parts import ResultContent
    from allm_rx.execution.resolve import Resolved
    from allm_rx.reducers.step import ToolPhase

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
        running.start()
        return Disposable(running.dispose)

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
        self._encoder: Callable[[Any], Any] = options.get("tool_result_encoder", encoded)
        self._limit: int = options.get("max_concurrency") or 2 * (os.cpu_count() or 1)
        self._waiting = deque(calls)
        self._left = len(calls)
        self._phase = phase
        self._observer = observer
        self._scheduler = scheduler
        self._current = CompositeDisposable()
        self._running = 0
        self._over = False
        self._starting = False

    def start(self) -> None:
        if not self._waiting:
            self._observer.on_completed()
            return
        self._fill()

    def dispose(self) -> None:
        self._over = True
        self._current.dispose()

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
        try:
            handler = self._handler(call)
            invocation = Invocation(
                call,
                self._scheduler,
                timeout=handler.spec.timeout or self._timeout,
                on_progress=lambda value: self._emit(ev.ToolExecutionProgress(call.id, call.name, value)),
                on_end=lambda outcome: self._ended(call, outcome, invocation),
            )
            bound = handler.bind(call.arguments, self._context(call, invocation))
            executor = self._resolved.orchestration.get("tool_executor")
            work = bound if executor is None else lambda: executor(call, bound)
        except ToolError as error:
            self._ended(call, error, None)
            return
        except Exception as error:  # noqa: BLE001 - a validator may run the caller's code
            self._ended(call, _raised(call, error), None)
            return
        self._current.add(invocation)
        invocation.start(work, blocking=handler.blocking and executor is None)

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
            context=resolved.context,
            engine=self._resolved.engine,
            progress=invocation.progress,
            is_cancelled=invocation.is_cancelled,
        )

    def _ended(self, call: ToolCall, outcome: Any, invocation: Invocation | None) -> None:
        if self._over:
            return
        if invocation is not None:
            self._current.remove(invocation)
        try:
            self._settle(call, outcome)
        except Exception as error:  # noqa: BLE001 - a defect here must not stop the siblings
            self._observer.on_error(error)
            self.dispose()
            return
        self._running -= 1
        self._left -= 1
        if self._left == 0:
            self._over = True
            self._observer.on_completed()
        else:
            self._fill()

    def _settle(self, call: ToolCall, outcome: Any) -> None:
        outcome = _unreserved(outcome)
        self._emit(ev.ToolExecutionCompleted(call.id, call.name, _told(outcome)))
        halting = False
        if isinstance(outcome, ToolError):
            outcome, halting = self._by_policy(call, outcome)
        match outcome:
            case AskUser(question=question, options=options):
                asked = PendingQuestion(tool_call_id=call.id, tool_name=call.name, question=question, options=dict(options))
                self._phase.questions[call.id] = asked
                self._record(call, (TextPart(text=AWAITING_USER),), is_error=False)
                self._emit(ev.AskUserRequested(call.id, call.name, question, dict(options)))
            case Halt(reason=reason, result=result):
                content, is_error = self._content(call, result)
                self._record(call, content, is_error=is_error)
                self._phase.halts[call.id] = reason
                self._emit(ev.ToolHalt(call.id, reason, result))
            case ToolError() if halting:
                self._phase.failed.add(call.id)
                self._record(call, (TextPart(text=error_text(outcome)),), is_error=True)
                self._emit(ev.ToolHalt(call.id, "tool_error", error_text(outcome)))
            case _:
                content, is_error = self._content(call, outcome)
                self._record(call, content, is_error=is_error)
                self._emit(ev.ToolResultEncoded(call.id, content))

    def _by_policy(self, call: ToolCall, error: ToolError) -> tuple[Any, bool]:
        """Give what stands in for a failed call, and whether its error halts the chat."""
        if self._policy == "halt":
            return error, True
        if not callable(self._policy):
            return error, False
        try:
            return _unreserved(self._policy(call, error)), False
        except Exception as raised:  # noqa: BLE001 - the caller's function
            message = f"`on_tool_error` raised {type(raised).__name__}: {raised}"
            return ToolError("invalid_return", message, details={"tool_error": error.message}), True

    def _content(self, call: ToolCall, value: Any) -> tuple[tuple[ResultContent, ...], bool]:
        """Encode a value for the model; what cannot be encoded becomes an error under the policy, once."""
        if isinstance(value, ToolError):
            return (TextPart(text=error_text(value)),), True
        try:
            return _parts(self._encoder(value)), False
        except Exception as raised:  # noqa: BLE001 - encoders are the caller's, and values have their own serializers
            error = ToolError("encoding_failed", f"The result of {call.name!r} cannot be encoded for the model: {raised}")
        if self._policy == "halt":
            self._phase.failed.add(call.id)
        return (TextPart(text=error_text(error)),), True

    def _record(self, call: ToolCall, content: tuple[ResultContent, ...], *, is_error: bool) -> None:
        self._phase.results[call.id] = ToolResultPart(id=call.id, name=call.name, content=content, is_error=is_error)

    def _emit(self, event: ev.Event) -> None:
        if not self._over:
            self._observer.on_next(event)


def _parts(content: str | Sequence[ResultContent]) -> tuple[ResultContent, ...]:
    return (TextPart(text=content),) if isinstance(content, str) else tuple(content)


def _raised(call: ToolCall, error: Exception) -> ToolError:
    return ToolError("handler_raised", f"Tool {call.name!r} raised {type(error).__name__}: {error}", cause=error)


def _unreserved(outcome: Any) -> Any:
    if isinstance(outcome, Halt) and outcome.reason in RESERVED_HALTS:
        return ToolError("invalid_return", f"{outcome.reason!r} is a reason of the chat loop: halt with another word.")
    return outcome


def _told(outcome: Any) -> ToolOutcome:
    try:
        return _described(outcome)
    except Exception as error:  # noqa: BLE001 - the value's own `repr` may raise
        return ToolOutcome(kind="value", value=f"<{type(outcome).__name__} without a repr: {type(error).__name__}>")


def _described(outcome: Any) -> ToolOutcome:
    match outcome:
        case ToolError():
            return ToolOutcome(kind="error", failure=Failure.of(outcome))
        case AskUser(question=question, options=options):
            return ToolOutcome(kind="ask_user", reason=question, value=dict(options))
        case Halt(reason=reason, result=result):
            return ToolOutcome(kind="halt", reason=reason, value=result)
        case _:
            return ToolOutcome(kind="value", value=outcome)
