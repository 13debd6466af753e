"""The page on security names tests that exist, and leaves none out."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)?(?:::(test_\w+))?`", PAGE)


def claims_of(path: str) -> set[str]:
    """Give the tests of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_test_that_is_named_exists() -> None:
    """Each is in the file that was named last before it."""
    path, missing = "", list[str]()
    for file, test in NAMED:
        path = file or path
        if test and test not in claims_of(path):
            missing.append(f"{path}::{test}")

    assert missing == []


@pytest.mark.parametrize("path", ["test_secrets.py", "test_network.py", "test_hostile_output.py"])
def test_no_test_is_left_out(path: str) -> None:
    """What is proven is also told."""
    named = {test for _, test in NAMED}

    assert sorted(claims_of(f"tests/security/{path}") - named) == []
