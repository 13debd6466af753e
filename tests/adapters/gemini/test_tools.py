"""Tools, and the choice among them, on the wire."""

from typing import Any

import pytest

from allm_rx.adapters.gemini.generate_content.encode import encode_body
from allm_rx.adapters.gemini.generate_content.options import Service
from allm_rx.data.messages import user
from allm_rx.data.requests import AllowedTools, Request
from allm_rx.data.tools import ProviderTool, Tool, provider_tool
from tests.adapters.gemini.accepted import accepted

LOOK = Tool(name="look", description="Look somewhere.", parameters={"type": "object", "properties": {"at": {"type": "string"}}})
ROW = Tool(name="row")
SEARCH = provider_tool("gemini", {"googleSearch": {}})
THIRD = "gemini-3-pro-preview"
VERTEX = Service(parent="projects/p/locations/global/")


def body(*tools: Tool | ProviderTool, model: str = "gemini-2.5-flash", service: Service | None = None, **fields: Any) -> Any:
    """Give a body, which Google's own package takes too."""
    given = encode_body(Request(messages=(user("Hi"),), model=model, tools=tools, **fields), service or Service())
    accepted(given)
    return given


def test_functions_are_one_group() -> None:
    """Schemas go where JSON Schema is read; a tool without arguments has none."""
    assert body(LOOK, ROW)["tools"] == [
        {
            "functionDeclarations": [
                {"name": "look", "description": "Look somewhere.", "parametersJsonSchema": LOOK.parameters},
                {"name": "row"},
            ]
        }
    ]


def test_hosted_tool_is_a_group_of_its_own() -> None:
    """It is sent as it was given, behind the functions."""
    assert body(SEARCH, ROW)["tools"] == [{"functionDeclarations": [{"name": "row"}]}, {"googleSearch": {}}]


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ("look", {"mode": "ANY", "allowedFunctionNames": ["look"]}),
        (AllowedTools(names=("look",)), {"mode": "VALIDATED", "allowedFunctionNames": ["look"]}),
        (AllowedTools(names=("look",), mode="required"), {"mode": "ANY", "allowedFunctionNames": ["look"]}),
    ],
)
def test_every_choice_has_a_mode(choice: Any, calling: dict[str, Any]) -> None:
    """Names are allowed only in modes that take them."""
    assert body(LOOK, ROW, tool_choice=choice)["toolConfig"] == {"functionCallingConfig": calling}


def test_no_choice_says_nothing() -> None:
    """The provider's own way holds."""
    assert "toolConfig" not in body(LOOK)


@pytest.mark.parametrize("choice", [None, "auto"])
def test_strict_tool_asks_for_validation(choice: str | None) -> None:
    """The mode that holds calls to their schemas is asked for, and leaves the model free."""
    config = body(LOOK.replace(strict=True), tool_choice=choice)["toolConfig"]

    assert config == {"functionCallingConfig": {"mode": "VALIDATED"}}


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_modes_are_for_functions_only(choice: str) -> None:
    """Where there are none, a mode would be refused."""
    assert "toolConfig" not in body(SEARCH, tool_choice=choice)


def test_choice_of_none_takes_hosted_tools_away() -> None:
    """A mode does not stop them, so they are not offered."""
    assert "tools" not in body(SEARCH, tool_choice="none")
    assert body(SEARCH, ROW, tool_choice="none")["tools"] == [{"functionDeclarations": [{"name": "row"}]}]


def test_allowed_tools_shut_out_hosted_ones() -> None:
    """Only the hosted tools that are named are offered; without a named function none may be called."""
    fetch = provider_tool("gemini", {"urlContext": {}})

    given = body(ROW, SEARCH, fetch, tool_choice=AllowedTools(names=("urlContext",)))

    assert given["tools"] == [{"functionDeclarations": [{"name": "row"}]}, {"urlContext": {}}]
    assert given["toolConfig"] == {"functionCallingConfig": {"mode": "NONE"}}


@pytest.mark.parametrize(
    ("model", "service", "tools", "asked"),
    [
        (THIRD, Service(), (ROW, SEARCH), True),
        (THIRD, Service(), (SEARCH,), False),
        (THIRD, Service(), (ROW,), False),
        (THIRD, VERTEX, (ROW, SEARCH), False),
        ("gemini-2.5-flash", Service(), (ROW, SEARCH), False),
    ],
)
def test_mixed_tools_are_announced(model: str, service: Service, tools: tuple[Any, ...], asked: bool) -> None:
    """The third generation wants to be told when both kinds of tools are offered; nobody else may be."""
    config = body(*tools, model=model, service=service).get("toolConfig", {})

    assert config.get("includeServerSideToolInvocations", False) is asked
