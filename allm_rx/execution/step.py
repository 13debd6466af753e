"""One generation and its tools, as one stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import reactivex as rx
from reactivex import operators as ops

from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.threads import Thread
from allm_rx.errors import AllmError
from allm_rx.execution.preflight import check_engine, preflight
from allm_rx.execution.resolve import Input, Resolved, resolve
from allm_rx.execution.source import source
from allm_rx.execution.stream_runner import kept
from allm_rx.execution.tool_runner import run_tools
from allm_rx.operators.collect_step import collect_step
from allm_rx.reducers.response import ResponseFold
from allm_rx.reducers.step import ToolPhase, step_result
from allm_rx.runtime.delivery import deliver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reactivex import Observable

    from allm_rx.data.parts import ToolCall
    from allm_rx.data.requests import Request
    from allm_rx.data.results import StepResult
    from allm_rx.operators.run import RunnableObservable
    from allm_rx.reducers.closing import StreamKind
    from allm_rx.runtime.engine import Engine
    from allm_rx.runtime.options import Options


def stream(engine: Engine, given: Input, options: Options) -> RunnableObservable[ev.Event]:
    """Give the events of one step; see `allm_rx.stream_step`."""
    resolved = prepared(engine, given, options, function="stream_step")
    return seen(step_events(resolved, Thread(messages=resolved.request.messages), 0), resolved, "step")


def run(engine: Engine, given: Input, options: Options) -> RunnableObservable[StepResult]:
    """Give the result of one step; see `allm_rx.step`."""
    resolved = prepared(engine, given, options, function="step")
    events = observed(step_events(resolved, Thread(messages=resolved.request.messages), 0), resolved)
    return deliver(events.pipe(collect_step()))


def prepared(engine: Engine, given: Input, options: Options, *, function: str) -> Resolved:
    """Settle and check the first turn of a step or chat."""
    check_engine(engine)
    resolved = resolve(engine, given, options, function=function)
    preflight(resolved)
    return resolved


def observed(events: Observable[ev.Event], resolved: Resolved) -> Observable[ev.Event]:
    """Give the events, seen by `on_event` first."""
    return events if resolved.on_event is None else events.pipe(ops.do_action(resolved.on_event))


def seen(events: Observable[ev.Event], resolved: Resolved, kind: StreamKind) -> RunnableObservable[ev.Event]:
    """Give the events as the caller asked to see them, at their edge."""
    origin = (kind, Thread(messages=resolved.request.messages))
    events = observed(events, resolved)
    keep = kept(resolved)
    return deliver(events if keep is None else events.pipe(ops.filter(keep)), origin)


def step_events(resolved: Resolved, thread: Thread, index: int, *, checked: bool = False) -> Observable[ev.Event]:
    """Give the events of one step over a thread, cold.

    Args:
        resolved: the call.
        thread: the conversation so far.
        index: position of the step in its chat.
        checked: whether the thread is known to be fit to be sent, because a step left it so. Checking it again at each
            turn would make a long chat quadratic.

    Emits: the generation's events; then the tools' where the model called any; then `step_completed`.
    """

    def build(scheduler: Any) -> Observable[ev.Event]:
        turn = _Turn(resolved, thread, index, checked=checked)
        generation = turn.generation().pipe(ops.do_action(turn.see))
        return rx.concat(generation, rx.defer(turn.tools), rx.defer(turn.end))

    return rx.defer(build)


@dataclass(slots=True)
class _Turn:
    """The state of one step of one subscription."""

    resolved: Resolved
    thread: Thread
    index: int
    fold: ResponseFold
    phase: ToolPhase
    manual: tuple[ToolCall, ...]

    checked: bool

    def __init__(self, resolved: Resolved, thread: Thread, index: int, *, checked: bool) -> None:
        request: Request = resolved.request.model_copy(update={"messages": thread.messages})
        self.resolved = resolved.with_request(request)
        self.thread = thread
        self.index = index
        self.fold = ResponseFold()
        self.phase = ToolPhase()
        self.manual = ()
        self.checked = checked

    def generation(self) -> Observable[ev.Event]:
        """The model's turn; a request that cannot be sent is an `error` event here, where no caller can catch."""
        try:
            if self.checked:
                self.resolved.adapter.preflight(self.resolved.request, self.resolved.call)
            else:
                preflight(self.resolved)
        except AllmError as error:
            return rx.just(ev.Error(Failure.of(error)))
        return source(self.resolved)

    def see(self, event: ev.Event) -> None:
        """Take an event of the generation into account."""
        self.fold.apply(event)

    def tools(self, scheduler: Any) -> Observable[ev.Event]:
        """The tools' turn, when the generation has ended: only a finish reason of tool calls runs any."""
        if self.fold.finish_reason != "tool_calls":
            return rx.empty()
        calls = self.fold.response().tool_calls
        self.manual = tuple(call for call in calls if self._is_manual(call))
        waiting = {call.id for call in self.manual}
        return run_tools(self.resolved, [call for call in calls if call.id not in waiting], self.phase)

    def end(self, scheduler: Any) -> Observable[ev.Event]:
        """The result."""
        result = step_result(self.index, self.thread, self.fold.response(), self.phase, self.manual)
        return rx.just(ev.StepCompleted(self.index, result))

    def _is_manual(self, call: ToolCall) -> bool:
        if self.resolved.orchestration.get("mode") == "manual":
            return True
        tools: Sequence[Any] = self.resolved.tools
        for tool in tools:
            spec = getattr(tool, "spec", tool)
            if spec.name == call.name:
                return bool(getattr(spec, "manual", False)) or not hasattr(tool, "bind")
        return False
