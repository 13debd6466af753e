"""Tools as data."""

from typing import Any

import pytest

from allm_rx.data.tools import ProviderTool, Tool, provider_tool
from allm_rx.errors import ValidationError


def test_a_tool_without_parameters_takes_an_empty_object() -> None:
    """A schema that every provider accepts is the default."""
    assert Tool(name="now").parameters == {"type": "object", "properties": {}}


def test_a_tool_says_nothing_of_what_it_is_not_told() -> None:
    """Strictness, time-out and summary are left to others unless given."""
    tool = Tool(name="now")

    assert (tool.strict, tool.timeout, tool.summary, tool.manual) == (None, None, None, False)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_time_limit_is_a_positive_time(timeout: float) -> None:
    """A tool that may take no time at all would never succeed."""
    with pytest.raises(ValidationError) as caught:
        Tool(name="now", timeout=timeout)

    assert caught.value.reason == "invalid_tool"
    assert caught.value.errors[0].path == ("timeout",)


def test_a_tool_of_the_provider_is_kept_as_it_is() -> None:
    """Its description is the provider's own, sent unchanged."""
    spec = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}

    tool = provider_tool("anthropic.messages", spec)

    assert tool == ProviderTool(dialect="anthropic.messages", spec=spec)
    assert ProviderTool.model_validate_json(tool.model_dump_json()).spec == spec


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({"type": "web_search_20250305", "name": "web_search"}, "web_search"),
        ({"type": "file_search", "vector_store_ids": []}, "file_search"),
        ({"googleSearch": {}}, "googleSearch"),
        ({}, ""),
    ],
)
def test_a_tool_of_the_provider_has_a_name(spec: dict[str, Any], name: str) -> None:
    """Providers name their tools in three ways."""
    assert provider_tool("gemini", spec).name == name


def test_a_dialect_that_nobody_speaks_is_refused() -> None:
    """A typo would send the tool nowhere."""
    wrong: Any = "anthropic"

    with pytest.raises(ValidationError, match=r"dialect: Input should be 'anthropic\.messages', 'openai\.responses'"):
        provider_tool(wrong, {})
