"""How much is installed with the package?

Nothing is promised; the floor is what raw requests need, aiohttp and pydantic-core.
"""

import sys

from benchmarks.contest import Contest, told_of
from benchmarks.harness import Row, Table, described

_NOTE = (
    "The files of the package and of all that it requires on this machine, as their metadata lists them, without bytecode: "
    "what an environment would hold that has nothing else in it. "
    "`openai` and `anthropic` are measured with aiohttp, which is an extra of theirs and left out here."
)


def tables(contest: Contest) -> list[Table]:
    """Add up what the two environments say of themselves."""
    here = told_of(sys.executable, "aiohttp", "pydantic-core", "allm-rx")
    floor = here["aiohttp"]["bytes"] + here["pydantic-core"]["bytes"]
    count = here["aiohttp"]["distributions"] + here["pydantic-core"]["distributions"]
    sizes = {"aiohttp + pydantic-core": (floor, count)}
    for name, known in {"allm_rx": here["allm-rx"], **contest.installed}.items():
        sizes[name] = known["bytes"], known["distributions"]
    found = [
        Row(name, size / 2**20, "MiB", size / floor, note=f"{distributions} distributions")
        for name, (size, distributions) in sizes.items()
    ]
    return [Table("Installed size", found, floor="aiohttp + pydantic-core", note=described(contest, _NOTE))]
