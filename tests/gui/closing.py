"""A GUI that is closed in mid-stream, while nobody disposes anything."""

import gc
import weakref
from typing import Any

from allm_rx.adapters.openai.chat_completions.adapter import OpenAIChat
from allm_rx.errors import UsageError
from allm_rx.execution.calls import stream_generate
from allm_rx.operators import text
from allm_rx.runtime.engine import Engine
from tests.gui.sources import FOREVER, PATIENCE, Source, nothing, settle
from tests.gui.toolkits import Qt, Tk, Toolkit


def end_of_process(gui: Toolkit, base_url: str) -> None:
    """The main loop ends in an endless stream of a server, and so does the process."""
    engine = Engine(adapter=OpenAIChat(base_url=base_url, api_key="none"), model="any")
    pieces: list[str] = []
    stream_generate(engine, "Go on.").pipe(text()).subscribe(pieces.append, print, scheduler=gui.scheduler)
    gui.run_until(lambda: len(pieces) >= 20)


def destroyed(gui: Toolkit) -> Any:
    """The GUI is destroyed in a flood, while a source waits for the GUI, and while one waits for its provider."""
    sources = [Source(*["x"] * 100_000), Source(*["x"] * 5000), Source("x", FOREVER)]
    begun: set[int] = set()
    for number, source in enumerate(sources):
        source.stream().subscribe(lambda _, number=number: begun.add(number), print, scheduler=gui.scheduler)
    gui.run_until(lambda: len(begun) == len(sources))
    gui.destroy()
    return [source.left.wait(PATIENCE) for source in sources]


def destroyed_tk(gui: Tk) -> Any:
    """A root is destroyed in mid-stream, by a program that binds and replaces what it likes, while another root goes on."""
    first = gui.tk.Tk()
    source = Source("x", FOREVER)
    seen: list[str] = []
    bound: list[str] = []
    source.pieces().subscribe(seen.append, print, scheduler=gui.scheduler_of(first))

    def on_destroy(event: Any) -> str:
        bound.append(str(event.widget))
        return "break"  # what Tk calls it to keep an event from others

    first.bind("<Destroy>", on_destroy)
    gui.run_until(lambda: seen)
    first.destroy()
    left = source.left.wait(PATIENCE)
    settle(gui)
    kept = weakref.ref(first)
    del first
    gc.collect()
    return {"left": left, "the program's own binding": bound, "kept": repr(kept())}


def closed_toplevel(gui: Tk) -> Any:
    """One of two windows is closed, each with a stream subscribed for it."""
    window = gui.tk.Toplevel(gui.root)
    of_window, of_root = Source("x", FOREVER), Source(*["x"] * 1000)
    seen: list[str] = []
    ended: list[bool] = []
    of_window.pieces().subscribe(seen.append, print, scheduler=gui.scheduler_of(window))
    of_root.pieces().subscribe(nothing, print, lambda: ended.append(True), scheduler=gui.scheduler)
    gui.run_until(lambda: seen)
    window.destroy()
    gui.run_until(lambda: of_window.left.is_set() and ended)
    failed: list[Exception] = []
    Source("x").pieces().subscribe(print, failed.append, scheduler=gui.scheduler_of(window))
    return {"left": [of_window.fake.disposals, of_root.fake.disposals], "again": reasons(failed)}


def polling_tk(gui: Tk) -> Any:
    """The timers of Tk before, during and after three streams at a time."""
    before = len(gui.leftovers())
    sources = [Source("x", FOREVER) for _ in range(3)]
    subscriptions = [source.pieces().subscribe(nothing, print, scheduler=gui.scheduler) for source in sources]
    during = len(gui.leftovers())
    for subscription in subscriptions:
        subscription.dispose()
    return {"before": before, "during": during, "after": len(gui.leftovers())}


def second_application(gui: Qt) -> Any:
    """An application is destroyed in mid-stream, and another one made."""
    source = Source("x", FOREVER)
    seen: list[str] = []
    source.pieces().subscribe(seen.append, print, scheduler=gui.scheduler)
    gui.run_until(lambda: seen)
    classes = gui.classes()
    gui.destroy()
    failed: list[Exception] = []
    Source("x").pieces().subscribe(print, failed.append, scheduler=gui.scheduler)
    gui.begin()
    again: list[str] = []
    Source("y").pieces().subscribe(again.append, print, scheduler=gui.scheduler)
    gui.run_until(lambda: again)
    return {
        "left": source.left.wait(PATIENCE),
        "without one": reasons(failed),
        "again": again,
        "one object each, of one class": len(classes) == 1 and classes == gui.classes(),
    }


def reasons(failed: list[Exception]) -> list[str]:
    return [raised.reason for raised in failed if isinstance(raised, UsageError)]
