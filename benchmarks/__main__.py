"""Run all benchmarks in one go: `python -m benchmarks [name ...] [--json FILE]`."""

import argparse
import importlib
import os
import platform
from pathlib import Path

from benchmarks.harness import Table

_BEGIN = "<!-- tables: written by `make bench` -->"
_END = "<!-- end of tables -->"

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
    parser.add_argument("--page", type=Path, metavar="FILE", help="the page whose tables are written anew")
    options = parser.parse_args()
    done: list[Table] = []
    for name in options.names:
        for table in importlib.import_module(f"benchmarks.{name}").tables():
            print(table.show(), end="\n\n", flush=True)
            done.append(table)
    if options.json is not None:
        options.json.write_text("".join(f"{table.as_json()}\n" for table in done), encoding="utf-8")
    if options.page is not None:
        options.page.write_text(_with_tables(options.page.read_text(encoding="utf-8"), done), encoding="utf-8")


def _with_tables(page: str, tables: list[Table]) -> str:
    """Give a page with the tables between its two markers."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    machine = f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    body = "\n\n".join(table.markdown() for table in tables)
    return f"{before}{_BEGIN}\nMeasured on {machine}.\n\n{body}\n{_END}{after}"


if __name__ == "__main__":
    main()
