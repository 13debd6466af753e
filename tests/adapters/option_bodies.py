"""What a model option adds to the body of a request, or that it is refused."""

from typing import Any

import pytest
from pydantic import BaseModel

from allm_rx.data.messages import user
from allm_rx.data.requests import Request
from allm_rx.data.tools import Tool
from allm_rx.errors import ValidationError
from tests.adapters.providers import BY_NAME


class Point(BaseModel):
    """A place on the water."""

    x: int


HI = (user("Hi"),)
TOOLS = (Tool(name="look", description="Look."), Tool(name="row", description="Row."))
SCHEMA = Point.model_json_schema()
CLOSED = {**SCHEMA, "additionalProperties": False}
ANSWERING = {
    "name": "answer_as_json",
    "description": "Give your final answer by calling this tool, once.",
    "parameters": CLOSED,
}

Body = dict[str, Any]
UNASKED: Body = {}
"""The provider does so anyway, so that nothing has to be said."""

Outcome = Body | str
"""What the option adds to the body, field by field; or the path at which it is refused."""


def added(provider: str, fields: dict[str, Any], **adapter: Any) -> Body:
    """Give the fields of the body that an option changes; the tools are there without it."""
    asked = BY_NAME[provider]
    plain = asked.sent(Request(messages=HI, tools=fields.get("tools", ())), **adapter)
    body = asked.sent(Request(messages=HI, **fields), **adapter)
    if not adapter:  # others have words of their own
        asked.accepted(body)
    assert plain.keys() - body.keys() == set()
    return {name: value for name, value in body.items() if plain.get(name) != value}


def hold(provider: str, fields: dict[str, Any], outcome: Outcome, **adapter: Any) -> None:
    """Hold an option at a provider against what is to come of it."""
    if not isinstance(outcome, str):
        assert added(provider, fields, **adapter) == outcome
        return
    with pytest.raises(ValidationError) as raised:
        BY_NAME[provider].sent(Request(messages=HI, **fields), **adapter)
    (issue,) = raised.value.errors
    assert (raised.value.reason, raised.value.provider) == ("unsupported_capability", "openai" if adapter else _named(provider))
    assert ".".join(map(str, issue.path)) == outcome
    assert _named(provider) in issue.message


def _named(provider: str) -> str:
    return "openai" if provider == "openai-chat" else provider
