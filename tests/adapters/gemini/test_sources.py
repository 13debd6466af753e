"""What an answer cites, and where in its text."""

from typing import Any

import pytest

from allm_rx.data.events import SourceAdded, TextDelta
from allm_rx.data.parts import SourcePart
from tests.adapters.gemini.frames import BODIES, STOP, chunk, events_of, read, text

LAKE = "https://lake.example/a"


def web(url: str, title: str | None = None) -> dict[str, Any]:
    return {"web": {"uri": url, "title": title} if title else {"uri": url}}


def support(start: int, end: int, words: str | None, *indices: int) -> dict[str, Any]:
    segment: dict[str, Any] = {"startIndex": start, "endIndex": end}
    return {"segment": segment if words is None else {**segment, "text": words}, "groundingChunkIndices": list(indices)}


def grounded(*chunks: dict[str, Any], supports: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"groundingMetadata": {"groundingChunks": list(chunks), "groundingSupports": list(supports)}}


def sources(*frames: dict[str, Any]) -> list[SourcePart]:
    return [event.part for event in events_of(*frames, STOP) if isinstance(event, SourceAdded)]


def test_bytes_become_characters_of_the_block() -> None:
    """Offsets count bytes of UTF-8; umlauts and emoji before a span do not move it."""
    events = read(BODIES["search"])
    said = "".join(event.delta for event in events if isinstance(event, TextDelta))

    cited = [event.part for event in events if isinstance(event, SourceAdded)]

    assert [(part.url or part.title, said[part.start or 0 : part.end]) for part in cited if part.end is not None] == [
        (LAKE, "Der See ist schön 🌊 und tief"),
        (LAKE, "Er friert nie."),
        ("Ice book", "Er friert nie."),
    ]
    assert {part.block_id for part in cited if part.end is not None} == {"text-0"}


def test_passage_of_a_document_is_quoted() -> None:
    """What was retrieved from a store is the quote; what has no field of ours is kept."""
    (book,) = (event.part for event in read(BODIES["search"]) if isinstance(event, SourceAdded) and event.part.quote)

    assert (book.quote, book.title) == ("It never freezes.", "Ice book")
    assert book.provider_data == {"gemini": {"retrievedContext": {"fileSearchStore": "fileSearchStores/ice"}}}


def test_fetched_pages_are_sources() -> None:
    """A page that was read is one, unless it is cited already; a page that could not be read is none."""
    pages = [event.part.url for event in read(BODIES["search"]) if isinstance(event, SourceAdded)]

    assert pages.count("https://lake.example/b") == 1
    assert pages.count(LAKE) == 2
    assert "https://lake.example/c" not in pages


def test_span_is_that_of_its_own_block() -> None:
    """Offsets go through all of the text; thoughts do not count, signatures begin a block."""
    thought = {"text": "hm", "thought": True}
    frame = chunk(thought, text("abc"), text("def", "s"), **grounded(web(LAKE), supports=(support(4, 6, "ef", 0),)))

    assert sources(frame) == [SourcePart(url=LAKE, start=1, end=3, block_id="text-2")]


def test_span_over_two_blocks_ends_with_the_first() -> None:
    """A span belongs to one block."""
    frame = chunk(text("abc"), text("def", "s"), **grounded(web(LAKE), supports=(support(1, 5, "bcde", 0),)))

    assert sources(frame) == [SourcePart(url=LAKE, start=1, end=3, block_id="text-0")]


def test_bytes_are_counted_where_no_words_tell() -> None:
    """An offset alone is enough, and right among repeated words."""
    frame = chunk(text("äö see see"), citationMetadata={"citations": [{"uri": LAKE, "startIndex": 9, "endIndex": 12}]})

    assert sources(frame) == [SourcePart(url=LAKE, start=7, end=10, block_id="text-0")]


@pytest.mark.parametrize(("start", "end"), [(0, 2), (7, 9), (-3, 2), (2, 90)])
def test_span_that_is_elsewhere_is_found_by_its_words(start: int, end: int) -> None:
    """The words are right when the offsets are not."""
    frame = chunk(text("a lake"), **grounded(web(LAKE), supports=(support(start, end, "lake", 0),)))

    assert sources(frame) == [SourcePart(url=LAKE, start=2, end=6, block_id="text-0")]


@pytest.mark.parametrize(("start", "end", "words"), [(0, 3, "sea"), (5, 2, None), (40, 50, None)])
def test_span_that_is_nowhere_is_left_out(start: int, end: int, words: str | None) -> None:
    """A wrong span is worse than none."""
    frame = chunk(text("a lake"), **grounded(web(LAKE), supports=(support(start, end, words, 0),)))

    assert sources(frame) == [SourcePart(url=LAKE)]


def test_page_without_a_span_is_a_source() -> None:
    """What no sentence is tied to was still read."""
    assert sources(chunk(text("a"), **grounded(web(LAKE, "Lake")))) == [SourcePart(url=LAKE, title="Lake")]


def test_repeated_metadata_are_told_once() -> None:
    """Chunks repeat what they cite; a list that grows tells only what is new."""
    first = grounded(web(LAKE), supports=(support(0, 1, "a", 0),))
    more = grounded(web(LAKE), web("https://lake.example/b"), supports=(support(0, 1, "a", 0),))

    cited = sources(chunk(text("a"), **first), chunk(**first), chunk(**more))

    assert [part.url for part in cited] == [LAKE, "https://lake.example/b"]


def test_page_that_is_cited_is_not_told_without_a_span() -> None:
    """A later list without supports adds nothing."""
    cited = sources(chunk(text("a"), **grounded(web(LAKE), supports=(support(0, 1, "a", 0),))), chunk(**grounded(web(LAKE))))

    assert cited == [SourcePart(url=LAKE, start=0, end=1, block_id="text-0")]


@pytest.mark.parametrize(
    ("told", "part"),
    [
        ({"maps": {"uri": LAKE, "title": "Pier", "placeId": "p1"}}, {"url": LAKE, "title": "Pier", "document_id": "p1"}),
        ({"image": {"sourceUri": LAKE, "title": "Pier"}}, {"url": LAKE, "title": "Pier"}),
        ({"retrievedContext": {"documentName": "files/ice", "text": "Ice."}}, {"document_id": "files/ice", "quote": "Ice."}),
    ],
)
def test_every_kind_of_source_is_read(told: dict[str, Any], part: dict[str, Any]) -> None:
    """Places, pictures and documents have other fields than pages."""
    (cited,) = sources(chunk(text("a"), **grounded(told)))

    assert {name: value for name, value in cited.model_dump(exclude_none=True).items() if name in part} == part


def test_source_without_a_place_is_none() -> None:
    """A passage that names neither page nor document says nothing about where it is from."""
    assert sources(chunk(text("a"), **grounded({"retrievedContext": {"text": "Ice."}}))) == []


@pytest.mark.parametrize("name", ["citations", "citationSources"])
def test_recited_works_are_sources(name: str) -> None:
    """Works that the answer repeats come with their licence, under either of two names."""
    works = {name: [{"uri": LAKE, "startIndex": 2, "endIndex": 6, "license": "mit"}]}

    (cited,) = sources(chunk(text("a lake"), citationMetadata=works))

    assert (cited.url, cited.start, cited.end) == (LAKE, 2, 6)
    assert cited.provider_data == {"gemini": {"license": "mit"}}
