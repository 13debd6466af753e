"""Pictures and documents as the API takes them.

Rule 1: what it does not take is said by `refused`, which `check` asks before anything is sent.
Rule 2: a document that is text is sent as text, whatever its type is called.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from allm_rx.data.parts import AudioPart, FilePart, ImagePart

if TYPE_CHECKING:
    from allm_rx.adapters.anthropic.messages.wire import Wire

_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF = "application/pdf"
_TEXTS = frozenset({"application/json", "application/xml", "application/yaml", "application/x-yaml", "application/toml"})

Media = ImagePart | FilePart | AudioPart


def media_block(part: Media) -> Wire | None:
    """Give the block for a picture or document; None for what the API does not take."""
    if isinstance(part, AudioPart):
        return None
    media_type, data = _content(part)
    if isinstance(part, ImagePart):
        return {"type": "image", "source": _source(part, media_type, data)}
    if part.file_id is None and data is not None and media_type != _PDF:
        source: Wire = {"type": "text", "media_type": "text/plain", "data": _decoded(data) or ""}
    else:
        source = _source(part, _PDF, data)
    return {"type": "document", "source": source, **({"title": part.filename} if part.filename else {})}


def refused(part: Media) -> tuple[str, str] | None:
    """Give a code and what is wrong with a picture, document or sound; None when it can be sent."""
    if isinstance(part, AudioPart):
        return "audio", "takes no sound: give its transcript as text"
    if part.file_id is not None:
        return None
    media_type, data = _content(part)
    if isinstance(part, ImagePart):
        if data is not None and media_type not in _PICTURES:
            return "media_type", f"takes JPEG, PNG, GIF and WebP, not {media_type!r}: convert the picture"
    elif media_type is not None and media_type in _PICTURES:
        return "media_type", f"takes {media_type!r} as a picture, not as a document: use `ImagePart`"
    elif data is None:
        if media_type not in (None, _PDF):
            return "url", f"fetches PDF documents only, not {media_type!r}: give its bytes, as `from_path` does"
    elif media_type != _PDF and not (_is_text(media_type) and _decoded(data) is not None):
        return "media_type", f"takes PDF and text, not {media_type!r}: convert the document, or give its text"
    return None


def _content(part: ImagePart | FilePart) -> tuple[str | None, bytes | None]:
    """Give media type and bytes; a `data:` URL is spelled-out bytes."""
    media_type, data = part.media_type, part.data
    if data is None and part.url is not None and part.url.startswith("data:"):
        described, _, text = part.url.removeprefix("data:").partition(",")
        kind, _, encoding = described.partition(";")
        media_type = kind or media_type or "text/plain"
        data = _unpacked(text, packed=encoding.endswith("base64"))
    if media_type is not None:
        media_type = media_type.partition(";")[0].strip().lower()
    return ("image/jpeg" if media_type == "image/jpg" else media_type), data


def _unpacked(text: str, *, packed: bool) -> bytes:
    try:
        return base64.b64decode(unquote_to_bytes(text)) if packed else unquote_to_bytes(text)
    except binascii.Error:
        return b""


def _source(part: ImagePart | FilePart, media_type: str | None, data: bytes | None) -> Wire:
    if part.file_id is not None:
        return {"type": "file", "file_id": part.file_id}
    if data is None:
        return {"type": "url", "url": part.url}
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}


def _is_text(media_type: str | None) -> bool:
    return media_type is not None and (media_type.startswith("text/") or media_type in _TEXTS)


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
