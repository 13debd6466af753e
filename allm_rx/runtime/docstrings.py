"""What a Google docstring says: of the function, and of each argument.

Rule 1: the description is everything above the first section, but for a docstring without sections, which is all of it.
Rule 2: an argument's text ends where the indentation returns to that of the arguments; its lines are joined.
"""

from __future__ import annotations

import inspect
import re

_SECTIONS = {
    "args", "arguments", "parameters", "params", "keyword args", "keyword arguments", "other parameters",
    "returns", "return", "yields", "yield", "raises", "raise", "emits", "attributes", "warns", "warnings", "warning",
    "note", "notes", "example", "examples", "see also", "references", "todo",
}  # fmt: skip
_ARGUMENTS = {"args", "arguments", "parameters", "params", "keyword args", "keyword arguments", "other parameters"}
_HEADING = re.compile(r"(\w[\w ]*):\s*$")
_ARGUMENT = re.compile(r"\*{0,2}(\w+)\s*(?:\(.*?\))?\s*:(?:\s+(.*))?$")


def described(docstring: str | None) -> tuple[str, dict[str, str]]:
    """Give the description, and the text of each argument by its name."""
    prose: list[str] = []
    arguments: dict[str, str] = {}
    section: str | None = None
    body: list[str] = []
    for line in inspect.cleandoc(docstring or "").splitlines():
        if (match := _HEADING.match(line)) and match[1].lower() in _SECTIONS:
            arguments |= _arguments(body)
            section, body = match[1].lower(), []
        elif section is None:
            prose.append(line)
        elif section in _ARGUMENTS:
            body.append(line)
    arguments |= _arguments(body)
    return "\n".join(prose).strip(), arguments


def _arguments(lines: list[str]) -> dict[str, str]:
    """Give the arguments of a section's lines."""
    margin = min((_indent(line) for line in lines if line.strip()), default=0)
    texts: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines:
        if not line.strip():
            continue
        if _indent(line) > margin:
            if current is not None:
                current.append(line.strip())
        elif match := _ARGUMENT.match(line.strip()):
            current = texts[match[1]] = [match[2] or ""]
        else:
            current = None
    return {name: " ".join(filter(None, text)) for name, text in texts.items()}


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
