"""The page that shows the tables: what stands between two markers is written by `make bench`, the rest by people."""

import os
import platform
from collections.abc import Sequence

from benchmarks.harness import Table

_BEGIN = "<!-- tables: written by `make bench` -->"
_END = "<!-- end of tables -->"


def with_tables(page: str, tables: Sequence[Table]) -> str:
    """Give a page with the tables between its two markers.

    Raises:
        ValueError: a marker is missing.
    """
    before, begun, rest = page.partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if not begun or not ended:
        raise ValueError(f"The page has no place for tables: write `{_BEGIN}` and `{_END}` where they shall stand.")
    machine = f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    body = "\n\n".join(table.markdown() for table in tables)
    return f"{before}{_BEGIN}\nMeasured on {machine}.\n\n{body}\n{_END}{after}"
