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

LONGER = {
    "tests/abc/test_message_decoder.py": 425,
    "tests/apps/test_textual_chat.py": 475,
    "tests/execution/test_chat.py": 475,
    "tests/execution/test_tool_invocation.py": 425,
    "tests/execution/test_tool_runner.py": 675,
    "tests/operators/test_exchange.py": 600,
    "tests/operators/test_from_aiter.py": 475,
    "tests/operators/test_to_aiter.py": 450,
    "tests/reducers/test_grammar.py": 450,
    "tests/reducers/test_response.py": 525,
    "tests/runtime/test_delivery.py": 450,
    "tests/runtime/test_tools.py": 575,
    "tests/sessions/test_operations.py": 500,
    "tests/strategies.py": 450,
    "tests/test_leaving.py": 725,
    "tests/testing/test_provider_server.py": 625,
    "tests/transport/test_aiohttp_client.py": 600,
    "tests/wire/test_sse.py": 475,
}
"""Tests that are longer, and how much they have at most; this list only shrinks."""


def test_no_module_is_too_long() -> None:
    """A module fits into a reader's head; tests that do not yet fit grow no further."""
    lengths = {path: len(source.splitlines()) for path, source in (MODULES | TESTS).items()}

    assert {path: lines for path, lines in lengths.items() if lines > LONGER.get(path, MOST_LINES)} == {}


def test_what_fits_by_now_is_no_exception() -> None:
    """The list of longer tests names no others."""
    assert [path for path in LONGER if path not in TESTS or len(TESTS[path].splitlines()) <= MOST_LINES] == []


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
