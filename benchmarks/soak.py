"""Thousands of runs, left at random points in every way there is, and what is left of them: `python -m benchmarks.soak [runs]`.

Rule 1: the provider is a process of its own, so that what is counted here is ours alone.
Rule 2: what is counted is all there is: idle connections, too, are waited for until their pool has closed them.
Rule 3: the runs are those of the seed; when exactly each is left is the machine's business.
"""

import argparse
import asyncio
import gc
import logging
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from reactivex import Observable
from reactivex.abc import SchedulerBase
from reactivex.scheduler import EventLoopScheduler, NewThreadScheduler, ThreadPoolScheduler

from allm_rx import Engine, RetryPolicy, ToolCall, chat, generate, stream, stream_generate, tool
from allm_rx.adapters import Anthropic, Fake, Gemini, OpenAI, OpenAIChat
from allm_rx.adapters.fake import delay
from allm_rx.testing.assertions import assert_no_leaks
from allm_rx.testing.protocols import protocols
from allm_rx.transport.io_loop import io_loop
from benchmarks.leaving import ON_LOOPS, ON_THREADS, PATIENCE, UNWANTED, Leave, LeaveOnLoop, elsewhere, unwanted

_WORKERS = 4
_TOGETHER = 10
"""Runs at once on a loop of their own."""
_GROWTH = 1.1
"""How much larger the process may be at the end than after the first fifth."""
_SLACK = 8 * 2**20
"""Bytes of growth that are an allocator's, not a leak's."""


@tool
def weather_now(place: str) -> str:
    """Tell the weather of a place."""
    return f"Mild in {place}."


@tool
async def weather_later(place: str) -> str:
    """Tell the weather of a place, after a while."""
    await asyncio.sleep(0.005)
    return f"Windy in {place}."


def engines(url: str) -> dict[str, Callable[[], Engine]]:
    """Give an engine per adapter, with tools that block and tools that wait."""
    key = "sk-soak"
    paths = {known.name: known.base_path for known in protocols()}
    adapters = {
        "openai-chat": OpenAIChat(base_url=url + paths["openai-chat"], api_key=key),
        "openai": OpenAI(base_url=url + paths["openai"], api_key=key),
        "anthropic": Anthropic(base_url=url + paths["anthropic"], api_key=key),
        "gemini": Gemini(base_url=url + paths["gemini"], api_key=key),
    }
    retry = RetryPolicy(base_delay=0.001, jitter=0)
    made = {name: Engine(adapter=adapter, model="m", retry=retry) for name, adapter in adapters.items()}
    real = {
        **{name: engine.with_tools(weather_now) for name, engine in made.items()},
        **{f"{name}, async tool": engine.with_tools(weather_later) for name, engine in made.items()},
    }
    return {**{name: partial(_given, engine) for name, engine in real.items()}, "fake": fake}


def fake() -> Engine:
    """Give an engine without a provider, anew for each run, since a `Fake` remembers all that it was asked."""
    call = ToolCall(id="c", name="weather_now", arguments={"place": "Oslo"})
    script = [["Let me ", delay(0.005), call], ["Mi", delay(0.01), "ld."]]
    adapter = Fake(respond=lambda request: script[min(1, sum(one.role == "tool" for one in request.messages))])
    return Engine(adapter=adapter, model="m", tools=(weather_now,))


def _given(engine: Engine) -> Engine:
    return engine


def entries(engine: Engine) -> dict[str, Callable[[], Observable[Any]]]:
    """Give the streams of an engine, by entry point."""
    question = "How is the weather in Oslo and Bergen?"
    return {
        "generate": lambda: generate(engine.replace(tools=()), "Tell me of Oslo."),
        "stream_generate": lambda: stream_generate(engine.replace(tools=()), "Tell me of Oslo."),
        "chat": lambda: chat(engine, question),
        "stream": lambda: stream(engine, question),
    }


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
def provider(*options: str) -> Generator[str]:
    """Give the URL of a provider in a process of its own."""
    command = [sys.executable, "-m", "allm_rx.testing.provider_server", *options]
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
    loop_ways: tuple[LeaveOnLoop, ...] = ON_LOOPS
    counts: Counter[str] = field(default_factory=Counter[str])
    lock: threading.Lock = field(default_factory=threading.Lock)

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

    def _work(self, chance: random.Random, runs: int) -> None:
        while runs:
            if chance.random() < 1 / (1 + _TOGETHER):  # half of the runs on loops, half on threads
                together = min(runs, _TOGETHER)
                asyncio.run(self._on_loop(chance, together))
                runs -= together
            else:
                self._tried(chance.choice(self.ways), chance)
                runs -= 1

    async def _on_loop(self, chance: random.Random, together: int) -> None:
        ways = [chance.choice(self.loop_ways) for _ in range(together)]
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
        made = entries(self.engines[engine]())
        entry = chance.choice(sorted(made))
        with self.lock:
            self.counts.update((f"adapter {engine}", f"entry {entry}", f"left {way}"))
        return made[entry]()


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
    until = time.monotonic() + PATIENCE
    left = Held.now().beyond(before)
    while any(value > 0 for value in left.values()) and time.monotonic() < until:
        gc.collect()
        time.sleep(0.1)
        left = Held.now().beyond(before)
    return left


def _nothing(scheduler: SchedulerBase, state: object = None) -> None:
    del scheduler, state


def resident() -> int:
    """Give the bytes of memory that the process takes."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """Soak, print the counts, and give 1 when anything was left or went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    complaints = _Complaints(logging.ERROR)
    logging.getLogger("asyncio").addHandler(complaints)
    logging.getLogger("asyncio").propagate = False
    threading.excepthook = lambda hook: unwanted(hook.exc_value or RuntimeError(str(hook.exc_type)))
    sys.unraisablehook = lambda hook: unwanted(hook.exc_value or RuntimeError(str(hook.err_msg)))

    here = EventLoopScheduler()
    pool = ThreadPoolScheduler(2)
    anywhere = tuple(elsewhere(scheduler) for scheduler in (here, pool, NewThreadScheduler()))
    ways: tuple[Leave, ...] = (*ON_THREADS, *anywhere)
    with provider("--pace", "1") as url:
        soak = Soak(engines(url), ways)
        here.schedule(_nothing)  # starts its thread, which is ours
        first, fifth = time.monotonic(), options.runs // 5
        before = Held.now()
        with assert_no_leaks(patience=PATIENCE):
            soak.go(fifth, options.seed)
            early = resident()
            soak.go(options.runs - fifth, options.seed + 1)
            late = resident()
        seconds = time.monotonic() - first
        left = settled(before)
    for name, count in sorted(soak.counts.items()):
        print(f"{count:7}  {name}")
    print(f"{options.runs:7}  runs in {seconds:.0f} s, {_WORKERS} threads, {_TOGETHER} at once on loops of their own")
    print(f"left: {', '.join(f'{value} {name}' for name, value in left.items())}; {len(UNWANTED)} errors that nobody expected")
    print(f"{complaints.overtaken} tasks of streams that were forgotten were overtaken by the end of their loop")
    print(f"memory: {early / 2**20:.1f} MiB after {fifth} runs, {late / 2**20:.1f} MiB after {options.runs}")
    for trouble in UNWANTED[:3]:
        print(trouble, file=sys.stderr)
    return int(any(value > 0 for value in left.values()) or bool(UNWANTED) or late > early * _GROWTH + _SLACK)


if __name__ == "__main__":
    sys.exit(main())
