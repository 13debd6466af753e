"""What a user message or a result is made of, as parts of the Responses API.

Rule 1: pure; bytes travel as data URLs.
Rule 2: a part's own further fields (`{"detail": "low"}`, `{"prompt_cache_breakpoint": ...}`) go in last.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from allm_rx.adapters.openai.responses.wire import Wire, own
from allm_rx.data.parts import FilePart, ImagePart, TextPart
from allm_rx.wire.merging import merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from allm_rx.data.parts import Part


def encode_content(parts: Sequence[Part]) -> str | list[Wire]:
    """Give content: a text alone as it is, anything else as a list of parts."""
    match parts:
        case [TextPart() as only] if not _further(only):
            return only.text
        case _:
            return [encode_part(part) for part in parts]


def encode_part(part: Part) -> Wire:
    """Give one part."""
    return merged(_plain(part), _further(part))


def as_base64(data: bytes) -> str:
    """Give bytes as text."""
    return base64.b64encode(data).decode()


def _further(part: Part) -> Wire:
    kept = own(part)
    # What the model made, and the user quotes, keeps fields of the item it came from.
    return {} if kept.keys() & {"message", "refusal", "type"} else dict(kept)


def _plain(part: Part) -> Wire:
    match part:
        case TextPart(text=text):
            return {"type": "input_text", "text": text}
        case ImagePart(file_id=str(file_id)):
            return {"type": "input_image", "detail": "auto", "file_id": file_id}
        case ImagePart():
            return {"type": "input_image", "detail": "auto", "image_url": part.url or _data_url(part)}
        case FilePart(file_id=str(file_id)):
            return {"type": "input_file", "file_id": file_id}
        case FilePart(url=str(url)) if not url.startswith("data:"):
            return {"type": "input_file", "file_url": url}
        case FilePart():
            name = part.filename or ("document.pdf" if part.media_type == "application/pdf" else "document")
            return {"type": "input_file", "filename": name, "file_data": part.url or _data_url(part)}
        case _:  # a part of this protocol: its own words are all of it
            return dict(own(part))


def _data_url(part: ImagePart | FilePart) -> str:
    return f"data:{part.media_type};base64,{as_base64(part.data or b'')}"
