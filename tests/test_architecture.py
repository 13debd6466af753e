"""The rules of the tree that no linter knows."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import allm_rx

ROOT = Path(__file__).resolve().parent.parent
MODULES = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in sorted(ROOT.glob("allm_rx/**/*.py"))}
TESTS = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in sorted(ROOT.glob("tests/**/*.py"))}

MOST_LINES = 400
MOST_NAMES = 60

SKIPS = {"pytest.skip", "pytest.xfail", "pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"}

LONGER: frozenset[str] = frozenset()
"""Modules that may be longer; this list only shrinks."""


def test_no_module_is_too_long() -> None:
    """A module fits into a reader's head."""
    lengths = {path: len(source.splitlines()) for path, source in MODULES.items() if path not in LONGER}

    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_every_module_says_what_it_is() -> None:
    """Each module opens with a docstring."""
    assert [path for path, source in MODULES.items() if not ast.get_docstring(ast.parse(source))] == []


def test_no_folder_is_a_drawer() -> None:
    """A folder is named after what is in it."""
    folders = {part for path in MODULES for part in Path(path).parent.parts}

    assert folders & {"utils", "util", "helpers", "common", "core"} == set()


def test_imports_point_down() -> None:
    """The import contracts hold."""
    lint_imports = Path(sys.executable).parent / "lint-imports"

    done = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_package_opens_no_door() -> None:
    """A program that only builds requests does not pay for an HTTP client."""
    program = "import sys, allm_rx; sys.exit('aiohttp' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_public_names_are_sorted() -> None:
    """The public surface reads like an index."""
    assert list(allm_rx.__all__) == sorted(set(allm_rx.__all__))


def test_public_names_are_few() -> None:
    """The public surface can be read aloud."""
    assert len(allm_rx.__all__) <= MOST_NAMES


def test_public_names_resolve() -> None:
    """Every name the package promises is there."""
    assert [name for name in allm_rx.__all__ if not hasattr(allm_rx, name)] == []


def test_skipped_tests_say_why() -> None:
    """A test that does not run gives its reason."""
    assert [f"{path}:{line}" for path, source in TESTS.items() for line in silent_skips(ast.parse(source))] == []


def silent_skips(tree: ast.Module) -> Iterator[int]:
    """The lines that skip or excuse a test without a reason."""
    reasoned = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and has_reason(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in SKIPS and id(node) not in reasoned:
            yield node.lineno


def has_reason(call: ast.Call) -> bool:
    """Whether the call names its reason, or gives it as the first argument where that is what this one means."""
    positional = ast.unparse(call.func) in SKIPS - {"pytest.mark.skipif", "pytest.mark.xfail"} and call.args
    return bool(positional) or any(keyword.arg == "reason" for keyword in call.keywords)
