"""What is asked of a model: messages, tools and options, as data."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, Field, JsonValue
from pydantic.errors import PydanticUserError

from allm_rx.data.messages import Message
from allm_rx.data.model import Data
from allm_rx.data.tools import ProviderTool, Tool

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class JsonSchema(Data):
    """The answer shall be JSON that fits a schema."""

    type: Literal["json_schema"] = "json_schema"
    name: str = "answer"
    json_schema: dict[str, JsonValue]
    """The JSON Schema itself."""
    strict: bool = True
    """Whether the provider shall hold the model to the schema exactly."""
    description: str | None = None


def json_schema(
    schema: dict[str, Any], *, name: str = "answer", strict: bool = True, description: str | None = None
) -> JsonSchema:
    """Ask for an answer that fits a JSON Schema; a pydantic class can be given in its place."""
    return JsonSchema(name=name, json_schema=schema, strict=strict, description=description)


class Reasoning(Data):
    """How much the model shall think before it answers."""

    effort: Effort | None = None
    budget_tokens: int | None = Field(default=None, ge=0)
    """Tokens it may spend on thinking; 0 turns it off."""
    summary: Literal["auto", "concise", "detailed", "none"] | None = None
    """Whether readable reasoning comes back."""


class PromptCache(Data):
    """How the provider's prompt cache shall be used."""

    key: str | None = Field(default=None, min_length=1)
    """Requests with an equal key go to the same cache, where the provider has such keys."""
    retention: Literal["short", "long"] = "short"


class AllowedTools(Data):
    """The model may use only some of the tools."""

    names: tuple[str, ...] = Field(min_length=1)
    mode: Literal["auto", "required"] = "auto"
    """Whether it may, or must, call one of them."""


def _as_format(value: object) -> object:
    if isinstance(value, type) and issubclass(cast("type[object]", value), BaseModel):
        model = cast("type[BaseModel]", value)
        try:
            schema = model.model_json_schema()
        except PydanticUserError as error:
            raise ValueError(f"{model.__name__} has no JSON Schema: {error.message}; use fields that JSON can hold") from None
        name = re.sub(r"[^A-Za-z0-9_-]", "_", model.__name__)[:64]  # what providers accept; `Page[int]` is not
        return {"type": "json_schema", "name": name, "json_schema": schema}
    return cast("object", value)


def _as_reasoning(value: object) -> object:
    return {"effort": value} if isinstance(value, str) else value


def _as_cache(value: object) -> object:
    if value is True:
        return {}
    return None if value is False else value


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


ResponseFormat = JsonSchema | Literal["json_object", "text"]
AnyTool = Annotated[Tool | ProviderTool, Field(discriminator="type")]


class Request(Data):
    """One request to a model. None always means "not given": the engine's value, else the provider's default, holds."""

    messages: tuple[Message, ...]
    tools: tuple[AnyTool, ...] = ()
    model: str | None = None
    tool_choice: AllowedTools | str | None = None
    """`auto`, `none`, `required`, a tool's name, or `AllowedTools`."""
    temperature: float | None = None
    """0 to 2."""
    top_p: float | None = None
    """0 to 1."""
    max_tokens: int | None = None
    """Upper limit of generated tokens, reasoning included."""
    stop: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] | None = None
    """Texts that end the answer."""
    seed: int | None = None
    response_format: Annotated[ResponseFormat | None, BeforeValidator(_as_format)] = None
    """A pydantic class (kept as its JSON Schema), `json_schema(...)`, or `"json_object"`."""
    reasoning: Annotated[Reasoning | None, BeforeValidator(_as_reasoning)] = None
    prompt_cache: Annotated[PromptCache | None, BeforeValidator(_as_cache)] = None
    provider_options: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Fields for the body in the provider's own words; they go in last."""
    metadata: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """The application's own notes; never sent."""

    @property
    def function_tools(self) -> Sequence[Tool]:
        """The tools that the application runs."""
        return tuple(tool for tool in self.tools if isinstance(tool, Tool))
