"""Sources, pictures and sound of an answer."""

import base64
from typing import Any

import pytest

from allm_rx.data.parts import AudioPart, ImagePart, SourcePart, TextPart
from tests.adapters.openai.chat_frames import answer, chunk, text, whole


def test_citations_that_are_repeated_count_once() -> None:
    """Lists that come with every chunk give each source once, with its title."""
    lists: dict[str, Any] = {
        "citations": ["https://a.example", "https://b.example"],
        "search_results": [{"title": "A", "url": "https://a.example"}],
    }

    response = answer(chunk({"content": "x"}, **lists), chunk({"content": "y"}, "stop", **lists))

    assert response.sources == (SourcePart(url="https://a.example", title="A"), SourcePart(url="https://b.example"))
    assert response.output_text == "xy"


def test_source_that_was_annotated_is_not_listed_again() -> None:
    """A citation with its span says more than a list that repeats it."""
    annotation = {"type": "url_citation", "url": "https://a.example", "start_index": 0, "end_index": 1}

    lists: Any = {"citations": ["https://a.example"], "search_results": [{"url": "https://a.example"}]}

    response = answer(text("x"), chunk({"annotations": [annotation]}), chunk(finish="stop", **lists))

    assert [source.end for source in response.sources] == [1]


def test_annotations_are_sources_with_their_span() -> None:
    """A citation tells which words it backs."""
    cited = {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 2}

    response = answer(text("So"), chunk({"annotations": [{"type": "url_citation", "url_citation": cited}]}), chunk(finish="stop"))

    assert response.sources == (SourcePart(url="https://a.example", title="A", start=0, end=2, block_id="text-0"),)


def test_pictures_come_as_bytes() -> None:
    """A picture in a data URL is a part of the answer."""
    url = f"data:image/png;base64,{base64.b64encode(b'pixels').decode()}"

    response = answer(text("Here:"), chunk({"images": [{"type": "image_url", "image_url": {"url": url}}]}), chunk(finish="stop"))

    assert response.message.content[1] == ImagePart(data=b"pixels", media_type="image/png")


def test_picture_may_stay_where_it_is() -> None:
    """A picture behind a URL is given as one."""
    image = {"image_url": {"url": "https://x.example/p.png"}}

    assert answer(chunk({"images": [image, image]}), chunk(finish="stop")).message.content == (
        ImagePart(url="https://x.example/p.png"),
    )


def test_picture_that_makes_no_sense_is_passed_over() -> None:
    """Broken base64 loses the picture, not the answer."""
    images = [{"image_url": {"url": "data:image/png;base64,a"}}, {"image_url": None}]

    assert answer(text("Hi"), chunk({"images": images}), chunk(finish="stop")).message.content == (TextPart(text="Hi"),)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"RIFF....", "audio/wav"),
        (b"ID3x", "audio/mpeg"),
        (b"\xff\xfbx", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
    ],
)
def test_sound_that_came_whole_is_told_by_its_first_bytes(data: bytes, media_type: str) -> None:
    """The answer does not name the format, its bytes do."""
    audio = {"id": None, "data": base64.b64encode(data).decode()}

    response = whole({"choices": [{"message": {"content": None, "audio": audio}, "finish_reason": "stop"}]})

    assert response.message.content == (AudioPart(data=data, media_type=media_type),)


def test_transcript_without_sound_is_text() -> None:
    """What was said is not lost when the sound is."""
    frames = [chunk({"audio": {"data": "a", "transcript": "x"}}), chunk({"audio": {"transcript": "Hello"}})]

    assert answer(*frames, chunk(finish="stop")).output_text == "Hello"


def test_sound_is_put_together() -> None:
    """Pieces of sound, each encoded by itself, are one part with its transcript and id."""
    pieces = [base64.b64encode(piece).decode() for piece in (b"\x01\x02\x03", b"\x04")]
    frames = [
        chunk({"audio": {"id": "audio_1", "transcript": "Hel"}}),
        *(chunk({"audio": {"data": piece}}) for piece in pieces),
        chunk({"audio": {"transcript": "lo", "expires_at": 9}}),
    ]

    assert answer(*frames, chunk(finish="stop")).message.content == (
        AudioPart(
            data=b"\x01\x02\x03\x04",
            media_type="audio/pcm",
            transcript="Hello",
            provider_data={"openai.chat": {"audio": {"id": "audio_1"}}},
        ),
    )
