"""The names of `allm_rx`: complete, lazy, and the same for readers, type checkers and the interpreter."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import allm_rx
from allm_rx.data import events
from allm_rx.runtime.engine import Engine


def test_the_three_lists_agree() -> None:
    """A name is in `__all__`, in the imports for type checkers, and in the table of homes, or in none of them."""
    tree = ast.parse(Path(allm_rx.__file__).read_text("utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {name.name for node in checked.body if isinstance(node, ast.ImportFrom) for name in node.names}
    table = next(node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES")

    assert imported == set(allm_rx.__all__) == set(ast.literal_eval(table))


def test_type_checkers_see_what_the_interpreter_gives() -> None:
    """Each import for type checkers names the very object that the package gives."""
    tree = ast.parse(Path(allm_rx.__file__).read_text("utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    seen: dict[str, object] = {}
    exec(compile(ast.Module(checked.body, []), allm_rx.__file__, "exec"), seen)

    assert {name for name in allm_rx.__all__ if seen[name] is not getattr(allm_rx, name)} == set()


def test_names_are_the_real_things() -> None:
    """A name of the package is the object of its module, so `isinstance` works whichever way it was imported."""
    assert allm_rx.Engine is Engine
    assert allm_rx.events is events


def test_dir_names_everything() -> None:
    """Completion in a shell shows names that were not used yet."""
    assert set(allm_rx.__all__) <= set(dir(allm_rx))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """A typo is told as usual, and says where to look."""
    typo = "Enginee"

    with pytest.raises(AttributeError, match=r"see `allm_rx\.__all__`"):
        getattr(allm_rx, typo)


@pytest.mark.parametrize("module", ["aiohttp", "asyncio", "pydantic", "reactivex"])
def test_importing_the_package_imports_nothing_heavy(module: str) -> None:
    """`import allm_rx` is free until a name is used."""
    program = f"import sys, allm_rx; sys.exit({module!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_using_every_name_opens_no_door() -> None:
    """The HTTP client is loaded by the first request, not by a name."""
    program = "import sys; from allm_rx import *; sys.exit('aiohttp' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
