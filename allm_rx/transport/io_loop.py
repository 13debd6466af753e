"""The process's one I/O loop, for callers that have no event loop of their own.

Rule 1: one daemon thread, started on first use.
Rule 2: a forked child starts its own; the parent's loop and connections are not touched there.
Rule 3: at interpreter exit what still runs is left as by `dispose`: connections are closed, and nobody is told.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading

from allm_rx.abc.flow import lend_loop

_EXIT_PATIENCE = 1.0
"""Seconds that interpreter exit waits for connections to close."""


class _IoLoop:
    """An event loop that runs in a thread of its own."""

    def __init__(self) -> None:
        self.ending = False
        self.loop = asyncio.new_event_loop()
        self._begun = threading.Event()
        self.thread = threading.Thread(target=self._run, name="allm_rx-io", daemon=True)
        self.thread.start()
        self._begun.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self._begun.set)
        try:
            while not self._ran_to_its_end():
                pass
        finally:
            self.loop.close()

    def _ran_to_its_end(self) -> bool:
        try:
            self.loop.run_forever()
        except (KeyboardInterrupt, SystemExit):
            # A callback wants to end the program, which only the main thread can. Its own stream is over, and asyncio tells
            # of it; all others must not wait for ever on a loop that is gone.
            return False
        return True

    def stop(self) -> None:
        """Cancel everything, close connections, and end the thread."""
        self.ending = True
        if self.thread.is_alive() and not self.loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._wind_up(), self.loop)
            self.thread.join(_EXIT_PATIENCE)

    async def _wind_up(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.loop.shutdown_asyncgens()
        self.loop.stop()


_lock = threading.Lock()
_current: _IoLoop | None = None
_left_to_parent: list[_IoLoop] = []
"""In a forked child: what belongs to the parent, kept so that nothing finalizes it here."""


def io_loop() -> asyncio.AbstractEventLoop:
    """Give the running I/O loop, starting it on first use."""
    global _current
    with _lock:
        if _current is None or not _current.thread.is_alive():
            _current = _IoLoop()
        return _current.loop


def on_io_thread() -> bool:
    """Tell whether this is the I/O loop's own thread."""
    return _current is not None and _current.thread is threading.current_thread()


def ending() -> bool:
    """Tell whether the interpreter exits, so that what runs on the I/O loop is cancelled."""
    return _current is not None and _current.ending


def _begin_anew() -> None:
    global _current, _lock
    _lock = threading.Lock()
    if _current is not None:
        _left_to_parent.append(_current)
        _current = None


def _stop() -> None:
    if _current is not None:
        _current.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
atexit.register(_stop)
lend_loop(io_loop)
