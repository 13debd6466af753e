"""The names of `allm_rx.operators`: sorted, complete, and the same for type checkers and the interpreter."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from allm_rx import operators as lx

HOME = Path(lx.__file__).parent


def imported(path: Path) -> dict[str, str]:
    """The names that a module or stub imports from the package, each with its home."""
    tree = ast.parse(path.read_text("utf-8"))
    return {
        name.name: node.module or ""
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("allm_rx")
        for name in node.names
    }


def test_names_are_sorted() -> None:
    """The list reads like an index."""
    assert list(lx.__all__) == sorted(set(lx.__all__))


def test_an_operator_lives_in_the_file_of_its_name() -> None:
    """Whoever looks for one need not search."""
    homes = imported(HOME / "__init__.py")

    assert {name: home for name, home in homes.items() if home != f"allm_rx.operators.{name}"} == {}


def test_type_checkers_see_what_the_interpreter_gives() -> None:
    """The stub names every operator, and none else, as the very object that the package gives."""
    homes = imported(HOME / "__init__.pyi")

    assert sorted(homes) == list(lx.__all__)
    assert [name for name, home in homes.items() if getattr(importlib.import_module(home), name) is not getattr(lx, name)] == []


def test_operators_are_functions_although_their_files_have_their_names() -> None:
    """Importing a file of the package does not hide its operator."""
    importlib.import_module("allm_rx.operators.text")

    assert [name for name in lx.__all__ if not callable(getattr(lx, name))] == []


def test_what_makes_requests_is_loaded_when_it_is_used() -> None:
    """The operators alone know nothing of engines."""
    program = "import sys, allm_rx.operators as lx; assert 'allm_rx.execution' not in sys.modules; print(lx.generate.__module__)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "allm_rx.execution.as_operators"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """A typo is told as usual, and says where to look."""
    typo = "genrate"

    with pytest.raises(AttributeError, match=r"see `allm_rx\.operators\.__all__`"):
        getattr(lx, typo)


def test_dir_names_everything() -> None:
    """Completion in a shell shows names that were not used yet."""
    assert set(lx.__all__) <= set(dir(lx))


def test_every_operator_says_what_it_does() -> None:
    """A sentence, a diagram, and what it emits."""
    said = {name: getattr(lx, name).__doc__ or "" for name in lx.__all__}

    assert [name for name, doc in said.items() if not doc.partition("\n")[0].endswith(".")] == []
    assert [name for name, doc in said.items() if name not in {"from_aiter", "run", "to_aiter"} and "Emits:" not in doc] == []
