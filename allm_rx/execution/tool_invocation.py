"""One call of a handler: on the owning loop where it can be, on a thread of its own where it may block.

Rule 1: `on_end` is called once, on the owning loop; what comes later is dropped.
Rule 2: a handler that takes too long is cancelled: a task is, an observable is disposed, a thread is told.
Rule 3: threads are daemons; none outlives the process, and none is waited for.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from typing import TYPE_CHECKING, Any, cast

from reactivex import Observable
from reactivex.abc import DisposableBase
from reactivex.disposable import SerialDisposable

from allm_rx.abc.flow import LoopScheduler
from allm_rx.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reactivex.abc import SchedulerBase

    from allm_rx.data.parts import ToolCall

_NOTHING = object()


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

    def start(self, work: Callable[[], Any], *, blocking: bool) -> None:
        """Call the handler; `blocking` gives it a thread of its own."""
        self._timer = self._scheduler.schedule_relative(self._timeout, self._expired)
        if blocking and isinstance(self._scheduler, LoopScheduler):
            self._in_thread(work, self._scheduler.loop)
            return
        try:
            given = work()
        except Exception as error:  # noqa: BLE001 - the caller's function
            self._end(self._raised(error))
            return
        self._follow(given)

    def dispose(self) -> None:
        """Cancel; nothing is reported any more."""
        self._over = True
        self._cancelled.set()
        if self._timer is not None:
            self._timer.dispose()
        self._work.dispose()

    def progress(self, value: Any) -> None:
        """Take a report of the handler, from any thread."""
        scheduler = self._scheduler
        if isinstance(scheduler, LoopScheduler) and not _on(scheduler.loop):
            _post(scheduler.loop, self._report, value)
        else:
            self._report(value)

    def is_cancelled(self) -> bool:
        """Tell whether nobody waits for the result."""
        return self._cancelled.is_set()

    def _report(self, value: Any) -> None:
        if not self._over:
            self._on_progress(value)

    def _follow(self, given: Any) -> None:
        """Take what the handler gave, on the owning loop: an observable, an awaitable, or the value itself."""
        if self._over:
            if inspect.iscoroutine(given):
                given.close()
            return
        if isinstance(given, Observable):
            self._observe(cast("Observable[Any]", given))
        elif inspect.isawaitable(given):
            self._await(given)
        else:
            self._end(given)

    def _observe(self, source: Observable[Any]) -> None:
        last: list[Any] = [_NOTHING]

        def on_next(value: Any) -> None:
            last[0] = value
            self._report(value)

        def on_error(error: Exception) -> None:
            self._end(self._raised(error))

        def on_completed() -> None:
            self._end(None if last[0] is _NOTHING else last[0])

        self._work.disposable = source.subscribe(on_next, on_error, on_completed, scheduler=self._scheduler)

    def _await(self, given: Awaitable[Any]) -> None:
        if not isinstance(self._scheduler, LoopScheduler):
            if inspect.iscoroutine(given):
                given.close()
            message = f"Tool {self._call.name!r} is async and cannot run in virtual time: return an Observable there."
            self._end(ToolError("invalid_return", message))
            return
        task = asyncio.ensure_future(given, loop=self._scheduler.loop)
        self._work.disposable = _Cancel(task)
        task.add_done_callback(self._awaited)

    def _awaited(self, task: asyncio.Future[Any]) -> None:
        if task.cancelled():
            self._end(ToolError("handler_raised", f"Tool {self._call.name!r} was cancelled."))
        elif (error := task.exception()) is None:
            self._end(task.result())
        elif isinstance(error, Exception):
            self._end(self._raised(error))

    def _in_thread(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        context = contextvars.copy_context()

        def body() -> None:
            try:
                given = context.run(work)
            except BaseException as error:  # noqa: BLE001 - whatever ends the thread has to be told
                given = self._raised(error)
            _post(loop, self._follow, given)

        name = f"allm_rx tool {self._call.name}"
        threading.Thread(target=body, name=name, daemon=True).start()

    def _expired(self, scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        self._cancelled.set()
        work, self._work = self._work, SerialDisposable()
        message = f"Tool {self._call.name!r} did not answer within {self._timeout:g} s."
        self._end(ToolError("timeout", message))
        work.dispose()

    def _end(self, outcome: Any) -> None:
        if self._over:
            return
        self._over = True
        self._cancelled.set()
        if self._timer is not None:
            self._timer.dispose()
        self._on_end(outcome)

    def _raised(self, error: BaseException) -> ToolError:
        if isinstance(error, ToolError):
            return error
        return ToolError("handler_raised", f"Tool {self._call.name!r} raised {type(error).__name__}: {error}", cause=error)


class _Cancel(DisposableBase):
    def __init__(self, task: asyncio.Future[Any]) -> None:
        self._task = task

    def dispose(self) -> None:
        self._task.cancel()


def _on(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _post(loop: asyncio.AbstractEventLoop, action: Callable[[Any], None], value: Any) -> None:
    try:
        loop.call_soon_threadsafe(action, value)
    except RuntimeError:  # the loop was closed, and whoever waited with it
        return
