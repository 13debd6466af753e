"""Thousands of runs, left at random points in every way there is, and what is left of them: `python -m benchmarks.soak [runs]`.

Rule 1: the provider is a process of its own, so that what is counted here is ours alone.
Rule 2: what is counted is all there is: idle connections, too, are waited for until their pool has closed them.
Rule 3: the runs are those of the seed; when exactly each is left is the machine's business.
Rule 4: every adapter, entry point, loop and way to leave has its turn, or the soak has failed.
"""

import argparse
import asyncio
import gc
import json
import logging
import os
import random
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json
from reactivex import Observable
from reactivex.abc import SchedulerBase
from reactivex.scheduler import EventLoopScheduler, NewThreadScheduler, ThreadPoolScheduler

from allm_rx import Engine
from allm_rx.testing.assertions import assert_no_leaks
from allm_rx.transport.io_loop import io_loop
from benchmarks.leaving import ON_LOOPS, ON_THREADS, PATIENCE, UNWANTED, Leave, elsewhere, unwanted
from benchmarks.starting import engines, starts

_WORKERS = 4
_TOGETHER = 10
"""Runs at once on a loop of their own."""
_POOL = 2
"""Threads of the pool that events arrive on."""
_TOLD = 20
"""How often the progress is told."""
_MANY = 2_000
"""Runs among which everything has its turn, unless it never has."""
_GROWTH = 1.1
"""How much larger the process may be at the end than after the first fifth."""
_SLACK = 8 * 2**20
"""Bytes of growth that are an allocator's, not a leak's."""
_BLOCKS = 0.5
"""Blocks of memory per run by which Python may hold more at the end; the smallest leak of an object is one or two."""

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
with suppress(ImportError):  # Windows has none
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop


class _Complaints(logging.Handler):
    """Keeps what the loops complain about.

    A stream that nobody holds when its loop ends may begin its next step in between, and asyncio cancels no task that was
    made after it began to; such tasks are counted apart.
    """

    overtaken = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        text = self.format(record)
        if text.startswith("Task was destroyed but it is pending"):
            self.overtaken += 1
        else:
            UNWANTED.append(text)


@contextmanager
def provider() -> Generator[str]:
    """Give the URL of a provider in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.starting"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@dataclass
class Soak:
    """The runs, and the book about them."""

    engines: dict[str, Callable[[], Engine]]
    ways: tuple[Leave, ...]
    runs: int
    counts: Counter[str] = field(default_factory=Counter[str])
    done: int = 0
    begun: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self) -> None:
        """Begin to count at zero what must have its turn."""
        some = next(iter(self.engines.values()))()
        expected = {
            "adapter": self.engines,
            "entry": starts(some),
            "loop": LOOPS,
            "left": [way.__name__ for way in (*self.ways, *ON_LOOPS)],
        }
        self.counts.update({f"{what} {name}": 0 for what, names in expected.items() for name in names})

    def go(self, runs: int, seed: int) -> None:
        """Have the workers make so many runs."""
        share = [runs // _WORKERS + (index < runs % _WORKERS) for index in range(_WORKERS)]
        workers = [
            threading.Thread(target=self._work, args=(random.Random(f"{seed} {index}"), count), name=f"soak {index}")
            for index, count in enumerate(share)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def missed(self) -> list[str]:
        """Give what never had its turn, once there were enough turns."""
        return [name for name, count in self.counts.items() if not count] if self.done >= _MANY else []

    def _work(self, chance: random.Random, runs: int) -> None:
        while runs:
            together = 1
            if chance.random() < 1 / (1 + _TOGETHER):  # half of the runs on loops, half on threads
                together = min(runs, _TOGETHER)
                loop = chance.choice(sorted(LOOPS))
                self._count(f"loop {loop}")
                with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
                    runner.run(self._on_loop(chance, together))
            else:
                self._tried(chance.choice(self.ways), chance)
            runs -= together
            self._tell(together)

    async def _on_loop(self, chance: random.Random, together: int) -> None:
        ways = [chance.choice(ON_LOOPS) for _ in range(together)]
        runs = [way(self._source(chance, way.__name__), chance) for way in ways]
        done = await asyncio.gather(*runs, return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                unwanted(error)

    def _tried(self, way: Leave, chance: random.Random) -> None:
        try:
            way(self._source(chance, way.__name__), chance)
        except Exception as error:  # noqa: BLE001 - whatever comes is told at the end
            unwanted(error)

    def _source(self, chance: random.Random, way: str) -> Observable[Any]:
        engine = chance.choice(sorted(self.engines))
        made = starts(self.engines[engine]())
        entry = chance.choice(sorted(made))
        self._count(f"adapter {engine}", f"entry {entry}", f"left {way}")
        return made[entry]()

    def _count(self, *names: str) -> None:
        with self.lock:
            self.counts.update(names)

    def _tell(self, more: int) -> None:
        with self.lock:
            before, self.done = self.done, self.done + more
        if before * _TOLD // self.runs < self.done * _TOLD // self.runs:
            seconds = time.monotonic() - self.begun
            print(f"{self.done:,} of {self.runs:,} runs, {seconds:.0f} s, {_resident() / 2**20:.1f} MiB", file=sys.stderr)


@dataclass(frozen=True)
class Held:
    """What the process holds."""

    threads: frozenset[int | None]
    descriptors: int
    sockets: int
    tasks: int

    @classmethod
    def now(cls) -> "Held":
        """Count it."""
        tasks = asyncio.run_coroutine_threadsafe(_tasks(), io_loop()).result()  # first, since it may start that loop
        targets: list[str] = []
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                targets.append(os.readlink(f"/proc/self/fd/{name}"))
        threads = frozenset(thread.ident for thread in threading.enumerate())
        sockets = sum(target.startswith("socket:") for target in targets)
        return cls(threads, len(targets), sockets, tasks)

    def beyond(self, before: "Held") -> dict[str, int]:
        """Count what was not there before."""
        return {
            "tasks": self.tasks - before.tasks,
            "threads": len(self.threads - before.threads),
            "sockets": self.sockets - before.sockets,
            "descriptors": self.descriptors - before.descriptors,
        }


async def _tasks() -> int:
    return len(asyncio.all_tasks()) - 1


def settled(before: Held) -> dict[str, int]:
    """Wait until nothing is left, or patience is, and count."""
    print("Waiting for the pools to close their idle connections, which takes 15 s.", file=sys.stderr)
    until = time.monotonic() + PATIENCE
    left = Held.now().beyond(before)
    while any(value > 0 for value in left.values()) and time.monotonic() < until:
        gc.collect()
        time.sleep(0.1)
        left = Held.now().beyond(before)
    return left


@dataclass(frozen=True)
class Memory:
    """What the process takes, to the system and to Python."""

    size: int
    blocks: int

    @classmethod
    def now(cls) -> "Memory":
        """Measure it, without garbage."""
        gc.collect()
        return cls(_resident(), sys.getallocatedblocks())

    def flat(self, before: "Memory", runs: int) -> bool:
        """Tell whether it is what it was so many runs ago."""
        return self.size <= before.size * _GROWTH + _SLACK and self.blocks - before.blocks <= runs * _BLOCKS


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _warm(scheduler: SchedulerBase, threads: int) -> None:
    """Have a scheduler start its threads, which are ours and stay."""
    all_here = threading.Barrier(threads + 1)

    def wait(scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        all_here.wait()

    for _ in range(threads):
        scheduler.schedule(wait)
    all_here.wait()


def _fill_caches() -> None:
    """Fill what fills up anyway: pydantic keeps the last 16,384 short strings that it parsed, ids of answers for instance."""
    from_json(json.dumps([f"string {number}" for number in range(200_000)]))


def _warned(message: Warning | str, *_: Any, **__: Any) -> None:
    unwanted(RuntimeWarning(str(message)))


def _listen() -> _Complaints:
    """Hear all that would otherwise only be printed."""
    complaints = _Complaints(logging.ERROR)
    logging.getLogger("asyncio").addHandler(complaints)
    logging.getLogger("asyncio").propagate = False
    threading.excepthook = lambda hook: unwanted(hook.exc_value or RuntimeError(str(hook.exc_type)))
    sys.unraisablehook = lambda hook: unwanted(hook.exc_value or RuntimeError(str(hook.err_msg)))
    warnings.simplefilter("always")
    warnings.showwarning = _warned
    return complaints


def _table(counts: Counter[str]) -> Iterable[str]:
    return (f"{count:7}  {name}" for name, count in sorted(counts.items()))


def main() -> int:
    """Soak, print the counts, and give 1 when anything was left or went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    complaints = _listen()

    here, pool = EventLoopScheduler(), ThreadPoolScheduler(_POOL)
    _warm(here, 1)
    _warm(pool, _POOL)
    _fill_caches()
    for make in LOOPS.values():
        make().close()  # uvloop keeps a pipe for its signals once it was used
    anywhere = tuple(elsewhere(scheduler) for scheduler in (here, pool, NewThreadScheduler()))
    with provider() as url:
        soak = Soak(engines(url), (*ON_THREADS, *anywhere), options.runs)
        soak.expect()
        fifth = options.runs // 5
        before = Held.now()
        with assert_no_leaks(patience=PATIENCE):
            soak.go(fifth, options.seed)
            settled(before)
            early = Memory.now()
            soak.go(options.runs - fifth, options.seed + 1)
        left = settled(before)
        late = Memory.now()

    print(*_table(soak.counts), sep="\n")
    print(f"{soak.done:7}  runs, {_WORKERS} threads, {_TOGETHER} at once on loops of their own, seed {options.seed}")
    print(f"left: {', '.join(f'{value} {name}' for name, value in left.items())}; {len(UNWANTED)} errors that nobody expected")
    print(f"{complaints.overtaken} tasks of streams that were forgotten were overtaken by the end of their loop")
    for when, memory in ((fifth, early), (options.runs, late)):
        print(f"memory after {when} runs: {memory.size / 2**20:.1f} MiB, {memory.blocks} blocks of Python's")
    for trouble in (*(f"Never had its turn: {name}" for name in soak.missed()), *UNWANTED[:3]):
        print(trouble, file=sys.stderr)
    clean = not any(value > 0 for value in left.values()) and not UNWANTED and not soak.missed() and not complaints.overtaken
    return 0 if clean and late.flat(early, options.runs - fifth) else 1


if __name__ == "__main__":
    sys.exit(main())
