"""The answer to one request, as data."""

from typing import Literal, Self, TypeVar

import pydantic
from pydantic import Field, JsonValue

from allm_rx.data.failures import Failure
from allm_rx.data.messages import Message
from allm_rx.data.model import Data
from allm_rx.data.parts import SourcePart, ToolCall
from allm_rx.data.translation import shown
from allm_rx.data.usage import Usage
from allm_rx.errors import AdapterError, ValidationError

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "error", "other"]

ModelT = TypeVar("ModelT", bound=pydantic.BaseModel)


def _empty() -> Message:
    return Message(role="assistant")


class Response(Data):
    """What a model answered, also when it answered only in part or failed."""

    id: str | None = None
    """The provider's id of the answer."""
    request_id: str | None = None
    """Ours, the same through all steps of a call."""
    provider_request_id: str | None = None
    """Theirs, to quote in a support request."""
    provider: str | None = None
    model: str | None = None
    """The model that answered, as the provider names it."""
    message: Message = Field(default_factory=_empty)
    """The assistant message; its partial content when the answer broke off."""
    finish_reason: FinishReason | None = None
    """None when the stream was left before its end."""
    raw_finish_reason: str | None = None
    """The provider's own word."""
    usage: Usage = Field(default_factory=Usage)
    error: Failure | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])

    @property
    def output_text(self) -> str:
        """All text of the answer, blocks joined in order."""
        return self.message.text

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls the application has to run."""
        return self.message.tool_calls

    @property
    def reasoning(self) -> str:
        """All readable reasoning, joined in order."""
        return self.message.reasoning

    @property
    def sources(self) -> tuple[SourcePart, ...]:
        """What the answer cites."""
        return tuple(part for part in self.message.content if isinstance(part, SourcePart))

    def raise_for_error(self) -> Self:
        """Give the response itself.

        Raises:
            AllmError: the answer failed; the partial text is on this response.
        """
        if self.error is not None:
            raise self.error.exception()
        return self

    def parsed(self, model: type[ModelT]) -> ModelT:
        """Give the answer as an instance of a pydantic class.

        Raises:
            AllmError: the answer failed.
            AdapterError: `malformed_response`, the text is not JSON that fits the class.
        """
        self.raise_for_error()
        try:
            return model.model_validate_json(self.output_text)
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where, what = ".".join(str(key) for key in first["loc"]), first["msg"]
        except ValidationError as error:  # the class is one of ours
            where, what = ".".join(str(key) for key in error.errors[0].path), error.errors[0].message.rstrip(".")
        cut = " It was cut off: raise `max_tokens`." if self.finish_reason == "length" else ""
        raise AdapterError(
            "malformed_response",
            f"The answer does not fit {model.__name__}: {where or 'the whole'}: {what}."
            f" It begins {shown(self.output_text)}.{cut}",
            provider=self.provider,
            request_id=self.request_id,
            provider_request_id=self.provider_request_id,
        )
