"""Sound that a model made: base64 in pieces, each of its own."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from allm_rx.adapters.openai.chat_completions.messages import DIALECT
from allm_rx.data.parts import AudioPart
from allm_rx.wire.text import repair

# The answer does not name the format that the request asked for, but the bytes do; without a sign it is raw PCM, the only
# format that OpenAI streams.
_SIGNS = ((b"RIFF", "audio/wav"), (b"ID3", "audio/mpeg"), (b"OggS", "audio/ogg"), (b"fLaC", "audio/flac"))
_MP3_FRAMES = (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")  # without tags; PCM can look alike, so only whole sound is asked


class Speech:
    """The sound of one answer while it arrives."""

    def __init__(self) -> None:
        """Begin in silence."""
        self._id: str | None = None
        self._data: list[bytes] = []
        self._transcript: list[str] = []

    def feed(self, delta: dict[str, Any]) -> None:
        """Take the `audio` of one chunk; each piece of data is base64 of its own."""
        if isinstance(given := delta.get("id"), str):
            self._id = repair(given)
        if isinstance(data := delta.get("data"), str):
            try:
                self._data.append(base64.b64decode(data))
            except binascii.Error:
                return
        if isinstance(words := delta.get("transcript"), str):
            self._transcript.append(words)

    def part(self) -> AudioPart | None:
        """Give the sound, if there was any."""
        data = b"".join(self._data)
        if not data:
            return None
        kind = next((media_type for sign, media_type in _SIGNS if data.startswith(sign)), None)
        if kind is None:
            kind = "audio/mpeg" if len(self._data) == 1 and data.startswith(_MP3_FRAMES) else "audio/pcm"
        return AudioPart(
            data=data,
            media_type=kind,
            transcript=self.transcript or None,
            provider_data={DIALECT: {"audio": {"id": self._id}}} if self._id else {},
        )

    @property
    def transcript(self) -> str:
        """What is said in it."""
        return repair("".join(self._transcript))
