"""One call of a handler: on the owning loop where it can be, on a thread of its own where it may block.

Rule 1: `on_end` is called once, on the owning loop; what comes later is dropped.
Rule 2: a handler that takes too long is cancelled: a task is, an observable is disposed, a thread is told.
Rule 3: whatever a handler raises is its own failure, on any thread; only Ctrl-C, which is the user's, is passed on.
Rule 4: threads are daemons; none outlives the process, and none is waited for.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import inspect
import logging
import threading
from typing import TYPE_CHECKING, Any, cast

from reactivex import Observable
from reactivex.abc import DisposableBase
from reactivex.disposable import SerialDisposable

from allm_rx.abc.flow import LoopScheduler, running_loop
from allm_rx.errors import StreamError, ToolError
from allm_rx.transport.loop_end import spawn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reactivex.abc import SchedulerBase

    from allm_rx.data.parts import ToolCall

_LOG = logging.getLogger("allm_rx.tools")


class Invocation(DisposableBase):
    """A handler that runs."""

    def __init__(
        self,
        call: ToolCall,
        scheduler: SchedulerBase,
        *,
        timeout: float,
        on_progress: Callable[[Any], None],
        on_end: Callable[[Any], None],
    ) -> None:
        """Set up without starting.

        Args:
            call: what the model asked for.
            scheduler: our loop scheduler, or virtual time.
            timeout: seconds it may take.
            on_progress: takes what the handler reports.
            on_end: takes the value, an `AskUser`, a `Halt` or a `ToolError`.
        """
        self._call = call
        self._scheduler = scheduler
        self._timeout = timeout
        self._on_progress = on_progress
        self._on_end = on_end
        self._over = False
        self._cancelled = threading.Event()
        self._timer: DisposableBase | None = None
        self._work = SerialDisposable()
        self._context = contextvars.copy_context()

    def start(self, work: Callable[[], Any], *, blocking: bool) -> None:
        """Call the handler; `blocking` gives it a thread of its own, but in virtual time, which has one thread."""
        self._timer = self._scheduler.schedule_relative(self._timeout, self._expired)
        try:
            if blocking and isinstance(self._scheduler, LoopScheduler):
                self._in_thread(work)
                return
            given = work()
        except BaseException as error:
            if is_ctrl_c(error):
                raise
            self._end(raised(self._call, error))
            return
        self._follow(given)

    def dispose(self) -> None:
        """Cancel; nothing is reported any more."""
        self._over = True
        self._leave()

    def progress(self, value: Any) -> None:
        """Take a report of the handler, from any thread."""
        self._on_loop(self._report, value)

    def is_cancelled(self) -> bool:
        """Tell whether nobody waits for the result."""
        return self._cancelled.is_set()

    def _report(self, value: Any) -> None:
        if not self._over:
            self._on_progress(value)

    def _follow(self, given: Any) -> None:
        """Take what the handler gave, on the owning loop: an observable, an awaitable, a future, or the value itself."""
        if self._over:
            _forget(given)
        elif isinstance(given, Observable):
            self._observe(cast("Observable[Any]", given))
        elif isinstance(given, concurrent.futures.Future) or inspect.isawaitable(given):
            self._await(cast("Awaitable[Any]", given))
        else:
            self._end(given)

    def _observe(self, source: Observable[Any]) -> None:
        last: Any = None

        def on_next(value: Any) -> None:
            nonlocal last
            last = value
            self.progress(value)

        def on_error(error: Exception) -> None:
            self._on_loop(self._end, raised(self._call, error))

        def on_completed() -> None:
            self._on_loop(self._end, last)

        try:
            self._work.disposable = source.subscribe(on_next, on_error, on_completed, scheduler=self._scheduler)
        except BaseException as error:
            if is_ctrl_c(error):
                raise
            self._end(raised(self._call, error))

    def _await(self, given: Awaitable[Any] | concurrent.futures.Future[Any]) -> None:
        if not isinstance(self._scheduler, LoopScheduler):
            _forget(given)
            message = f"Tool {self._call.name!r} is async and cannot run in virtual time: return an Observable there."
            self._end(ToolError("invalid_return", message))
            return
        try:
            task = spawn(self._scheduler.loop, self._awaited(given), name=f"allm_rx tool {self._call.name}")
        except StreamError as ended:
            _forget(given)
            self._end(ended)
            return
        self._work.disposable = _Cancel(task)
        task.add_done_callback(lambda _: _forget(given))  # cancelled before its first step, the task never began it
        task.add_done_callback(self._done)

    async def _awaited(self, given: Awaitable[Any] | concurrent.futures.Future[Any]) -> Any:
        try:
            return await (asyncio.wrap_future(given) if isinstance(given, concurrent.futures.Future) else given)
        except (SystemExit, KeyboardInterrupt) as error:  # out of a task they would end the loop that all streams share
            if is_ctrl_c(error):
                raise
            return raised(self._call, error)

    def _done(self, task: asyncio.Future[Any]) -> None:
        if task.cancelled() and isinstance(task, asyncio.Task) and task.cancelling():
            message = f"The event loop ended while tool {self._call.name!r} ran: keep the loop until the chat is over."
            self._end(StreamError("cancelled", message))
        elif task.cancelled():
            self._end(ToolError("handler_raised", f"Tool {self._call.name!r} was cancelled, and not by its call."))
        elif (error := task.exception()) is not None:
            self._end(raised(self._call, error))
        else:
            self._follow(task.result())

    def _in_thread(self, work: Callable[[], Any]) -> None:
        context = self._context.copy()

        def body() -> None:
            try:
                given = context.run(work)
            except BaseException as error:  # noqa: BLE001 - whatever ends the thread has to be told
                given = raised(self._call, error)
            self._on_loop(self._follow, given)

        threading.Thread(target=body, name=f"allm_rx tool {self._call.name}", daemon=True).start()

    def _on_loop(self, action: Callable[[Any], None], value: Any) -> None:
        """Do something on the owning loop: at once there and in virtual time, else as soon as it turns."""
        scheduler = self._scheduler
        if not isinstance(scheduler, LoopScheduler) or running_loop() is scheduler.loop:
            action(value)
            return
        try:
            # In the subscriber's context, not in the thread's: the rest of the chat goes on from here.
            scheduler.loop.call_soon_threadsafe(action, value, context=self._context.copy())
        except RuntimeError:  # the loop was closed, and whoever waited with it
            _forget(value)

    def _expired(self, scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        message = f"Tool {self._call.name!r} did not answer within {self._timeout:g} s: give it more with `tool_timeout`."
        self._end(ToolError("timeout", message))

    def _end(self, outcome: Any) -> None:
        if self._over:
            _forget(outcome)
            return
        self._over = True
        self._leave()
        self._on_end(outcome)

    def _leave(self) -> None:
        self._cancelled.set()
        if self._timer is not None:
            self._timer.dispose()
        try:
            self._work.dispose()
        except Exception:  # noqa: BLE001 - an observable of the caller's, which nobody listens to any more
            _LOG.exception("tool %r raised while it was disposed", self._call.name)


class _Cancel(DisposableBase):
    def __init__(self, task: asyncio.Future[Any]) -> None:
        self._task = task

    def dispose(self) -> None:
        self._task.cancel()


def raised(call: ToolCall, error: BaseException) -> ToolError:
    """Give the tool error for what a handler raised; one that it made itself stays as it is."""
    if isinstance(error, ToolError):
        return error
    return ToolError("handler_raised", f"Tool {call.name!r} raised {type(error).__name__}: {text_of(error)}", cause=error)


def text_of(error: BaseException) -> str:
    """Give the text of an exception, also of one whose `__str__` raises."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - of somebody else, called while an error is told
        return "(its text cannot be read)"


def is_ctrl_c(error: BaseException) -> bool:
    """Tell whether an exception is the user's Ctrl-C, which arrives in the main thread only, and is nobody's to contain."""
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


def _forget(given: Any) -> None:
    """Drop what a handler gave too late; a coroutine that nobody awaits would warn, and a future would go on."""
    if inspect.iscoroutine(given):
        given.close()
    elif isinstance(given, concurrent.futures.Future):
        cast("concurrent.futures.Future[Any]", given).cancel()
