"""What a message is made of, in the order the model produced it.

Rule 1: every part has `provider_data`, keyed by dialect; an encoder reads its own key and drops the others.
Rule 2: media are bytes, a URL or a provider's file id; never a path.
Rule 3: a part with `provider_data` is never merged with a neighbour: a signature belongs to exactly its part.
"""

import mimetypes
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, BeforeValidator, Field, JsonValue, model_validator

from allm_rx.data.model import Data, Text

Dialect = Literal["anthropic.messages", "openai.responses", "openai.chat", "gemini"]
"""The protocols that keep data of their own in `provider_data`."""


class _Part(Data):
    invalid = "invalid_message"

    provider_data: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Signatures, encrypted content and item ids that the provider wants back, keyed by dialect."""


class TextPart(_Part):
    """Text that was written or answered."""

    type: Literal["text"] = "text"
    text: Text


class ReasoningPart(_Part):
    """What the model thought, as far as the provider shows it; `text` may be empty where only a signature came."""

    type: Literal["reasoning"] = "reasoning"
    text: Text = ""


class ToolCall(_Part):
    """A tool the model wants run."""

    type: Literal["tool_call"] = "tool_call"
    id: str
    """Unique within its message; a tool result answers it by this id."""
    name: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """The parsed arguments; empty when `error` is set."""
    raw_arguments: Text | None = None
    """The arguments as the model wrote them, when that differs from plain JSON of `arguments` or could not be parsed."""
    error: Text | None = None
    """What is wrong with the arguments; such a call is not run, and the model is told."""
    provider_executed: bool = False
    """Whether the provider runs the tool itself."""


class _Media(_Part):
    data: bytes | None = Field(default=None, repr=False)
    """The content; base64 in JSON."""
    url: str | None = None
    """An `https:` address that the provider fetches."""
    file_id: str | None = None
    """The provider's id of an uploaded file."""
    media_type: str | None = None
    """Such as `image/png`."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("data", "url", "file_id") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of `data`, `url` and `file_id`, not {' and '.join(given) or 'none'}")
        if self.data is not None and self.media_type is None:
            raise ValueError("`data` needs its `media_type`, such as 'image/png'")
        return self

    @classmethod
    def from_path(cls, path: str | Path, *, media_type: str | None = None) -> Self:
        """Read a file at once; the part keeps its bytes, not its path.

        Raises:
            OSError: the file cannot be read.
            ValidationError: the media type is not given and not known from the file's name.
        """
        path = Path(path)
        return cls(data=path.read_bytes(), media_type=media_type or mimetypes.guess_type(path.name)[0], **cls._named(path))

    @classmethod
    def _named(cls, path: Path) -> dict[str, Any]:
        del path
        return {}


class ImagePart(_Media):
    """A picture, given to the model or made by it."""

    type: Literal["image"] = "image"


class FilePart(_Media):
    """A document, such as a PDF."""

    type: Literal["file"] = "file"
    filename: str | None = None

    @classmethod
    def _named(cls, path: Path) -> dict[str, Any]:
        return {"filename": path.name}


class AudioPart(_Media):
    """Sound, given to the model or made by it."""

    type: Literal["audio"] = "audio"
    transcript: Text | None = None
    """What is said in it, when the provider told."""


class SourcePart(_Part):
    """Where the model has something from: a citation of a page or a document."""

    type: Literal["source"] = "source"
    url: str | None = None
    title: Text | None = None
    document_id: str | None = None
    """File id or position of the cited document."""
    start: int | None = None
    """First character of the cited span in the answer's text block, when the provider tells."""
    end: int | None = None
    """One past the last character of that span."""
    quote: Text | None = None
    """The cited words."""
    block_id: str | None = None
    """The content block that the citation belongs to."""


class ProviderPart(_Part):
    """An item that is not modelled here, kept whole in `provider_data` and in its place."""

    type: Literal["provider"] = "provider"
    kind: str
    """The provider's own type of the item."""


ProducedPart = Annotated[ImagePart | AudioPart, Field(discriminator="type")]
"""Media that a model makes."""

ResultContent = Annotated[TextPart | ImagePart | FilePart | AudioPart, Field(discriminator="type")]
"""What a tool may give back."""


def as_parts(value: object) -> object:
    """Give content as parts: a `str`, alone or among parts, is short for a `TextPart`.

    Raises:
        ValueError: it is one part, not several.
    """
    if isinstance(value, str):
        return ({"type": "text", "text": value},)
    if isinstance(value, BaseModel):  # it iterates over its fields, which makes the strangest errors
        raise ValueError(f"`{type(value).__name__}` is one part: put it into a list")
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, Mapping)):
        items = cast("Iterable[object]", value)
        return tuple({"type": "text", "text": item} if isinstance(item, str) else item for item in items)
    return cast("object", value)


class ToolResultPart(_Part):
    """What a tool gave back, be it ours or one the provider ran."""

    type: Literal["tool_result"] = "tool_result"
    id: str
    """The call it answers."""
    name: str | None = None
    content: Annotated[tuple[ResultContent, ...], BeforeValidator(as_parts)] = ()
    is_error: bool = False
    provider_executed: bool = False

    @property
    def text(self) -> str:
        """The text of the result, its parts joined."""
        return "".join(part.text for part in self.content if isinstance(part, TextPart))


Part = Annotated[
    TextPart | ReasoningPart | ToolCall | ToolResultPart | ImagePart | FilePart | AudioPart | SourcePart | ProviderPart,
    Field(discriminator="type"),
]
"""Any part of a message."""
