"""Where does the time of a call go that has next to no answer?

Profiled, so that only the shares count: a profile makes small functions dearer than large ones.
"""

import asyncio
import cProfile
import pstats
import time
from collections import defaultdict
from typing import Any

from allm_rx import Engine, stream_generate
from allm_rx.adapters import OpenAIChat
from allm_rx.data.events import Event
from benchmarks.answers import Answer
from benchmarks.contest import Contest, progress
from benchmarks.harness import Row, Table

CALLS = 200
WAVES = 5

_PARTS = (
    ("allm_rx/execution/", "settled and checked"),
    ("allm_rx/runtime/", "settled and checked"),
    ("allm_rx/data/", "settled and checked"),
    ("pydantic", "settled and checked"),
    ("allm_rx/adapters/", "encoded and decoded"),
    ("allm_rx/wire/", "encoded and decoded"),
    ("allm_rx/reducers/", "encoded and decoded"),
    ("allm_rx/abc/", "encoded and decoded"),
    ("allm_rx/operators/", "our operators and reactivex"),
    ("reactivex/", "our operators and reactivex"),
    ("allm_rx/transport/", "our transport"),
    ("aiohttp/", "aiohttp"),
    ("yarl/", "aiohttp"),
    ("multidict/", "aiohttp"),
    ("asyncio/", "asyncio and sockets"),
    ("socket", "asyncio and sockets"),
    ("epoll", "asyncio and sockets"),
)
"""What a file's or function's name has in it, and the part that it belongs to; the first that fits."""
_OTHERS = "built-in functions, for all of them"


def tables(contest: Contest) -> list[Table]:
    """Profile calls with one chunk each."""
    progress("call_profile")
    return [asyncio.run(_measure(contest.url))]


async def _measure(url: str) -> Table:
    engine = Engine(adapter=OpenAIChat(base_url=f"{url}{Answer(1).path}/v1", api_key="sk-bench"), model="m")
    for _ in range(WAVES):
        await _wave(engine)
    begun = time.process_time()
    for _ in range(WAVES):
        await _wave(engine)
    whole = (time.process_time() - begun) / WAVES / CALLS * 1e6
    with cProfile.Profile() as profile:
        for _ in range(WAVES):
            await _wave(engine)
    rows = [Row(part, whole * share, "us", ratio=share) for part, share in _shares(profile).items()]
    note = f"CPU of one of {CALLS} calls at once, shared out as `cProfile` saw it; the garbage collector is in all of them."
    return Table("Where a call of one chunk spends its time", [Row("a call", whole, "us", ratio=1.0), *rows], "a call", note=note)


async def _wave(engine: Engine) -> None:
    await asyncio.gather(*(_call(engine) for _ in range(CALLS)))


async def _call(engine: Engine) -> None:
    done = asyncio.get_running_loop().create_future()
    stream_generate(engine, "hi").subscribe(_ignore, done.set_exception, lambda: done.set_result(None))
    await done


def _ignore(event: Event) -> None:
    del event


def _shares(profile: cProfile.Profile) -> dict[str, float]:
    taken: defaultdict[str, float] = defaultdict(float)
    seen: Any = pstats.Stats(profile)
    for (file, _, function), (_, _, seconds, _, _) in seen.stats.items():
        taken[next((part for name, part in _PARTS if name in file or name in function), _OTHERS)] += seconds
    whole = sum(taken.values())
    return {part: seconds / whole for part, seconds in sorted(taken.items(), key=lambda item: -item[1])}
