"""What does importing cost, beside the two packages that are needed in any case?

Budget: `import allm_rx` and everything a call needs, without aiohttp, 1.3 x (`reactivex` + `pydantic`).
"""

import subprocess
import sys
import time

from benchmarks.harness import Table, row

TIMES = 15
_NEEDED = "import reactivex, pydantic; from reactivex import operators; pydantic.BaseModel"
_STATEMENTS = {
    "reactivex + pydantic": _NEEDED,
    "import allm_rx": "import allm_rx",
    "allm_rx, ready to call": "from allm_rx import Engine, generate, stream_generate; from allm_rx.adapters import OpenAIChat",
    "openai package": "import openai",
}


def tables() -> list[Table]:
    """Run the benchmark: each statement in processes of its own, less an empty process, interleaved."""
    taken: dict[str, list[float]] = {name: [] for name in _STATEMENTS}
    for number in range(TIMES + 1):
        empty = _process("pass")
        for name, statement in _STATEMENTS.items():
            cost = (_process(statement) - empty) * 1e3
            if number:
                taken[name].append(cost)
    base = sorted(taken["reactivex + pydantic"])[TIMES // 2]
    found = [row(name, values, "ms", base) for name, values in taken.items()]
    return [Table("Import time", found, floor="reactivex + pydantic", budget="1.3 x reactivex + pydantic")]


def _process(statement: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    for table in tables():
        print(table.show())
