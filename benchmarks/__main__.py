"""Run all benchmarks in one go: `python -m benchmarks [name ...] [--no-peers] [--json FILE] [--page FILE] [--plot FILE]`."""

import argparse
import importlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import page, plot
from benchmarks.contest import Contest

if TYPE_CHECKING:
    from benchmarks.harness import Table

NAMES = (
    "stream_cpu",
    "concurrent_cpu",
    "long_message",
    "first_event",
    "cancel_latency",
    "many_streams",
    "slow_reader",
    "tool_loop",
    "import_time",
    "install_size",
    "call_profile",
    "events",
    "many_runs",
)


def main() -> None:
    """Print the tables as they come; write them all where the options say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="name", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--no-peers", action="store_true", help="measure beside the floors alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the tables, a line each")
    parser.add_argument("--page", type=Path, metavar="FILE", help="the page whose tables are written anew")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="where to draw the first table")
    options = parser.parse_args()
    done: list[Table] = []
    begun = time.monotonic()
    with Contest(peers=not options.no_peers) as contest:
        for name in options.names:
            for table in importlib.import_module(f"benchmarks.{name}").tables(contest):
                print(table.show(), end="\n\n", flush=True)
                done.append(table)
            if options.json is not None:  # each time, so that a run that is broken off leaves what it had
                options.json.write_text("".join(f"{table.as_json()}\n" for table in done), encoding="utf-8")
    print(f"{(time.monotonic() - begun) / 60:.1f} minutes")
    if options.plot is not None:
        options.plot.write_text(plot.drawn(done[0]), encoding="utf-8")
    if options.page is not None:
        options.page.write_text(page.with_tables(options.page.read_text(encoding="utf-8"), done), encoding="utf-8")


if __name__ == "__main__":
    main()
