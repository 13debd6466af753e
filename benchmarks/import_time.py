"""What does importing cost, beside the two packages that are needed in any case, and beside others?

Budget: `import allm_rx` and everything a call needs, without aiohttp, 1.3 x (`reactivex` + `pydantic`).
"""

import statistics
import subprocess
import sys
import time

from benchmarks.contest import PEERS, Contest, progress
from benchmarks.harness import Table, described, row

ROUNDS = 5
_OURS = {
    "reactivex + pydantic": "import reactivex, pydantic; from reactivex import operators; pydantic.BaseModel",
    "import allm_rx": "import allm_rx",
    "allm_rx, ready to call": "from allm_rx import Engine, generate, stream_generate; from allm_rx.adapters import OpenAIChat",
}
_THEIRS = {
    "openai": "from openai import AsyncOpenAI",
    "anthropic": "from anthropic import AsyncAnthropic",
    "litellm": "import os; os.environ['LITELLM_LOCAL_MODEL_COST_MAP'] = 'True'; from litellm import acompletion",
    "pydantic-ai-slim": "from pydantic_ai import Agent; from pydantic_ai.models.openai import OpenAIChatModel",
    "langchain-openai": "from langchain_openai import ChatOpenAI",
}
_NOTE = "Processes that import what a first call needs, less an empty process; files and bytecode are cached."


def tables(contest: Contest) -> list[Table]:
    """Run the benchmark: each statement in processes of its own, less an empty process, interleaved."""
    here = [(name, sys.executable, statement) for name, statement in _OURS.items()]
    there = [(name, str(PEERS), statement) for name, statement in _THEIRS.items()] if contest.peers else []
    taken: dict[str, list[float]] = {name: [] for name, _, _ in (*here, *there)}
    for number in range(ROUNDS + 1):
        progress("import_time", f"round {number} of {ROUNDS}" if number else "warming up")
        empty = {python: _process(python, "pass") for _, python, _ in (*here, *there)}
        for name, python, statement in (*here, *there):
            cost = (_process(python, statement) - empty[python]) * 1e3
            if number:
                taken[name].append(cost)
    base = statistics.median(taken["reactivex + pydantic"])
    found = [row(name, values, "ms", base) for name, values in taken.items()]
    budget, note = "1.3 x reactivex + pydantic", described(contest, _NOTE)
    return [Table("Import time", found, floor="reactivex + pydantic", budget=budget, note=note)]


def _process(python: str, statement: str) -> float:
    begun = time.perf_counter()
    subprocess.run([python, "-c", statement], check=True, capture_output=True)
    return time.perf_counter() - begun
