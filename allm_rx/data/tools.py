"""Tools as the model sees them. What runs them is the runtime's business, not data."""

from typing import Any, Literal

from pydantic import Field, JsonValue

from allm_rx.data.model import Data
from allm_rx.data.parts import Dialect


def _no_arguments() -> dict[str, JsonValue]:
    return {"type": "object", "properties": {}}


class Tool(Data):
    """A tool that the application runs."""

    invalid = "invalid_tool"

    type: Literal["function"] = "function"
    name: str
    """1 to 64 letters, digits, `_` or `-`; not `auto`, `none` or `required`."""
    description: str = ""
    """What it does and when to use it, for the model."""
    parameters: dict[str, JsonValue] = Field(default_factory=_no_arguments)
    """JSON Schema of the arguments, an object."""
    summary: str | None = None
    """A shorter description, for lists."""
    strict: bool | None = None
    """Whether the provider shall hold the model to the schema exactly; None leaves it to the provider."""
    manual: bool = False
    """Whether calls are handed to the application in place of running a handler."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds the handler may take; None takes the call's `tool_timeout`."""
    metadata: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


class ProviderTool(Data):
    """A tool that the provider runs, such as its web search."""

    invalid = "invalid_tool"

    type: Literal["provider"] = "provider"
    dialect: Dialect
    """The protocol it belongs to; other adapters refuse it at pre-flight."""
    spec: dict[str, JsonValue]
    """The provider's own description of the tool, sent as it is."""

    @property
    def name(self) -> str:
        """What the tool is called in messages of ours."""
        given = self.spec.get("name") or self.spec.get("type") or next(iter(self.spec), "")
        return str(given)


def provider_tool(dialect: Dialect, spec: dict[str, Any]) -> ProviderTool:
    """Name a tool that the provider runs itself.

    Args:
        dialect: the protocol, such as `"anthropic.messages"`.
        spec: the entry for the request's list of tools, in that protocol's own words.
    """
    return ProviderTool(dialect=dialect, spec=spec)
