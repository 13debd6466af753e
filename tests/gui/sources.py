"""Streams for programs with a window, and what such a program asks of them."""

import gc
import threading
from collections.abc import Callable
from typing import Any

import reactivex as rx

from allm_rx.adapters.fake import Fake, delay
from allm_rx.data.events import Event
from allm_rx.execution.calls import stream_generate
from allm_rx.operators import text
from allm_rx.runtime.delivery import Delivery
from allm_rx.runtime.engine import Engine
from allm_rx.transport.io_loop import io_loop
from tests.gui.toolkits import Toolkit

PATIENCE = 20.0
"""Seconds until something that should have happened counts as not happening."""
FOREVER = delay(3600)


class Source:
    """A script, which tells when a stream of it was left."""

    def __init__(self, *script: Any) -> None:
        self.left = threading.Event()
        outer = self

        class Told(Fake):
            def left(self) -> None:
                super().left()
                outer.left.set()

        self.fake = Told(script=script)
        self.engine = Engine(adapter=self.fake, model="m")

    def stream(self, on_event: Callable[[Event], None] | None = None) -> rx.Observable[Event]:
        return stream_generate(self.engine, "hi", on_event=on_event)

    def pieces(self) -> rx.Observable[str]:
        return self.stream().pipe(text())


def nothing(_: object) -> None:
    """Take an item."""


def thread() -> str:
    """Name the thread that calls."""
    return threading.current_thread().name


def settle(gui: Toolkit) -> None:
    """Let both threads come to rest: what is on its way arrives, and what is due is done."""
    for _ in range(3):
        ended: list[bool] = []
        Source("probe").stream().subscribe(nothing, print, lambda ended=ended: ended.append(True), scheduler=gui.scheduler)
        gui.run_until(lambda ended=ended: ended)


def deliveries() -> int:
    """Count the subscriptions that anything remembers, once the I/O thread has done what it was told."""
    done = threading.Event()
    io_loop().call_soon_threadsafe(done.set)
    assert done.wait(PATIENCE)
    gc.collect()
    return sum(isinstance(kept, Delivery) for kept in gc.get_objects())
