"""Whatever the provider sends, the decoder gives events and one end."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from allm_rx.adapters.gemini.generate_content.decode import GenerateContentDecoder
from allm_rx.data.events import Error, MessageCompleted
from allm_rx.wire.sse import SseRecord
from tests.adapters.gemini.frames import BODIES, read
from tests.fixture_cases import check_grammar

NOTHING: dict[str, Any] = {}


words = st.sampled_from(["", "a", "é", "\ud83d", "\ude00", "STOP", "MAX_TOKENS", "image/png", "aGk=", "$.a.b", "$.a[1]"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 50) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)


def some(**fields: Any) -> Any:
    """Objects with some of the fields, most of them as documented."""
    return st.fixed_dictionaries(NOTHING, optional={name: value | anything for name, value in fields.items()})


pieces = some(jsonPath=words, stringValue=words, numberValue=st.integers(0, 3), nullValue=st.just("NULL_VALUE"))
calls = some(
    name=st.just("f"), id=words, args=some(a=words), partialArgs=st.lists(pieces, max_size=3), willContinue=st.booleans()
)
parts = some(
    text=words,
    thought=st.booleans(),
    thoughtSignature=words,
    functionCall=calls,
    executableCode=some(id=words, code=words),
    codeExecutionResult=some(id=words, output=words),
    toolCall=some(id=words, args=some(a=words)),
    toolResponse=some(id=words, response=some(a=words)),
    inlineData=some(mimeType=words, data=words),
    fileData=some(mimeType=words, fileUri=words),
    other=words,
)
spans = some(startIndex=st.integers(-3, 9), endIndex=st.integers(-3, 9), text=words)
grounding = some(
    groundingChunks=st.lists(some(web=some(uri=words, title=words)), max_size=2),
    groundingSupports=st.lists(some(segment=spans, groundingChunkIndices=st.lists(st.integers(0, 2), max_size=2)), max_size=2),
)
candidates = some(
    index=st.integers(0, 1),
    content=some(parts=st.lists(parts, max_size=3)),
    finishReason=words,
    groundingMetadata=grounding,
    urlContextMetadata=some(urlMetadata=st.lists(some(retrievedUrl=words), max_size=2)),
    citationMetadata=some(citations=st.lists(some(uri=words), max_size=2)),
)
frames = some(
    candidates=st.lists(candidates, max_size=2),
    usageMetadata=some(promptTokenCount=st.integers(0, 9)),
    promptFeedback=some(blockReason=words),
    error=some(code=st.integers(), message=words, details=st.lists(some(retryDelay=words, violations=anything), max_size=2)),
    modelVersion=words,
    responseId=words,
)


@given(st.lists(frames | anything, max_size=5))
def test_any_chunks_give_events_of_the_grammar(given_frames: list[Any]) -> None:
    """Whatever the provider sends, the stream has one end, and its events are data."""
    decoder = GenerateContentDecoder(provider="lake")

    events = [event for frame in given_frames for event in decoder.feed(SseRecord(json.dumps(frame).encode()))]
    events += decoder.finish()

    check_grammar(events)
    assert isinstance(events[-1], (MessageCompleted, Error))


@given(st.binary(max_size=200), st.sampled_from(sorted(BODIES)), st.integers(0, 4000))
def test_any_bytes_give_events_of_the_grammar(garbage: bytes, name: str, at: int) -> None:
    """Garbage in the middle of a body is an event, never an exception."""
    body = BODIES[name]
    at = min(at, len(body))

    check_grammar(read(body[:at] + garbage + body[at:]))
