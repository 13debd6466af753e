"""The names of the adapters."""

import subprocess
import sys

import pytest

import allm_rx.adapters


def test_names_are_sorted_and_there() -> None:
    """Every adapter the package promises can be imported."""
    assert list(allm_rx.adapters.__all__) == sorted(allm_rx.adapters.__all__)
    assert [name for name in allm_rx.adapters.__all__ if not hasattr(allm_rx.adapters, name)] == []
    assert set(allm_rx.adapters.__all__) <= set(dir(allm_rx.adapters))


def test_unknown_name_is_an_attribute_error() -> None:
    """The error lists what there is."""
    with pytest.raises(AttributeError, match="OpenAIChat"):
        getattr(allm_rx.adapters, "OpenAI" + "Chta")


def test_adapter_is_loaded_when_it_is_asked_for() -> None:
    """Importing the package loads no codec."""
    program = "import sys, allm_rx.adapters; sys.exit('allm_rx.adapters.openai.chat_completions.decode' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
