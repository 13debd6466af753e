"""What a GUI sees of its streams: programs for any toolkit, run as `python -m tests.gui.programs TOOLKIT`.

Each gives what it saw as a value of JSON; what it should have seen is with the tests.
"""

import gc
import json
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from typing import Any

from reactivex.disposable import SerialDisposable

from allm_rx.adapters.fake import Fake, delay, error
from allm_rx.data.events import Event
from allm_rx.execution.calls import generate, stream_generate
from allm_rx.operators import text
from allm_rx.runtime.delivery import Delivery
from allm_rx.runtime.engine import Engine
from tests.gui.toolkits import Toolkit, a_toolkit

PATIENCE = 20.0
FOREVER = delay(3600)
MANY = 1000


class Source:
    """An engine with a script, which tells when a stream of it was left."""

    def __init__(self, *script: Any) -> None:
        self.left = threading.Event()
        outer = self

        class Told(Fake):
            def left(self) -> None:
                super().left()
                outer.left.set()

        self.fake = Told(script=script)
        self.engine = Engine(adapter=self.fake, model="m")

    def stream(self, on_event: Callable[[Event], object] | None = None) -> Any:
        return stream_generate(self.engine, "hi", on_event=on_event)


def thread() -> str:
    return threading.current_thread().name


def order(gui: Toolkit) -> Any:
    threads: set[str] = set()
    pieces: list[str] = []
    ended: list[str] = []
    script = [f"{number}," for number in range(MANY)]

    def on_next(piece: str) -> None:
        threads.add(thread())
        pieces.append(piece)

    stream = Source(*script).stream().pipe(text())
    stream.subscribe(on_next, print, lambda: ended.append(thread()), scheduler=gui.scheduler)
    early = len(pieces)
    gui.run_until(lambda: ended)
    return {"threads": sorted(threads), "in order": pieces == script, "early": early, "ended": ended}


def failure(gui: Toolkit) -> Any:
    failed: list[tuple[str, str]] = []
    source = Source("a", error("rate_limited"))
    source.stream().pipe(text()).subscribe(
        print_nothing, lambda raised: failed.append((error_name(raised), thread())), scheduler=gui.scheduler
    )
    gui.run_until(lambda: failed)
    return failed


def frozen(gui: Toolkit) -> Any:
    """A flood comes while the GUI is frozen, as long as another stream needs for its pause of 300 ms."""
    played: list[str] = []
    waiting: list[int] = []
    seen: list[Event] = []
    ended: list[bool] = []
    other = threading.Event()

    def on_next(event: Event) -> None:
        seen.append(event)
        if len(seen) == 1:
            generate(Source(delay(0.3), "other").engine, "hi").subscribe(on_completed=other.set)
            assert other.wait(PATIENCE)
            waiting.append(len(played))

    flood = Source(*["x"] * 5000).stream(lambda event: played.append(event.type))
    flood.subscribe(on_next, print, lambda: ended.append(True), scheduler=gui.scheduler)
    gui.run_until(lambda: ended)
    return {"played while frozen": waiting[0], "in the end": sum(event.type == "text_delta" for event in seen)}


def stop(gui: Toolkit) -> Any:
    """The stop button is pressed while the I/O thread is held up, which goes on only once the button has returned."""
    seen: list[Event] = []
    pressed = threading.Event()
    at: list[int] = []
    held: list[bool] = []
    subscription = SerialDisposable()
    source = Source(*["x"] * 200, delay(0.0), *["y"] * 200, FOREVER)

    def on_event(event: Event) -> None:
        if event.type == "text_delta" and event.delta == "y" and not held:
            held.append(pressed.wait(PATIENCE))

    def press() -> None:
        subscription.dispose()
        at.append(len(seen))
        pressed.set()

    subscription.disposable = source.stream(on_event).subscribe(seen.append, print, scheduler=gui.scheduler)
    gui.when(lambda: len(seen) >= 10, press)
    gui.run_until(lambda: source.left.is_set() and at)
    settle(gui)
    return {"after": len(seen) - at[0], "held": held, "left": source.fake.disposals}


def stop_inside(gui: Toolkit) -> Any:
    seen: list[Event] = []
    subscription = SerialDisposable()
    source = Source(*["x"] * MANY, FOREVER)

    def on_next(event: Event) -> None:
        seen.append(event)
        if len(seen) == 5:
            subscription.dispose()

    subscription.disposable = source.stream().subscribe(on_next, print, scheduler=gui.scheduler)
    gui.run_until(source.left.is_set)
    settle(gui)
    return {"seen": len(seen), "left": source.fake.disposals}


def stop_elsewhere(gui: Toolkit) -> Any:
    """Another thread leaves; what the subscriber alone owned is let go on the GUI's thread."""
    source = Source(*["x"] * MANY, FOREVER)
    seen: list[int] = []
    let_go: list[str] = []
    subscription = SerialDisposable()

    def subscribe() -> None:
        class Widget:
            def show(self, event: Event) -> None:
                seen.append(len(event.type))

        widget = Widget()
        weakref.finalize(widget, lambda: let_go.append(thread()))
        subscription.disposable = source.stream().subscribe(widget.show, print, scheduler=gui.scheduler)

    def leave() -> None:
        subscription.dispose()
        subscription.disposable = SerialDisposable()

    subscribe()
    gui.when(lambda: seen, lambda: threading.Thread(target=leave, name="worker").start())
    gui.run_until(source.left.is_set)
    after = len(seen)
    settle(gui)
    gc.collect()
    return {"after": len(seen) - after, "let go": let_go, "left": source.fake.disposals}


def raising(gui: Toolkit) -> Any:
    source = Source("a", "b", "c", FOREVER)
    calls: list[str] = []
    failed: list[tuple[str, str]] = []

    def on_next(piece: str) -> None:
        calls.append(piece)
        raise LookupError(piece)

    source.stream().pipe(text()).subscribe(
        on_next, lambda raised: failed.append((error_name(raised), thread())), scheduler=gui.scheduler
    )
    gui.run_until(lambda: source.left.is_set() and failed)
    settle(gui)
    return {"calls": calls, "failed": failed}


def off_thread(gui: Toolkit) -> Any:
    source = Source("a")
    failed: list[Any] = []
    tried = threading.Event()

    def subscribe() -> None:
        source.stream().subscribe(print, failed.append, scheduler=gui.scheduler)
        tried.set()

    gui.later(0.0, threading.Thread(target=subscribe, name="worker").start)
    gui.run_until(tried.is_set)
    return {"reasons": [raised.reason for raised in failed], "message": str(failed[0]), "sent": len(source.fake.requests)}


def windows(gui: Toolkit) -> Any:
    """Twenty windows with two streams each: one comes to its end, the other is left."""
    let_go: list[str] = []
    sources = [Source(*["x"] * 50, *([FOREVER] if number % 2 else [])) for number in range(40)]

    class Window:
        def __init__(self) -> None:
            self.seen = 0
            self.subscription = SerialDisposable()

        def show(self, _: Event) -> None:
            self.seen += 1

        def close(self) -> None:
            self.subscription.dispose()

    open_windows: list[Window] = []
    ended: list[int] = []
    for number, source in enumerate(sources):
        window = Window()
        weakref.finalize(window, lambda: let_go.append(thread()))
        window.subscription.disposable = source.stream().subscribe(
            window.show, print, lambda number=number: ended.append(number), scheduler=gui.scheduler
        )
        open_windows.append(window)
    gui.run_until(lambda: len(ended) == 20 and all(window.seen >= 50 for window in open_windows))
    for window in open_windows:
        window.close()
    open_windows.clear()
    del window
    gui.run_until(lambda: all(source.left.is_set() for source in sources[1::2]))
    settle(gui)
    return {"let go": sorted(set(let_go)), "windows": len(let_go), "deliveries": deliveries(), "with the toolkit": gui.left()}


def dialog(gui: Toolkit) -> Any:
    """A subscriber opens a dialog, whose own loop runs until another stream has come to its end."""
    inside: list[bool] = []
    seen: list[str] = []
    other: list[bool] = []
    ended: list[bool] = []

    def on_next(piece: str) -> None:
        seen.append(piece)
        assert not inside, "called again while it had not returned"
        if piece == "0":
            inside.append(True)
            Source(*["y"] * 500).stream().subscribe(
                print_nothing, print, lambda: other.append(True), scheduler=gui.scheduler
            )
            while not other:
                gui.turn()
            inside.clear()

    stream = Source(*map(str, range(500))).stream().pipe(text())
    stream.subscribe(on_next, print, lambda: ended.append(True), scheduler=gui.scheduler)
    gui.run_until(lambda: ended)
    return {"in order": seen == list(map(str, range(500)))}


PROGRAMS = [order, failure, frozen, stop, stop_inside, stop_elsewhere, raising, off_thread, windows, dialog]


def settle(gui: Toolkit) -> None:
    """Let both threads come to rest: what is on its way arrives, and what is due is done."""
    for _ in range(3):
        gone: list[bool] = []
        generate(Source("probe").engine, "hi").subscribe(
            print_nothing, print, lambda gone=gone: gone.append(True), scheduler=gui.scheduler
        )
        gui.run_until(lambda gone=gone: gone)


def deliveries() -> int:
    gc.collect()
    return sum(isinstance(kept, Delivery) for kept in gc.get_objects())


def error_name(raised: Exception) -> str:
    return f"{type(raised).__name__}({getattr(raised, 'reason', '')})"


def print_nothing(_: object) -> None:
    return


def main(name: str) -> None:
    gui = a_toolkit(name)
    seen: dict[str, Any] = {}
    for program in PROGRAMS:
        try:
            seen[program.__name__] = program(gui)
        except Exception:  # noqa: BLE001 - told to the test, which fails with it
            seen[program.__name__] = traceback.format_exc()
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
