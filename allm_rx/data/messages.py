"""Messages, and the four functions that write them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from allm_rx.data.model import Data
from allm_rx.data.parts import (
    Part,
    ReasoningPart,
    ResultContent,
    TextPart,
    ToolCall,
    ToolResultPart,
    as_parts,
)
from allm_rx.data.translation import shown

Role = Literal["system", "user", "assistant", "tool"]


class Message(Data):
    """One turn of a conversation: who speaks, and the parts in order.

    A tool's answer is a `ToolResultPart`. `Message(role="tool", tool_call_id="c1", content="sunny")` makes one, so a
    tool message looks the same however it was written.
    """

    invalid = "invalid_message"

    role: Role
    content: Annotated[tuple[Part, ...], BeforeValidator(as_parts)] = ()
    """The parts; a `str` becomes one `TextPart`."""
    name: str | None = None
    """Who of several speakers it is; for a tool message the tool's name."""
    tool_call_id: str | None = None
    """The call that a tool message answers; None when it answers several."""
    metadata: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """The application's own notes; never sent."""
    provider_data: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """What the provider wants back with the message, keyed by dialect."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            role: Role,
            content: "str | Iterable[str | Part]" = (),
            name: str | None = None,
            tool_call_id: str | None = None,
            metadata: Mapping[str, JsonValue] = ...,
            provider_data: Mapping[str, JsonValue] = ...,
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _one_form_of_tool_message(cls, value: Any) -> Any:
        if not isinstance(value, dict) or cast("dict[str, Any]", value).get("role") != "tool":
            return cast("Any", value)
        fields = dict(cast("dict[str, Any]", value))
        try:
            content = as_parts(fields.get("content", ()))
        except ValueError:
            return fields  # the field's own validator says so, with its path
        if not isinstance(content, tuple):
            return fields
        parts = cast("tuple[Any, ...]", content)
        call_id, name = fields.get("tool_call_id"), fields.get("name")
        results = [part for part in parts if _field(part, "type") == "tool_result"]
        if not results and isinstance(call_id, str):
            parts = results = ({"type": "tool_result", "id": call_id, "name": name, "content": parts},)
        fields["content"] = parts
        if len(results) == 1:
            fields["tool_call_id"] = _agreed("tool_call_id", call_id, "id", _field(results[0], "id"))
            fields["name"] = _agreed("name", name, "name", _field(results[0], "name"))
            fields["content"] = tuple(_named(part, fields["name"]) if part is results[0] else part for part in parts)
        elif results and (call_id is not None or name is not None):
            raise ValueError(f"{len(results)} results are in `content`: leave `tool_call_id` and `name` to each of them")
        return fields

    @property
    def text(self) -> str:
        """All text of the message, blocks joined in order; for a tool message the text of its results.

        What tools of the provider gave back stands in its answer, but is no text of it.
        """
        parts = (part for part in self.content if isinstance(part, (TextPart, ToolResultPart)))
        return "".join(part.text for part in parts if isinstance(part, TextPart) or not part.provider_executed)

    @property
    def reasoning(self) -> str:
        """All readable reasoning, joined in order."""
        return "".join(part.text for part in self.content if isinstance(part, ReasoningPart))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls the application has to run, in order; those the provider ran itself are not among them."""
        return tuple(part for part in self.content if isinstance(part, ToolCall) and not part.provider_executed)

    @property
    def tool_results(self) -> tuple[ToolResultPart, ...]:
        """The results of the application's tools, in order."""
        return tuple(part for part in self.content if isinstance(part, ToolResultPart) and not part.provider_executed)


def _field(part: Any, name: str) -> Any:
    return cast("dict[str, Any]", part).get(name) if isinstance(part, dict) else getattr(part, name, None)


def _agreed(field: str, outside: Any, key: str, inside: Any) -> Any:
    """Give what the message and its one result both say; what one of them leaves out, the other tells."""
    if outside is None or inside is None or outside == inside:
        return inside if outside is None else outside
    raise ValueError(f"`{field}` is {shown(outside)}, but the result in `content` has the {key} {shown(inside)}: leave one out")


def _named(part: Any, name: Any) -> Any:
    """Give the result with the tool's name, where it has none."""
    if not isinstance(name, str) or _field(part, "name") is not None:
        return part
    if isinstance(part, dict):
        return {**cast("dict[str, Any]", part), "name": name}
    return cast("ToolResultPart", part).replace(name=name)


def system(content: str | Iterable[str | Part]) -> Message:
    """Write a system message: how the model shall behave."""
    return Message(role="system", content=content)


def user(content: str | Iterable[str | Part], *, name: str | None = None) -> Message:
    """Write a user message: text, or text and media parts in order."""
    return Message(role="user", content=content, name=name)


def assistant(content: str | Iterable[str | Part] = "") -> Message:
    """Write an assistant message, such as an example of a good answer."""
    return Message(role="assistant", content=content if content else ())


def tool_result(
    tool_call_id: str,
    content: str | Iterable[ResultContent],
    *,
    name: str | None = None,
    is_error: bool = False,
) -> Message:
    """Answer a tool call of the model.

    Args:
        tool_call_id: `ToolCall.id` of the call.
        content: what the model shall read; text, or parts where the provider takes them.
        name: the tool's name.
        is_error: whether the tool failed; some providers tell the model so.
    """
    parts = (TextPart(text=content),) if isinstance(content, str) else tuple(content)
    part = ToolResultPart(id=tool_call_id, name=name, content=parts, is_error=is_error)
    return Message(role="tool", tool_call_id=tool_call_id, name=name, content=(part,))
