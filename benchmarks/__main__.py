"""Run all benchmarks in one go: `python -m benchmarks [name ...] [--json FILE]`."""

import argparse
import importlib
from pathlib import Path

from benchmarks.harness import Table

NAMES = (
    "stream_cpu",
    "concurrent_cpu",
    "long_message",
    "first_event",
    "cancel_latency",
    "many_streams",
    "import_time",
    "events",
)


def main() -> None:
    """Print the tables as they come; write them all where `--json` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="name", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the tables, a line each")
    options = parser.parse_args()
    done: list[Table] = []
    for name in options.names:
        for table in importlib.import_module(f"benchmarks.{name}").tables():
            print(table.show(), end="\n\n", flush=True)
            done.append(table)
    if options.json is not None:
        options.json.write_text("".join(f"{table.as_json()}\n" for table in done), encoding="utf-8")


if __name__ == "__main__":
    main()
