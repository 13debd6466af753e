"""What is left of 10,000 runs that were left at random points?

Budget: no task, socket, thread or file descriptor, and flat memory.
"""

import subprocess
import sys

from benchmarks.contest import ROOT, Contest, progress
from benchmarks.harness import Row, Table

RUNS = 10_000


def tables(contest: Contest) -> list[Table]:
    """Run `benchmarks.soak`, and quote its last lines; nobody else takes part."""
    del contest
    progress("many_runs", f"{RUNS:,} runs")
    command = [sys.executable, "-m", "benchmarks.soak", str(RUNS)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    quoted = [line for line in done.stdout.splitlines() if line.startswith(("left:", "memory "))]
    row = Row("runs", RUNS, "", note="all within the limits" if done.returncode == 0 else "beyond the limits")
    budget = "0 tasks, sockets, threads, descriptors left, flat memory"
    return [Table("Runs left at random points", [row], budget=budget, note="; ".join(quoted) + ".")]
