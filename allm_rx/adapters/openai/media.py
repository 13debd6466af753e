"""Pictures that a model made, as OpenAI's protocols carry them: data URLs and addresses."""

from __future__ import annotations

import base64
import binascii

from allm_rx.data.parts import ImagePart


def image_of(url: str) -> ImagePart | None:
    """Give the picture that a URL holds or leads to; None when its data make no sense."""
    if not url.startswith("data:"):
        return ImagePart(url=url)
    described, _, data = url.removeprefix("data:").partition(",")
    media_type = described.partition(";")[0] or "image/png"
    try:
        return ImagePart(data=base64.b64decode(data), media_type=media_type)
    except binascii.Error:
        return None
