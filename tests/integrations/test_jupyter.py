"""Notebooks as they are: a real kernel runs cells one after another, and a provider of ours answers it."""

import os
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from allm_rx.testing.answers import Answer
from allm_rx.testing.faults import Flood, Stall
from allm_rx.testing.provider_server import ProviderServer, Script

pytest.importorskip("ipykernel", reason="there is no kernel for notebooks: ipykernel is not installed")
clients: Any = pytest.importorskip("jupyter_client", reason="nothing can run a notebook: jupyter_client is not installed")

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 30.0
SETUP = """
import asyncio, threading, warnings
from reactivex import operators as ops
from reactivex.scheduler import NewThreadScheduler
from allm_rx import Engine, generate, stream_generate
from allm_rx import operators as lx
engine = Engine.from_model("openai-chat:any")
pieces = stream_generate(engine, "Hi").pipe(lx.text())
thread = lambda: threading.current_thread().name
warnings.simplefilter("always")  # not only the first of each place
"""


@dataclass
class Cell:
    """What a cell printed, gave and raised."""

    printed: str = ""
    complained: str = ""
    """What it wrote to stderr."""
    gave: str = ""
    raised: str = ""
    """The name of the exception."""


@dataclass
class Notebook:
    """A kernel, by what a notebook does with it."""

    manager: Any
    client: Any
    server: ProviderServer

    def begin(self, code: str) -> str:
        """Start a cell, and do not wait for its end."""
        return self.client.execute(code)

    def end(self, cell: str) -> Cell:
        """Wait for the end of a cell."""
        seen = Cell()
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != cell:
                continue
            if kind == "stream" and content["name"] == "stdout":
                seen.printed += content["text"]
            elif kind == "stream":
                seen.complained += content["text"]
            elif kind == "execute_result":
                seen.gave = content["data"]["text/plain"]
            elif kind == "error":
                seen.raised = content["ename"]
            elif kind == "status" and content["execution_state"] == "idle":
                return seen

    def run(self, code: str) -> Cell:
        return self.end(self.begin(code))

    def interrupt(self) -> None:
        """Press the button with the square."""
        self.manager.interrupt_kernel()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """One kernel for all: it takes seconds to start."""
    folder = tmp_path_factory.mktemp("kernel")
    manager = clients.KernelManager(kernel_name="python3", connection_file=str(folder / "connection.json"))
    where = {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder), "NO_PROXY": "127.0.0.1"}
    # A kernel writes warnings of its own there; what cells write comes over its channels.
    manager.start_kernel(env={**os.environ, **where}, stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


@contextmanager
def notebook(kernel: tuple[Any, Any], script: Script) -> Generator[Notebook]:
    """Give a notebook whose provider answers as scripted."""
    with ProviderServer(script) as server:
        opened = Notebook(*kernel, server)
        where = {"OPENAI_BASE_URL": server.base_url("openai-chat"), "OPENAI_API_KEY": "none-is-needed"}
        assert opened.run(f"import os; os.environ.update({where!r})\n{SETUP}") == Cell()
        yield opened


Kernel = tuple[Any, Any]
STALLED = Answer("Once upon a time", faults=[Stall(after=3)])
ENDLESS = Answer("Once", faults=[Flood(" upon")])


def test_a_cell_can_await_an_answer(kernel: Kernel) -> None:
    """The answer is made on the kernel's own loop, so functions are called on its main thread."""
    with notebook(kernel, Answer("Hello.")) as book:
        awaited = 'named = generate(engine, "Hi").pipe(ops.map(lambda response: (response.output_text, thread())))\nawait named'

        assert book.run(awaited) == Cell(gave="('Hello.', 'MainThread')")


@pytest.mark.parametrize("code", ['generate(engine, "Hi").run().output_text', "lx.run(pieces)"])
def test_run_works_in_a_cell_and_names_await(kernel: Kernel, code: str) -> None:
    """The kernel's loop runs in this thread, so it is blocked meanwhile; the answer comes all the same."""
    with notebook(kernel, Answer("Hello.")) as book:
        cell = book.run(code)

        assert (cell.gave, cell.raised) == ("'Hello.'", "")
        assert "`run()` blocks the event loop" in cell.complained
        assert "use `await`" in cell.complained


@pytest.mark.parametrize(
    "code",
    [
        "async for piece in lx.to_aiter(pieces): print(piece, end='|')",
        "async with lx.to_aiter(pieces) as them:\n    async for piece in them: print(piece, end='|')",
    ],
)
def test_a_cell_can_loop_over_the_pieces(kernel: Kernel, code: str) -> None:
    """They are printed as they come."""
    with notebook(kernel, Answer("One two three.")) as book:
        assert book.run(code) == Cell(printed="One| two| three.|")


def test_a_subscription_goes_on_while_the_next_cell_awaits(kernel: Kernel) -> None:
    """It lives on the kernel's loop, until it is disposed of in whichever cell."""
    with notebook(kernel, ENDLESS) as book:
        book.run("more = asyncio.Event()\nsubscription = pieces.subscribe(lambda piece: more.set())")

        assert book.run("more.clear()\nawait more.wait()") == Cell(gave="True")
        assert book.server.answering == 1
        book.run("subscription.dispose()")

        assert len(book.server.wait_closed()) == 1


def test_a_subscription_on_the_io_thread_goes_on_while_the_next_cell_computes(kernel: Kernel) -> None:
    """A scheduler that names no place takes it off the kernel's loop, which a cell without `await` holds up."""
    with notebook(kernel, ENDLESS) as book:
        book.run("more = threading.Event()\nsee = lambda piece: (seen.add(thread()), more.set())\nseen = set()")
        book.run("subscription = pieces.subscribe(see, scheduler=NewThreadScheduler())")

        assert book.run("more.clear()\nmore.wait(30), seen") == Cell(gave="(True, {'allm_rx-io'})")
        book.run("subscription.dispose()")

        assert len(book.server.wait_closed()) == 1


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ('generate(engine, "Hi").run()', "KeyboardInterrupt"),
        ("lx.run(pieces)", "KeyboardInterrupt"),
        ('await generate(engine, "Hi")', "CancelledError"),
        ("async for piece in lx.to_aiter(pieces): pass", "CancelledError"),
    ],
)
def test_interrupting_a_cell_closes_the_request(kernel: Kernel, code: str, raised: str) -> None:
    """The button with the square ends what is paid for, and the kernel goes on."""
    with notebook(kernel, STALLED) as book:
        cell = book.begin(code)
        book.server.wait_until(lambda server: server.answering == 1)

        book.interrupt()

        assert book.end(cell).raised == raised
        assert book.server.wait_closed()[0].request == 0
        assert book.run("1 + 1") == Cell(gave="2")


def test_interrupting_a_cell_leaves_the_subscriptions_of_others(kernel: Kernel) -> None:
    """Only what the cell waits for is left."""
    with notebook(kernel, [ENDLESS, STALLED]) as book:
        book.run("more = asyncio.Event()\nsubscription = pieces.subscribe(lambda piece: more.set())")
        cell = book.begin('await generate(engine, "Hi")')
        book.server.wait_until(lambda server: server.answering == 2)

        book.interrupt()
        book.end(cell)

        assert [closed.request for closed in book.server.wait_closed()] == [1]
        assert book.run("more.clear()\nawait more.wait()\nsubscription.dispose()") == Cell()
        assert [closed.request for closed in book.server.wait_closed(2)] == [1, 0]
