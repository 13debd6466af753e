"""A chat of many turns, as a GUI of any toolkit sees it; what it should have seen is with the tests."""

from typing import Any

from allm_rx.data.events import ChatCompleted, Event
from allm_rx.execution.calls import stream
from tests.execution.test_long_chat import TURNS, Depths, engine
from tests.gui.sources import Source, nothing
from tests.gui.toolkits import Toolkit


def many_turns(gui: Toolkit) -> Any:
    """While the chat goes on, a timer of the GUI fires, and one short stream after another comes to its end."""
    produced, arrived = Depths(), Depths()
    last: list[Event] = []
    ended: list[bool] = []
    fired: list[bool] = []
    others: list[bool] = []

    def on_next(event: Event) -> None:
        arrived(event)
        last[:] = [event]

    def fire() -> None:
        if not ended:
            fired.append(True)
            gui.later(0.001, fire)

    def another() -> None:
        if not ended:
            others.append(True)
            Source("other").stream().subscribe(nothing, print, another, scheduler=gui.scheduler)

    chatting = stream(engine(), "hi", max_turns=TURNS, on_event=produced)
    chatting.subscribe(on_next, print, lambda: ended.append(True), scheduler=gui.scheduler)
    fire()
    another()
    gui.run_until(lambda: ended)
    assert isinstance(last[0], ChatCompleted)
    return {
        "halted": last[0].result.halted_reason,
        "turns": len(last[0].result.steps),
        "growth of the stack": [max(depths.seen[1:]) - min(depths.seen[1:]) for depths in (produced, arrived)],
        "timer fired": len(fired),
        "other streams": len(others) - 1,
    }
