"""The pages of the documentation, and what of them can be run or made by code."""

import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = tuple(sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")]))

_FENCE = re.compile(r"^```python(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PRINTED = re.compile(r"^\s*#> ?(.*)$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)#\s]+)[^)]*\)")


@dataclass(frozen=True)
class Block:
    """A ```python block of a page; one with a toolkit behind that word is a program with a window."""

    page: Path
    line: int
    """Where its code begins, from 1."""
    code: str
    toolkit: str = ""
    """What a program with a window shows it with."""

    @property
    def expected(self) -> list[str]:
        """What it says it prints: its lines that begin with `#>`."""
        return _PRINTED.findall(self.code)

    def run(self, namespace: dict[str, Any]) -> list[str]:
        """Run it as it stands, and give the lines it printed."""
        # Empty lines in front make a traceback point to the page's own line.
        program = compile("\n" * (self.line - 1) + self.code, str(self.page), "exec", dont_inherit=True)
        with redirect_stdout(StringIO()) as printed:
            exec(program, namespace)
        return printed.getvalue().splitlines()


def blocks(page: Path) -> Iterator[Block]:
    """Give the ```python blocks of a page, in order."""
    text = page.read_text("utf-8")
    for match in _FENCE.finditer(text):
        yield Block(page, text.count("\n", 0, match.start(2)) + 1, match[2], match[1] or "")


def links(page: Path) -> list[str]:
    """Give where a page's links lead, those out of the tree left out."""
    return [to for to in _LINK.findall(page.read_text("utf-8")) if "://" not in to]


def name(page: Path) -> str:
    """Give a page's path for the reader of a test report."""
    return page.relative_to(ROOT).as_posix()
