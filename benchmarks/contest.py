"""Who is measured, and how their rounds take turns: a server, and a process per client, for the whole run.

Rule 1: everybody does the same work, told by the same `benchmarks.worker`; the floors and we in this environment, others in
that of `.lock/peers.txt`.
Rule 2: rounds interleave, so that a machine that is busy for a while is busy for all; the first round warms up.
Rule 3: the cheap repeat their work within a round until it can be measured; the length of a stream is the same for all.
"""

import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Self
from urllib.request import urlopen

from benchmarks.answers import Answer

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".peers" / "bin" / "python"
ROUNDS = 5
LEAST = 0.2
"""Seconds of CPU that one measurement takes at least."""


@dataclass(frozen=True)
class Entry:
    """A line of a table: one way to use one client."""

    what: str
    """Its name there."""
    worker: str
    """The client, as `benchmarks.ours` and `benchmarks.peers` call it."""
    do: str = "read"
    floor: str = "floor"
    """The line that it is compared with."""

    @property
    def peer(self) -> bool:
        """Whether it is somebody else's."""
        return self.worker in DISTRIBUTIONS


DISTRIBUTIONS = ("openai", "anthropic", "litellm", "pydantic-ai-slim", "langchain-openai")
DISTRIBUTIONS_MEASURED = tuple("pydantic-ai-slim[openai]" if "pydantic" in name else name for name in DISTRIBUTIONS)
"""The same, with the extras that cannot be done without."""
FLOOR = Entry("floor", "floor")
OURS = Entry("stream_generate", "allm_rx")
FOLDED = Entry("generate", "allm_rx", "fold")
CHAT_PEERS = tuple(Entry(name, name) for name in DISTRIBUTIONS if name != "anthropic")
MESSAGES_FLOOR = Entry("floor, Messages", "floor, Messages", floor="floor, Messages")
MESSAGES_OURS = Entry("stream_generate, Messages", "allm_rx, Messages", floor="floor, Messages")
MESSAGES_PEER = Entry("anthropic, Messages", "anthropic", floor="floor, Messages")
EVERYBODY = (FLOOR, OURS, FOLDED, *CHAT_PEERS, MESSAGES_FLOOR, MESSAGES_OURS, MESSAGES_PEER)


@dataclass
class Taken:
    """What the rounds of one entry took, for each item."""

    cpu: list[float] = field(default_factory=list[float])
    """Nanoseconds of the process's CPU."""
    rate: list[float] = field(default_factory=list[float])
    """Items per second of the clock."""


class Worker:
    """A process with one client."""

    def __init__(self, name: str) -> None:
        """Start it."""
        python, module = (str(PEERS), "peers") if name in DISTRIBUTIONS else (sys.executable, "ours")
        self._name = name
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        command = [python, "-m", f"benchmarks.{module}", name]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints, text=True, cwd=ROOT
        )

    def ask(self, url: str, do: str, **options: Any) -> dict[str, Any]:
        """Have it do something, and wait for what it measured.

        Raises:
            RuntimeError: it could not.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write(json.dumps({"url": url, "do": do, **options}) + "\n")
            self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or "{}")
        if "failed" in answer or not answer:
            self._complaints.seek(0)
            raise RuntimeError(f"{self._name} could not {do}: {answer.get('failed') or self._complaints.read()[-3000:]}")
        return answer

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._complaints.close()


class Contest:
    """The server and the clients of one run."""

    def __init__(self, *, peers: bool) -> None:
        """Set up; nothing runs before the `with`.

        Raises:
            FileNotFoundError: the environment of the peers is missing.
        """
        if peers and not PEERS.exists():
            raise FileNotFoundError(f"{PEERS} does not exist: `make .peers/.ready` makes it, `--no-peers` goes without.")
        self.peers = peers
        self.url = ""
        self._workers: dict[str, Worker] = {}
        self._server: subprocess.Popen[str] | None = None
        self._closed: queue.Queue[float] = queue.Queue()
        self._listener: threading.Thread | None = None
        self._questions = 0

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.server"]
        self._server = server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert server.stdout is not None
        self.url = server.stdout.readline().strip()
        self._listener = threading.Thread(target=self._listen, args=(server.stdout,), daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        for worker in self._workers.values():
            worker.stop()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        if self._listener is not None:
            self._listener.join()

    def _listen(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self._closed.put(float(line))

    def among(self, entries: Sequence[Entry]) -> list[Entry]:
        """Give those that take part."""
        return [entry for entry in entries if self.peers or not entry.peer]

    def ask(self, worker: str, answer: Answer, do: str, **options: Any) -> dict[str, Any]:
        """Have a client do something, in the process that it has for the whole run."""
        if worker not in self._workers:
            self._workers[worker] = Worker(worker)
        return self._workers[worker].ask(self.url + answer.path, do, **options)

    @contextmanager
    def fresh(self, worker: str) -> Generator[Worker]:
        """Give a client in a process of its own, which did nothing so far."""
        process = Worker(worker)
        try:
            yield process
        finally:
            process.stop()

    def per_item(
        self,
        title: str,
        answer: Answer,
        entries: Sequence[Entry],
        *,
        streams: int = 1,
        rounds: int = ROUNDS,
        warm_up: bool = True,
    ) -> dict[str, Taken]:
        """Measure what a piece of text (or, where the model calls tools, a call) costs each of the entries.

        Args:
            title: for the progress.
            answer: what each stream is.
            entries: who reads them.
            streams: how many at once.
            rounds: that count.
            warm_up: whether others have one before them, too; it takes some of them half a minute.

        Raises:
            RuntimeError: one of them did not see all of it.
        """
        taken = {entry.what: Taken() for entry in entries}
        items = answer.turns or answer.chunks * streams
        for number in range(rounds + 1):
            progress(title, f"round {number} of {rounds}" if number else "warming up")
            for entry in entries if number or warm_up else [one for one in entries if not one.peer]:
                done = self.ask(entry.worker, answer, entry.do, streams=streams, least=LEAST if number else 0)
                expected = items * done["times"] * (answer.length if entry.do == "fold" else 1)
                if done["seen"] != expected:
                    raise RuntimeError(f"{entry.what} saw {done['seen']} of {expected} at {answer.path}")
                if number:
                    taken[entry.what].cpu.append(done["cpu"] / done["times"] / items * 1e9)
                    taken[entry.what].rate.append(items * done["times"] / done["wall"])
        return taken

    @cached_property
    def installed(self) -> dict[str, dict[str, Any]]:
        """What is known of the packages that take part, see `benchmarks.installed`."""
        return told_of(str(PEERS), *DISTRIBUTIONS_MEASURED) if self.peers else {}

    def versions(self) -> dict[str, str]:
        """Give the version of each package that takes part."""
        return {name: known["version"] for name, known in self.installed.items()}

    def closed(self, patience: float = 5.0) -> float | None:
        """Wait until the server saw a client leave, and give when; None when it did not."""
        try:
            return self._closed.get(timeout=patience)
        except queue.Empty:
            return None

    def forget(self) -> None:
        """Forget who left so far."""
        while not self._closed.empty():
            self._closed.get()

    def connections(self) -> int:
        """Give how many connections were ever made to the server, this question's excluded."""
        self._questions += 1
        with urlopen(f"{self.url}/opened") as response:
            return int(response.read()) - self._questions


def told_of(python: str, *names: str) -> dict[str, dict[str, Any]]:
    """Ask an environment for the versions and sizes of some of its distributions."""
    command = [python, "-m", "benchmarks.installed", *names]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)


def progress(*words: str) -> None:
    """Say what is being done, apart from the results."""
    print(time.strftime("%H:%M:%S"), *words, file=sys.stderr, flush=True)
