"""How each kind of thread is woken: the wakers of event loops and of GUI toolkits.

Rule 1: no toolkit is imported; RxPY's schedulers hold theirs, and that is the one used.
Rule 2: waking never waits for the thread that is woken, and calls nothing of a toolkit that another thread may not call.
Rule 3: what belongs to a GUI is made, used and let go on its thread.
Rule 4: a waker of a GUI is made on that GUI's thread; anywhere else it is a `UsageError`.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any

from reactivex.internal.exceptions import DisposedException

from allm_rx.abc.flow import Waker
from allm_rx.errors import UsageError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from reactivex.abc import SchedulerBase
    from reactivex.scheduler import EventLoopScheduler
    from reactivex.scheduler.mainloop import GtkScheduler, QtScheduler, TkinterScheduler, WxScheduler

_TK_PERIOD = 10
"""Milliseconds between two looks for what is due on Tk's thread: below what an eye sees, and above what a CPU feels."""
_TK_SLICE = 0.008
"""Seconds that one look may deliver for; painting comes between two looks."""


class _Waker(Waker):
    """What all wakers have in common: the subscription is told once that its thread is gone."""

    _gone: Callable[[], None] | None = None

    def open(self, gone: Callable[[], None], /) -> None:
        """Begin; see `abc.flow.Waker`."""
        self._gone = gone

    def close(self) -> None:
        """End; see `abc.flow.Waker`."""
        self._gone = None

    def lose(self) -> None:
        """Tell that the thread is gone, the first time."""
        gone, self._gone = self._gone, None
        if gone is not None:
            gone()


class EventLoopWaker(_Waker):
    """Delivers on the thread of an `EventLoopScheduler`."""

    def __init__(self, scheduler: EventLoopScheduler) -> None:
        """Wake the thread of `scheduler`."""
        self._scheduler = scheduler

    def wake(self, drain: Callable[[], None], /) -> None:
        """Have `drain` called soon on the scheduler's thread; one that was disposed is gone."""

        def act(scheduler: SchedulerBase, state: object = None) -> None:
            del scheduler, state
            drain()

        try:
            self._scheduler.schedule(act)
        except DisposedException:
            self.lose()


class AsyncioWaker(_Waker):
    """Delivers on the thread of an asyncio loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake the thread of `loop`."""
        self._loop = loop

    def wake(self, drain: Callable[[], None], /) -> None:
        """Have `drain` called soon on the loop; one that was closed is gone."""
        try:
            self._loop.call_soon_threadsafe(drain)
        except RuntimeError:
            self.lose()


class QtWaker(_Waker):
    """Delivers on the thread of the Qt application, for PySide and PyQt alike."""

    def __init__(self, scheduler: QtScheduler) -> None:
        """Wake the thread of the application whose `QtCore` the scheduler holds.

        Raises:
            UsageError: `no_event_loop`, there is no application; `wrong_thread`, this is not its thread.
        """
        qtcore: Any = scheduler._qtcore  # pyright: ignore[reportPrivateUsage] # the only way
        app = qtcore.QCoreApplication.instance()
        if app is None:
            raise UsageError(
                "no_event_loop", f"There is no application of {_package(qtcore)} yet: make its `QApplication` before subscribing."
            )
        if app.thread() != qtcore.QThread.currentThread():
            raise _wrong_thread("Qt", "emit a signal, and subscribe in the slot of an object that lives on the GUI's thread")
        self._bell = _bell(qtcore, app)

    def open(self, gone: Callable[[], None], /) -> None:
        """Begin; see `abc.flow.Waker`."""
        super().open(gone)
        self._bell.live.add(self)

    def wake(self, drain: Callable[[], None], /) -> None:
        """Have `drain` called soon on the GUI's thread, by a queued signal; an application that was destroyed is gone."""
        if not self._bell.ring(drain):
            self.lose()

    def close(self) -> None:
        """End; see `abc.flow.Waker`."""
        super().close()
        self._bell.live.discard(self)


class _Bell:
    """What all streams of one Qt application ring for: an object on its thread, and what is due there.

    The object is a child of the application, so Qt owns it: it dies with the application and on that thread, wherever the
    last reference of Python's goes. It is never rung again from then on, which takes a lock: a signal of an object that is
    just being destroyed is not thread-safe.
    """

    def __init__(self, qtcore: Any, app: Any) -> None:
        self.live: set[QtWaker] = set()
        self.dead = False
        self._due: deque[Callable[[], None]] = deque()
        # A garbage collection inside `ring` may dispose a subscription, which rings.
        self._lock = threading.RLock()
        self._clapper = _clapper_class(qtcore)(app, self._turn)
        # The application says so before it destroys its children, an object of itself only when it is half gone.
        app.destroyed.connect(self._die)
        # Exit functions run in reverse order, so this one before the toolkit's, which destroys the application.
        atexit.register(self._die)

    def ring(self, drain: Callable[[], None]) -> bool:
        """Have `drain` called on the application's thread, and tell whether there is one."""
        with self._lock:
            if self.dead:
                return False
            self._due.append(drain)
            try:
                self._clapper.rung.emit()
            except RuntimeError:  # the bindings know already that it goes
                self.dead = True
            return not self.dead

    def _turn(self) -> None:
        self._due.popleft()()

    def _die(self, *_: object) -> None:
        with self._lock:
            self.dead = True
        atexit.unregister(self._die)
        for waker in tuple(self.live):
            waker.lose()


_bells: dict[Any, _Bell] = {}
"""The bell of each toolkit's application, by its `QtCore`; used on the GUI's thread only."""


def _bell(qtcore: Any, app: Any) -> _Bell:
    bell = _bells.get(qtcore)
    if bell is None or bell.dead:
        bell = _bells[qtcore] = _Bell(qtcore, app)
    return bell


@cache
def _clapper_class(qtcore: Any) -> type[Any]:
    signal, slot = (qtcore.Signal, qtcore.Slot) if hasattr(qtcore, "Signal") else (qtcore.pyqtSignal, qtcore.pyqtSlot)

    class Clapper(qtcore.QObject):
        """Carries a ring to its thread; nothing crosses but the ring."""

        rung = signal()

        def __init__(self, app: Any, turn: Callable[[], None]) -> None:
            super().__init__(app)  # pyright: ignore[reportUnknownMemberType] # the toolkit is known at run time only
            self._act = turn
            self.rung.connect(self.turn, qtcore.Qt.ConnectionType.QueuedConnection)

        # Declared as a slot, for the signal to find out that it lives on this object's thread.
        @slot()
        def turn(self) -> None:
            self._act()

    return Clapper


class TkWaker(_Waker):
    """Delivers on the thread of a Tk root: what is due there is looked for by a timer, while a stream is live."""

    def __init__(self, scheduler: TkinterScheduler) -> None:
        """Wake the thread of the scheduler's root, or of whatever window it was made with.

        Raises:
            UsageError: `wrong_thread`, this is not the root's thread; `no_event_loop`, the window was destroyed.
        """
        root: Any = scheduler._root  # pyright: ignore[reportPrivateUsage] # the only way
        try:
            # `eval` is refused elsewhere at once; most other calls would wait there for the main loop.
            root.tk.eval("")
        except RuntimeError:
            raise _wrong_thread("Tk", "put what you have into a `queue.Queue`, and look into it with `root.after`") from None
        poll = _polls.get(root)
        if poll is None:
            if not _exists(root):
                raise UsageError("no_event_loop", "The scheduler's Tk window was destroyed: subscribe with that of an open one.")
            poll = _polls[root] = _Poll(root)
        # Kept for its thread: `wake` needs only the queue, so that no other thread ever holds the last reference to a window.
        self._poll: _Poll | None = poll
        self._due = poll.due

    def open(self, gone: Callable[[], None], /) -> None:
        """Begin; see `abc.flow.Waker`."""
        super().open(gone)
        if self._poll is not None:
            self._poll.enter(self)

    def wake(self, drain: Callable[[], None], /) -> None:
        """Have `drain` called at the next look."""
        self._due.append(drain)

    def close(self) -> None:
        """End; see `abc.flow.Waker`."""
        super().close()
        poll, self._poll = self._poll, None
        if poll is not None:
            poll.leave(self)


class _Poll:
    """Looks, on the thread of a Tk window, for what is due there; only while a stream is live."""

    def __init__(self, root: Any) -> None:
        self.due: deque[Callable[[], None]] = deque()
        self._live: set[TkWaker] = set()
        self._root = root
        self._timer: str | None = None
        # A tag of its own, in front: a binding of the application neither replaces it nor keeps the event from it.
        self._tag = f"allm_rx{root}"
        root.tk.call("bind", self._tag, "<Destroy>", root.register(self._destroyed))
        root.bindtags((self._tag, *root.bindtags()))

    def enter(self, waker: TkWaker) -> None:
        self._live.add(waker)
        if self._timer is None:
            self._rearm()

    def leave(self, waker: TkWaker) -> None:
        self._live.discard(waker)
        if not self._live:
            self._disarm()
            self.due.clear()

    def _rearm(self) -> None:
        self._disarm()
        self._timer = self._root.after(_TK_PERIOD, self._look)

    def _disarm(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            self._root.after_cancel(timer)

    def _look(self) -> None:
        # First of all: a subscriber may open a dialog, whose loop has to serve the other streams.
        self._timer = self._root.after(_TK_PERIOD, self._look)
        until = time.perf_counter() + _TK_SLICE
        delivered = False
        for _ in range(len(self.due)):
            if not self.due or time.perf_counter() > until:
                break
            delivered = True
            self.due.popleft()()
        if delivered and self._timer is not None:
            self._rearm()  # a timer that is due already would leave no time to paint

    def _destroyed(self) -> None:
        _polls.pop(self._root, None)
        self._disarm()
        self._root.unbind_class(self._tag, "<Destroy>")
        for waker in tuple(self._live):
            waker.lose()


_polls: dict[Any, _Poll] = {}
"""The poll of each Tk window that a stream was subscribed for, until it is destroyed."""


def _exists(root: Any) -> bool:
    try:
        return bool(int(root.winfo_exists()))
    except Exception:  # noqa: BLE001 - Tk's own class, which cannot be named without importing it
        return False


class WxWaker(_Waker):
    """Delivers on the thread of the wx application."""

    def __init__(self, scheduler: WxScheduler) -> None:
        """Wake the main thread of the `wx` that the scheduler holds.

        Raises:
            UsageError: `no_event_loop`, there is no application; `wrong_thread`, this is not its thread.
        """
        self._wx: Any = scheduler._wx  # pyright: ignore[reportPrivateUsage] # the only way
        if self._wx.GetApp() is None:
            raise UsageError("no_event_loop", "There is no application of wx yet: make its `wx.App` before subscribing.")
        if not self._wx.IsMainThread():
            raise _wrong_thread("wx", "let `wx.CallAfter` call the function that subscribes")

    def wake(self, drain: Callable[[], None], /) -> None:
        """Have `drain` called soon on the GUI's thread; an application that was destroyed is gone."""
        try:
            self._wx.CallAfter(drain)
        except (AssertionError, RuntimeError):  # what wx says when there is no application
            self.lose()


class GLibWaker(_Waker):
    """Delivers on the thread of GLib's default main loop, which is GTK's."""

    def __init__(self, scheduler: GtkScheduler) -> None:
        """Wake the thread that runs the default context of the `GLib` that the scheduler holds.

        Raises:
            UsageError: `wrong_thread`, another thread runs it.
        """
        self._glib: Any = scheduler._glib  # pyright: ignore[reportPrivateUsage] # the only way
        context = self._glib.MainContext.default()
        # Who cannot have the context is not who runs it; before the loop runs, anybody can.
        if not context.acquire():
            raise _wrong_thread("GLib", "let `GLib.idle_add` call the function that subscribes")
        context.release()

    def wake(self, drain: Callable[[], None], /) -> None:
        """Have `drain` called soon on the loop's thread, after what is to be painted."""

        def once() -> bool:
            drain()
            return False

        self._glib.idle_add(once)


def _wrong_thread(toolkit: str, hint: str) -> UsageError:
    return UsageError(
        "wrong_thread",
        f"A stream was subscribed with a scheduler of {toolkit} on thread {threading.current_thread().name!r}, which is not the "
        f"GUI's: subscribe on the GUI's thread (from here, {hint}), or without a scheduler.",
    )


def _package(module: Any) -> str:
    return getattr(module, "__name__", repr(module)).partition(".")[0]
