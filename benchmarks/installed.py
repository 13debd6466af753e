"""What is installed here: `python -m benchmarks.installed NAME ...` prints a line of JSON with versions and sizes.

Rule 1: the size of a distribution is that of its files and of all that it requires here, as their metadata lists them.
Rule 2: bytecode is left out, because not every installer makes it.
Rule 3: it runs in each environment, and needs `packaging` there to read what a requirement means.
"""

import json
import sys
from importlib.metadata import Distribution, distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def needed(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """Give the canonical names of a distribution and everything it requires on this machine."""
    seen: set[tuple[str, frozenset[str]]] = set()
    left = [(str(canonicalize_name(name)), extras)]
    while left:
        one = left.pop()
        if one in seen:
            continue
        seen.add(one)
        for line in distribution(one[0]).requires or ():
            requirement = Requirement(line)
            wanted = [{"extra": extra} for extra in (*one[1], "")]
            if requirement.marker is None or any(requirement.marker.evaluate(extra) for extra in wanted):
                left.append((str(canonicalize_name(requirement.name)), frozenset(requirement.extras)))
    return {name for name, _ in seen}


def size(name: str) -> int:
    """Give the bytes of a distribution's files; of an editable one, those of the package that it stands for."""
    found = distribution(name)
    if _editable(found):
        files = list((Path(__file__).parent.parent / name.replace("-", "_")).rglob("*"))
    else:
        files = [Path(str(file.locate())) for file in found.files or ()]
    return sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")


def _editable(found: Distribution) -> bool:
    return json.loads(found.read_text("direct_url.json") or "{}").get("dir_info", {}).get("editable", False)


def main(names: list[str]) -> None:
    """Print it; a name may have extras, as in a requirement."""
    told: dict[str, dict[str, object]] = {}
    for name in names:
        asked = Requirement(name)
        parts = needed(asked.name, frozenset(asked.extras))
        total = sum(size(part) for part in parts)
        told[asked.name] = {"version": version(asked.name), "bytes": total, "distributions": len(parts)}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
