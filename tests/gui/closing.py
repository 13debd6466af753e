"""A GUI that is closed in mid-stream: run as `python -m tests.gui.closing TOOLKIT BASE_URL`.

The stream is endless, and nobody disposes it. What is destroyed first, the process tells; the rest is for its end.
"""

import sys
import threading

from allm_rx.adapters.openai.chat_completions.adapter import OpenAIChat
from allm_rx.execution.calls import stream_generate
from allm_rx.operators import text
from allm_rx.runtime.engine import Engine
from tests.gui.programs import FOREVER, PATIENCE, Source
from tests.gui.toolkits import Toolkit, a_toolkit


def close(gui: Toolkit, base_url: str) -> None:
    """Close the GUI, and with it the process."""
    engine = Engine(adapter=OpenAIChat(base_url=base_url, api_key="none"), model="any")
    seen: list[str] = []
    stream_generate(engine, "Go on.").pipe(text()).subscribe(seen.append, print, scheduler=gui.scheduler)
    gui.run_until(lambda: len(seen) >= 20)


def destroy(gui: Toolkit) -> None:
    """Destroy the GUI, and tell when its streams were left: one in a flood, and one that waits for the GUI already."""
    sources = [Source(*["x"] * 100_000), Source(*["x"] * 5000, FOREVER), Source("x", FOREVER)]
    begun: set[int] = set()
    for number, source in enumerate(sources):
        source.stream().subscribe(lambda _, number=number: begun.add(number), print, scheduler=gui.scheduler)
    gui.run_until(lambda: len(begun) == len(sources))
    gui.destroy()
    assert all(source.left.wait(PATIENCE) for source in sources)
    names = [one.name for one in threading.enumerate() if one.daemon]
    sys.stdout.write(f"left {names}")


if __name__ == "__main__":
    if len(sys.argv) > 2:  # noqa: PLR2004
        close(a_toolkit(sys.argv[1]), sys.argv[2])
    else:
        destroy(a_toolkit(sys.argv[1]))
