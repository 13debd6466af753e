"""What a GUI of any toolkit sees of its streams; what it should have seen is with the tests."""

import gc
import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from reactivex.disposable import SerialDisposable

from allm_rx.adapters.fake import delay, error
from allm_rx.data.events import Event
from allm_rx.errors import UsageError
from allm_rx.execution.calls import generate
from tests.gui.sources import FOREVER, PATIENCE, Source, deliveries, nothing, settle, thread
from tests.gui.toolkits import Toolkit

if TYPE_CHECKING:
    from reactivex.abc import DisposableBase


def answer(gui: Toolkit) -> Any:
    script = [f"{number}," for number in range(1000)]
    threads: set[str] = set()
    pieces: list[str] = []
    ended: list[str] = []

    def on_next(piece: str) -> None:
        threads.add(thread())
        pieces.append(piece)

    Source(*script).pieces().subscribe(on_next, print, lambda: ended.append(thread()), scheduler=gui.scheduler)
    at_once = len(pieces)
    gui.run_until(lambda: ended)
    return {"threads": sorted(threads), "complete and in order": pieces == script, "at once": at_once, "ended on": ended}


def failing(gui: Toolkit) -> Any:
    failed: list[tuple[str, str]] = []

    def on_error(raised: Exception) -> None:
        failed.append((type(raised).__name__, thread()))

    Source("a", error("rate_limited")).pieces().subscribe(nothing, on_error, scheduler=gui.scheduler)
    gui.run_until(lambda: failed)
    settle(gui)
    return failed


def frozen(gui: Toolkit) -> Any:
    """A flood comes while the GUI is frozen for as long as a stream of the I/O loop needs, which pauses for 300 ms."""
    produced: list[Event] = []
    by_then: list[int] = []
    texts: list[str] = []
    ended: list[bool] = []

    def on_next(event: Event) -> None:
        if not by_then:
            other = threading.Event()
            generate(Source(delay(0.3), "other").engine, "hi").subscribe(on_completed=other.set)
            assert other.wait(PATIENCE)
            by_then.append(len(produced))
        if event.type == "text_delta":
            texts.append(event.delta)

    flood = Source(*["x"] * 5000).stream(produced.append)
    flood.subscribe(on_next, print, lambda: ended.append(True), scheduler=gui.scheduler)
    gui.run_until(lambda: ended)
    return {"produced while frozen": by_then[0], "texts in the end": len(texts)}


def stop_button(gui: Toolkit) -> Any:
    """The button is pressed while the I/O thread is held up, which goes on only once the button has returned."""
    source = Source(*["x"] * 50, "hold", FOREVER)
    subscription = SerialDisposable()
    seen: list[Event] = []
    seen_then: list[int] = []
    holding = threading.Event()
    pressed = threading.Event()

    def on_event(event: Event) -> None:
        if event.type == "text_delta" and event.delta == "hold":
            holding.set()
            assert pressed.wait(PATIENCE)

    def press() -> None:
        subscription.dispose()
        seen_then.append(len(seen))
        pressed.set()

    subscription.disposable = source.stream(on_event).subscribe(seen.append, print, scheduler=gui.scheduler)
    gui.when(lambda: holding.is_set() and seen, press)
    gui.run_until(source.left.is_set)
    settle(gui)
    return {"followed": len(seen) - seen_then[0], "left": source.fake.disposals}


def leaving_in_on_next(gui: Toolkit) -> Any:
    source = Source(*["x"] * 1000, FOREVER)
    subscription = SerialDisposable()
    seen: list[Event] = []

    def on_next(event: Event) -> None:
        seen.append(event)
        if len(seen) == 5:
            subscription.dispose()

    subscription.disposable = source.stream().subscribe(on_next, print, scheduler=gui.scheduler)
    gui.run_until(source.left.is_set)
    settle(gui)
    return {"seen": len(seen), "left": source.fake.disposals}


def leaving_elsewhere(gui: Toolkit) -> Any:
    """A worker leaves; only the stream itself knows the widget then."""
    source = Source(*["x"] * 1000, FOREVER)
    subscriptions: list[DisposableBase] = []
    seen: list[str] = []
    seen_then: list[int] = []
    died_on: list[str] = []

    class Widget:
        def show(self, event: Event) -> None:
            seen.append(event.type)

    def subscribe(widget: Widget) -> None:
        weakref.finalize(widget, lambda: died_on.append(thread()))
        subscriptions.append(source.stream().subscribe(widget.show, print, scheduler=gui.scheduler))

    def leave() -> None:
        worker = threading.Thread(target=subscriptions[0].dispose)
        worker.start()
        worker.join()
        subscriptions.clear()
        seen_then.append(len(seen))

    subscribe(Widget())
    gui.when(lambda: seen, leave)
    gui.run_until(source.left.is_set)
    settle(gui)
    gc.collect()
    return {"followed": len(seen) - seen_then[0], "left": source.fake.disposals, "widget died on": died_on}


def raising(gui: Toolkit) -> Any:
    source = Source("a", "b", "c", FOREVER)
    pieces: list[str] = []
    failed: list[tuple[str, str]] = []

    def on_next(piece: str) -> None:
        pieces.append(piece)
        raise LookupError(piece)

    def on_error(raised: Exception) -> None:
        failed.append((type(raised).__name__, thread()))

    source.pieces().subscribe(on_next, on_error, scheduler=gui.scheduler)
    gui.run_until(source.left.is_set)
    settle(gui)
    return {"pieces": pieces, "failed": failed}


def subscribing_elsewhere(gui: Toolkit) -> Any:
    source = Source("a")
    failed: list[Exception] = []

    def subscribe() -> None:
        source.stream().subscribe(print, failed.append, scheduler=gui.scheduler)

    gui.later(0.0, lambda: threading.Thread(target=subscribe, name="worker").start())
    gui.run_until(lambda: failed)
    return {
        "reasons": [raised.reason for raised in failed if isinstance(raised, UsageError)],
        "message": str(failed[0]),
        "sent": len(source.fake.requests),
    }


def windows(gui: Toolkit) -> Any:
    """Twenty windows with two streams each: one comes to its end, the other is left when the window closes."""
    died_on: list[str] = []
    ended: list[int] = []
    endless = [Source("x", FOREVER) for _ in range(20)]

    class Window:
        def __init__(self) -> None:
            self.seen = 0
            self.subscription = SerialDisposable()

        def show(self, _: object) -> None:
            self.seen += 1

    def open_window(number: int) -> Window:
        window = Window()
        weakref.finalize(window, lambda: died_on.append(thread()))
        Source("x").pieces().subscribe(window.show, print, partial(ended.append, number), scheduler=gui.scheduler)
        window.subscription.disposable = endless[number].pieces().subscribe(window.show, print, scheduler=gui.scheduler)
        return window

    opened = [open_window(number) for number in range(20)]
    gui.run_until(lambda: len(ended) == 20 and all(window.seen == 2 for window in opened))
    while opened:
        opened.pop().subscription.dispose()
    gui.run_until(lambda: all(source.left.is_set() for source in endless))
    settle(gui)
    remembered = deliveries()
    return {"died on": sorted(set(died_on)), "died": len(died_on), "remembered": remembered, "leftovers": gui.leftovers()}


def dialog(gui: Toolkit) -> Any:
    """A subscriber opens a dialog, whose own loop runs until another stream has come to its end."""
    numbers = [str(number) for number in range(500)]
    pieces: list[str] = []
    ended: list[bool] = []
    inside: list[bool] = []

    def on_next(piece: str) -> None:
        pieces.append(f"{piece} in {piece}" if inside else piece)
        if piece == "0":
            other: list[bool] = []
            inside.append(True)
            Source(*["y"] * 500).stream().subscribe(nothing, print, lambda: other.append(True), scheduler=gui.scheduler)
            while not other:
                gui.turn()
            inside.clear()

    Source(*numbers).pieces().subscribe(on_next, print, lambda: ended.append(True), scheduler=gui.scheduler)
    gui.run_until(lambda: ended)
    return {"complete and in order": pieces == numbers}


def interrupted(gui: Toolkit) -> Any:
    """The main loop ends in mid-stream, and runs again later."""
    pieces: list[str] = []
    ended: list[bool] = []
    Source(*["x"] * 2000).pieces().subscribe(pieces.append, print, lambda: ended.append(True), scheduler=gui.scheduler)
    gui.run_until(lambda: pieces)
    gui.run_until(lambda: ended)
    return len(pieces)
