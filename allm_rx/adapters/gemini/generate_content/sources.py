"""Where an answer has something from: grounding, fetched pages and recited works, as `SourcePart`s.

Rule 1: offsets of this protocol count bytes of UTF-8 in the whole answer; ours count characters in one text block.
Rule 2: a span that is not where the provider says is looked for by its words, or left out; a wrong one is worse than none.
Rule 3: metadata are repeated from chunk to chunk; a source is given once per span, and one that names no place is none.
Rule 4: what our part has no field for (a store, a licence, a place) stays in its `provider_data`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, cast

from allm_rx.adapters.gemini.provider_data import DIALECT, kept
from allm_rx.data.parts import SourcePart
from allm_rx.wire.shapes import as_integer, as_object, as_objects, word_or_none

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FETCHED = frozenset({None, "URL_RETRIEVAL_STATUS_SUCCESS"})

_MODELLED = frozenset({"uri", "sourceUri", "title", "text", "documentName"})


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the answer's text."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class _Span:
    """Characters of one block; all None when it is not known which."""

    block_id: str | None = None
    start: int | None = None
    end: int | None = None


class Sources:
    """What one answer cites."""

    def __init__(self) -> None:
        """Begin with nothing cited."""
        self._given: set[tuple[str, _Span]] = set()
        self._places: set[str] = set()

    def feed(self, candidate: dict[str, Any], blocks: Sequence[Block]) -> Iterator[SourcePart]:
        """Give the sources of one chunk that are new.

        Args:
            candidate: the chunk's candidate.
            blocks: the text so far, that of this chunk included.
        """
        answer = _Answer(blocks)
        yield from self._grounding(as_object(candidate.get("groundingMetadata")), answer)
        pages = as_object(candidate.get("urlContextMetadata")).get("urlMetadata")
        for page in as_objects(pages):
            url = word_or_none(page.get("retrievedUrl"))
            if page.get("urlRetrievalStatus") in _FETCHED:
                yield from self._new(SourcePart(url=url), _Span())
        works = as_object(candidate.get("citationMetadata"))
        for work in as_objects(works.get("citations") or works.get("citationSources")):
            span = answer.span(work, None)
            rest = {key: kept(work[key]) for key in ("license", "publicationDate") if work.get(key)}
            part = SourcePart(url=word_or_none(work.get("uri")), title=word_or_none(work.get("title")), provider_data=_own(rest))
            yield from self._new(part, span)

    def _grounding(self, metadata: dict[str, Any], answer: _Answer) -> Iterator[SourcePart]:
        supports = list(as_objects(metadata.get("groundingSupports")))
        for index, chunk in enumerate(as_objects(metadata.get("groundingChunks"))):
            part = _source(chunk)
            segments = [as_object(support.get("segment")) for support in supports if index in _indices(support)]
            for segment in segments or ({},):
                yield from self._new(part, answer.span(segment, word_or_none(segment.get("text"))))

    def _new(self, part: SourcePart, span: _Span) -> Iterator[SourcePart]:
        place = part.url or part.document_id or part.title
        if place is None or (place, span) in self._given or (place in self._places and span == _Span()):
            return
        self._given.add((place, span))
        self._places.add(place)
        yield part.model_copy(update={"block_id": span.block_id, "start": span.start, "end": span.end})


def _source(chunk: dict[str, Any]) -> SourcePart:
    """Read a grounding chunk: an object under the one key that says what it is."""
    kind = next((key for key, value in chunk.items() if isinstance(value, dict)), "")
    told = as_object(chunk.get(kind))
    rest = {key: kept(value) for key, value in told.items() if key not in _MODELLED}
    return SourcePart(
        url=word_or_none(told.get("uri")) or word_or_none(told.get("sourceUri")),
        title=word_or_none(told.get("title")),
        document_id=word_or_none(told.get("documentName")) or word_or_none(told.get("placeId")),
        quote=word_or_none(told.get("text")),
        provider_data=_own({kind: rest} if rest else {}),
    )


def _indices(support: dict[str, Any]) -> list[Any]:
    indices = support.get("groundingChunkIndices")
    return cast("list[Any]", indices) if isinstance(indices, list) else []


def _own(rest: dict[str, Any]) -> dict[str, Any]:
    return {DIALECT: rest} if rest else {}


class _Answer:
    """The text that offsets point into."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._starts = list(accumulate((len(block.text) for block in blocks), initial=0))
        self._text = "".join(block.text for block in blocks)
        self._bytes = None if self._text.isascii() else self._text.encode()

    def span(self, place: dict[str, Any], words: str | None) -> _Span:
        """Give the characters that a segment means.

        Args:
            place: has `startIndex`, absent for 0, and `endIndex`.
            words: what should stand there, where the provider tells.
        """
        end = as_integer(place.get("endIndex"))
        if end is None:
            return _Span()
        first, last = self._character(as_integer(place.get("startIndex")) or 0), self._character(end)
        if words is not None and self._text[first:last] != words:
            first = self._text.find(words)
            last = first + len(words)
        return self._within_a_block(first, last) if 0 <= first < last else _Span()

    def _character(self, offset: int) -> int:
        if self._bytes is None:
            return min(offset, len(self._text))
        return len(self._bytes[: max(offset, 0)].decode("utf-8", "ignore"))

    def _within_a_block(self, first: int, last: int) -> _Span:
        index = bisect_right(self._starts, first) - 1
        block, base = self._blocks[index], self._starts[index]
        return _Span(block.id, first - base, min(last - base, len(block.text)))
