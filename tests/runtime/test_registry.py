"""From `"vendor:model"` to an adapter."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allm_rx.adapters.fake import Fake
from allm_rx.errors import EngineError
from allm_rx.runtime.endpoints import ENDPOINTS
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.registry import adapter_for, vendors


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package of somebody else that registers an adapter."""
    (tmp_path / "acme_models.py").write_text(
        "from allm_rx.adapters.fake import Fake\n\ndef make():\n    return Fake(script=['from acme'])\n"
    )
    info = tmp_path / "acme_models-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-models\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[allm_rx.adapters]\nacme = acme_models:make\nbroken = acme_missing:make\nollama = acme_models:make\n"
    )
    path: Any = monkeypatch
    path.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("acme_models", None)


@pytest.mark.parametrize("name", [name for name in vendors() if name in ENDPOINTS])
def test_a_compatible_service_is_found(name: str) -> None:
    """Each row of the table gives an adapter that knows its provider and address."""
    adapter, model = adapter_for(f"{name}:some-model")

    assert (adapter.provider, model) == (ENDPOINTS[name].provider, "some-model")


@pytest.mark.parametrize("name", ["openai-chat", "openai", "anthropic", "gemini"])
def test_our_own_adapters_are_found(name: str) -> None:
    """The vendors of the first rank have a name each."""
    adapter, model = adapter_for(f"{name}:some-model")

    assert (adapter.provider, model) == (name.removesuffix("-chat"), "some-model")


def test_only_the_first_colon_divides() -> None:
    """Names of local models have colons of their own."""
    assert adapter_for("ollama:qwen3:8b")[1] == "qwen3:8b"


@pytest.mark.usefixtures("installed")
def test_an_installed_package_can_register_an_adapter() -> None:
    """Its entry point makes the adapter, and is listed like ours."""
    engine = Engine.from_model("acme:rocket-1")

    assert isinstance(engine.adapter, Fake)
    assert engine.model == "rocket-1"
    assert "acme" in vendors()


@pytest.mark.usefixtures("installed")
def test_an_installed_package_cannot_take_a_name_of_ours() -> None:
    """What `ollama:` means does not depend on what else is installed."""
    assert adapter_for("ollama:m")[0].provider == "ollama"


@pytest.mark.usefixtures("installed")
def test_a_package_that_cannot_be_loaded_says_so() -> None:
    """Its own exception tells why; it does not look like an unknown vendor."""
    with pytest.raises(ModuleNotFoundError, match="acme_missing"):
        adapter_for("broken:m")


@pytest.mark.usefixtures("installed")
def test_a_typo_of_an_installed_name_is_recognised() -> None:
    """The nearest name is looked for among theirs too."""
    with pytest.raises(EngineError, match="did you mean 'acme:'"):
        adapter_for("acne:rocket-1")


@pytest.mark.parametrize(
    ("reference", "reason", "advice"),
    [
        ("gpt-4o", "unknown_model_prefix", "prefix it ('openai:gpt-4o') or pass `adapter=` to `Engine`"),
        ("", "unknown_model_prefix", "has no vendor"),
        ("opneai:gpt-4o", "unknown_model_prefix", "did you mean 'openai:'?"),
        ("zzz:m", "unknown_model_prefix", "known are anthropic, "),
        ("openai-chat:", "missing_model", "write it behind the colon"),
    ],
)
def test_what_is_no_reference_is_told_with_what_to_do(reference: str, reason: str, advice: str) -> None:
    """The message quotes the reference and helps with the nearest vendor."""
    with pytest.raises(EngineError) as caught:
        adapter_for(reference)

    assert caught.value.reason == reason
    assert repr(reference) in str(caught.value)
    assert advice in str(caught.value)


def test_names_are_sorted_and_unique() -> None:
    """The list can be shown as it is."""
    assert list(vendors()) == sorted(set(vendors()))
