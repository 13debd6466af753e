"""The compatible services, as data."""

from urllib.parse import urlsplit

import pytest

from allm_rx.adapters.openai.chat_completions.options import quirks_of
from allm_rx.runtime.endpoints import ENDPOINTS


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
def test_endpoint_makes_an_adapter(name: str) -> None:
    """Each row gives an adapter with its address, its name, its keys and its quirks."""
    endpoint = ENDPOINTS[name]

    adapter = endpoint.adapter()

    assert (adapter.base_url, adapter.provider) == (endpoint.base_url, endpoint.provider)
    assert (adapter.key_variables, adapter.quirks) == (endpoint.key_variables, endpoint.quirks)


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
def test_endpoint_is_safe_to_send_a_key_to(name: str) -> None:
    """A service is reached by TLS and wants a key; a server on this machine may do without both."""
    endpoint = ENDPOINTS[name]
    local = urlsplit(endpoint.base_url).hostname == "localhost"

    assert endpoint.quirks.auth_optional == local
    assert local or endpoint.base_url.startswith("https://")
    assert endpoint.key_variables
    assert not endpoint.base_url.endswith("/")


@pytest.mark.parametrize("name", sorted(set(ENDPOINTS) - {"llama-cpp", "lm-studio", "vllm"}))
def test_pasted_address_and_name_agree(name: str) -> None:
    """Whoever pastes the address of a service gets the same quirks; only local servers cannot be told apart."""
    assert quirks_of(ENDPOINTS[name].base_url) == ENDPOINTS[name].quirks
