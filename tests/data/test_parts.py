"""Parts of messages: what they hold, what they refuse, and how they are read from files."""

from pathlib import Path
from typing import Any

import pytest

from allm_rx.data.parts import (
    AudioPart,
    FilePart,
    ImagePart,
    TextPart,
    ToolCall,
    ToolResultPart,
)
from allm_rx.errors import ValidationError

PNG = b"\x89PNG\r\n\x1a\n"


def test_an_image_from_a_path_is_its_bytes(tmp_path: Path) -> None:
    """The file is read at once, so the part outlives it."""
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)

    part = ImagePart.from_path(path)
    path.unlink()

    assert part == ImagePart(data=PNG, media_type="image/png")


def test_a_file_from_a_path_keeps_its_name_only(tmp_path: Path) -> None:
    """A path says more about a computer than a provider needs to know."""
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-")

    part = FilePart.from_path(str(path))

    assert part == FilePart(data=b"%PDF-", media_type="application/pdf", filename="report.pdf")


def test_a_given_media_type_beats_the_name_of_the_file(tmp_path: Path) -> None:
    """The caller knows better than an ending."""
    path = tmp_path / "sound.bin"
    path.write_bytes(b"RIFF")

    assert AudioPart.from_path(path, media_type="audio/wav").media_type == "audio/wav"


def test_a_file_of_unknown_kind_needs_a_media_type(tmp_path: Path) -> None:
    """No provider takes bytes without their kind."""
    path = tmp_path / "cat.qqq"
    path.write_bytes(PNG)

    with pytest.raises(ValidationError, match="`data` needs its `media_type`, such as 'image/png'"):
        ImagePart.from_path(path)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    """What the operating system says is not dressed up."""
    with pytest.raises(FileNotFoundError):
        ImagePart.from_path(tmp_path / "no.png")


@pytest.mark.parametrize("part", [ImagePart, FilePart, AudioPart])
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "not none"),
        ({"url": "https://x/cat", "file_id": "f"}, "not url and file_id"),
        ({"data": b"", "media_type": "image/png", "url": "https://x/cat"}, "not data and url"),
    ],
)
def test_media_have_exactly_one_source(part: type[ImagePart], given: dict[str, Any], told: str) -> None:
    """Two sources could differ, and none is nothing."""
    with pytest.raises(ValidationError, match=f"exactly one of `data`, `url` and `file_id`, {told}"):
        part(**given)


def test_empty_bytes_are_a_source() -> None:
    """Only None means that nothing is given."""
    assert ImagePart(data=b"", media_type="image/png").data == b""


def test_bytes_are_base64_in_json() -> None:
    """JSON holds the picture, and gives it back."""
    part = ImagePart(data=PNG, media_type="image/png")

    assert '"data":"iVBORw0KGgo="' in part.model_dump_json()
    assert ImagePart.model_validate_json(part.model_dump_json()).data == PNG


def test_bytes_are_not_in_the_repr() -> None:
    """A log line is no place for a picture."""
    assert "PNG" not in repr(ImagePart(data=PNG, media_type="image/png"))


def test_wrong_base64_is_told_at_its_path() -> None:
    """A damaged picture is a validation error like any other."""
    with pytest.raises(ValidationError) as caught:
        ImagePart.model_validate_json('{"data":"%%","media_type":"image/png"}')

    assert [(issue.path, issue.code) for issue in caught.value.errors] == [(("data",), "bytes_invalid_encoding")]


def test_a_result_takes_a_string() -> None:
    """Most tools answer with text."""
    part = ToolResultPart.model_validate({"id": "c1", "content": "sunny"})

    assert part.content == (TextPart(text="sunny"),)
    assert part.text == "sunny"


def test_a_result_takes_strings_among_parts() -> None:
    """Text and pictures mix as in a message."""
    image = ImagePart(url="https://x/map.png")

    part = ToolResultPart.model_validate({"id": "c1", "content": ["Oslo: ", image, "sunny"]})

    assert part.content == (TextPart(text="Oslo: "), image, TextPart(text="sunny"))
    assert part.text == "Oslo: sunny"


def test_a_result_cannot_hold_a_call() -> None:
    """Results are text and media."""
    with pytest.raises(ValidationError, match=r"content\[0\]: there is no type 'tool_call': use 'text', 'image'"):
        ToolResultPart.model_validate({"id": "c1", "content": [ToolCall(id="c2", name="f")]})


def test_provider_data_is_kept_as_it_is() -> None:
    """A signature goes back byte for byte."""
    signature = {"anthropic.messages": {"signature": "EqQB\u0000é/+=", "n": [1, 2.5, None]}}
    part = TextPart(text="a", provider_data=signature)

    assert TextPart.model_validate_json(part.model_dump_json()).provider_data == signature
