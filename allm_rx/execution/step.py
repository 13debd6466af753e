"""One generation and its tools, as one stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reactivex as rx
from reactivex import operators as ops

from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.threads import Thread
from allm_rx.data.tools import Tool
from allm_rx.errors import AllmError, ValidationError
from allm_rx.execution.preflight import check_engine, preflight
from allm_rx.execution.resolve import Input, Resolved, resolve
from allm_rx.execution.source import source
from allm_rx.execution.spans import spanned
from allm_rx.execution.stream_runner import kept
from allm_rx.execution.tool_runner import run_tools
from allm_rx.operators.collect_step import collect_step
from allm_rx.operators.lean import keep
from allm_rx.reducers.response import ResponseFold
from allm_rx.reducers.step import ToolPhase, step_result
from allm_rx.runtime.delivery import deliver
from allm_rx.runtime.tools import spec_of

if TYPE_CHECKING:
    from reactivex import Observable

    from allm_rx.abc.flow import Origin
    from allm_rx.data.parts import ToolCall
    from allm_rx.data.results import StepResult
    from allm_rx.operators.run import RunnableObservable
    from allm_rx.runtime.engine import Engine
    from allm_rx.runtime.options import Options


def stream(engine: Engine, given: Input, options: Options) -> RunnableObservable[ev.Event]:
    """Give the events of one step; see `allm_rx.stream_step`."""
    resolved = prepared(engine, given, options, function="stream_step")
    thread = thread_of(given, resolved)
    return seen(step_events(resolved, thread, 0), resolved, ("step", thread))


def run(engine: Engine, given: Input, options: Options) -> RunnableObservable[StepResult]:
    """Give the result of one step; see `allm_rx.step`."""
    resolved = prepared(engine, given, options, function="step")
    events = observed(step_events(resolved, thread_of(given, resolved), 0), resolved)
    return deliver(events.pipe(collect_step()))


def prepared(engine: Engine, given: Input, options: Options, *, function: str) -> Resolved:
    """Settle and check the first turn of a step or chat."""
    check_engine(engine)
    resolved = resolve(engine, given, options, function=function)
    preflight(resolved)
    return _with_cache_key(resolved)


def _with_cache_key(resolved: Resolved) -> Resolved:
    """Give the call with its session's id as the key of the prompt cache, where the adapter takes keys and none was given."""
    cache, session_id = resolved.request.prompt_cache, resolved.call.session_id
    if cache is None or cache.key is not None or not session_id:
        return resolved
    keyed = resolved.with_request(resolved.request.replace(prompt_cache=cache.replace(key=session_id)))
    try:
        keyed.adapter.preflight(keyed.request, keyed.call)
    except ValidationError:  # a provider that knows no keys
        return resolved
    return keyed


def thread_of(given: Input, resolved: Resolved) -> Thread:
    """Give the conversation that a call begins with; a thread keeps the application's notes."""
    return given if isinstance(given, Thread) else Thread(messages=resolved.request.messages)


def observed(events: Observable[ev.Event], resolved: Resolved) -> Observable[ev.Event]:
    """Give the events, seen by `on_event` first."""
    return events if resolved.on_event is None else events.pipe(ops.do_action(resolved.on_event))


def seen(events: Observable[ev.Event], resolved: Resolved, origin: Origin) -> RunnableObservable[ev.Event]:
    """Give the events as the caller asked to see them, at their edge."""
    wanted = kept(resolved)
    return deliver(observed(events, resolved), origin, None if wanted is None else keep(wanted))


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

    return spanned("step", resolved, rx.defer(build), index=index)


class _Turn:
    """The state of one step of one subscription."""

    def __init__(self, resolved: Resolved, thread: Thread, index: int, *, checked: bool) -> None:
        self._resolved = resolved.with_request(resolved.request.model_copy(update={"messages": thread.messages}))
        self._thread = thread
        self._index = index
        self._checked = checked
        self._fold = ResponseFold()
        self._phase = ToolPhase()
        self._manual: tuple[ToolCall, ...] = ()
        specs = ((spec_of(tool), hasattr(tool, "bind")) for tool in resolved.tools)
        self._manual_names = {spec.name for spec, runs in specs if isinstance(spec, Tool) and (spec.manual or not runs)}

    def generation(self) -> Observable[ev.Event]:
        """The model's turn; a request that cannot be sent is an `error` event here, where no caller can catch."""
        resolved = self._resolved
        try:
            if self._checked:
                resolved.adapter.preflight(resolved.request, resolved.call)
            else:
                preflight(resolved)
        except AllmError as error:
            return rx.just(ev.Error(Failure.of(error)))
        return source(resolved)

    def see(self, event: ev.Event) -> None:
        """Take an event of the generation into account."""
        self._fold.apply(event)

    def tools(self, scheduler: Any) -> Observable[ev.Event]:
        """The tools' turn, when the generation has ended: only a finish reason of tool calls runs any."""
        if self._fold.finish_reason != "tool_calls":
            return rx.empty()
        calls = self._fold.response().tool_calls
        self._manual = tuple(call for call in calls if self._is_manual(call))
        waiting = {call.id for call in self._manual}
        return run_tools(self._resolved, [call for call in calls if call.id not in waiting], self._phase)

    def end(self, scheduler: Any) -> Observable[ev.Event]:
        """The result."""
        result = step_result(self._index, self._thread, self._fold.response(), self._phase, self._manual)
        return rx.just(ev.StepCompleted(self._index, result))

    def _is_manual(self, call: ToolCall) -> bool:
        if self._resolved.orchestration.get("mode") == "manual":
            return True
        if call.error is not None:  # nobody can run it; the model is told
            return False
        return call.name in self._manual_names
