"""A moment of the guided search, so that it keeps working; `make fuzz` takes its time."""

import importlib
from pathlib import Path

import pytest

from tests.fuzz.guided import AVAILABLE, begin, examples

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="the fuzzer `atheris` is not made for this system")


@pytest.mark.timeout(300)  # the fuzzer rewrites what it imports, which a busy machine takes long for
def test_a_moment_of_search_finds_nothing(tmp_path: Path) -> None:
    """A few hundred inputs near what the tests carry, for all targets together."""
    given = examples(importlib.import_module("tests.fuzz.properties"))

    assert begin("everything", tmp_path, given["everything"], ["-runs=500", "-seed=1", "-verbosity=0"]) == 0
