"""What models are known not to do. Only certain negatives: an unknown model may do everything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from allm_rx.data.parts import ImagePart
from allm_rx.data.requests import JsonSchema
from allm_rx.errors import Issue, ValidationError

if TYPE_CHECKING:
    from allm_rx.data.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a model can do; False is certain, None is not known."""

    tools: bool | None = None
    structured_output: bool | None = None
    images: bool | None = None


UNKNOWN = Capabilities()

_NEGATIVES: tuple[tuple[re.Pattern[str], Capabilities], ...] = (
    (re.compile(r"o1-(mini|preview)(-.*)?"), Capabilities(tools=False, structured_output=False, images=False)),
    (re.compile(r"gpt-3\.5-turbo(-.*)?"), Capabilities(structured_output=False, images=False)),
    (re.compile(r"(text-embedding|whisper|tts|dall-e|gpt-image|omni-moderation)-.*"), Capabilities(tools=False)),
)
"""From the vendors' model pages; the part of a name behind a slash counts (`openai/o1-mini`)."""


@lru_cache(maxsize=100)  # it is asked at each call
def capabilities_of(model: str) -> Capabilities:
    """Give what is known of a model by its name."""
    name = model.rpartition("/")[2]
    return next((known for pattern, known in _NEGATIVES if pattern.fullmatch(name)), UNKNOWN)


def check_capabilities(request: Request, model: str, known: Capabilities) -> None:
    """Accept a request that the model may be able to answer.

    Raises:
        ValidationError: `unsupported_capability`, with all issues and their paths.
    """
    issues: list[Issue] = []
    if known.tools is False and request.tools:
        issues.append(_issue(("tools",), model, "tools", "leave `tools` out or choose another model"))
    if known.structured_output is False and isinstance(request.response_format, JsonSchema):
        issues.append(_issue(("response_format",), model, "a JSON Schema for its answer", "choose another model"))
    if known.images is False:
        for index, message in enumerate(request.messages):
            for position, part in enumerate(message.content):
                if isinstance(part, ImagePart):
                    path = ("messages", index, "content", position)
                    issues.append(_issue(path, model, "images", "leave the image out or choose another model"))
    if issues:
        raise ValidationError.of("unsupported_capability", *issues)


def _issue(path: tuple[str | int, ...], model: str, what: str, advice: str) -> Issue:
    known = "(pass `capabilities=Capabilities(...)` to the engine if that is wrong)"
    return Issue(path, "unsupported", f"model {model!r} does not take {what}: {advice} {known}")
