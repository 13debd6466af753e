"""What an answer consumed, wherever a service tells it."""

from typing import Any

import pytest

from allm_rx.adapters.openai.chat_completions.decode import ChatDecoder
from allm_rx.data.events import Error, RawChunk
from allm_rx.data.failures import Failure
from allm_rx.data.usage import Usage
from allm_rx.wire.sse import SseRecord
from tests.adapters.openai.chat_frames import answer, chunk, events_of, text


def test_usage_in_every_chunk_counts_once() -> None:
    """Running totals are told once, the last ones."""
    frames = [chunk({"content": letter}, usage={"prompt_tokens": 5, "completion_tokens": n}) for n, letter in enumerate("abc")]

    events = events_of(*frames)

    assert [event.data for event in events if isinstance(event, RawChunk)] == [Usage(input_tokens=5, output_tokens=2)]


@pytest.mark.parametrize("later", [None, {}])
def test_empty_usage_wipes_nothing(later: Any) -> None:
    """A null after the numbers is not a report."""
    response = answer(chunk(finish="stop", usage={"total_tokens": 4}), {"choices": [], "usage": later})

    assert response.usage.total_tokens == 4


@pytest.mark.parametrize(
    "frame",
    [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"total_tokens": 4}}]},
        {"choices": [], "x_groq": {"usage": {"total_tokens": 4}}},
    ],
)
def test_usage_is_found_in_odd_places(frame: Any) -> None:
    """Usage may stand in a choice or in a vendor's own field."""
    assert answer(text("Hi"), frame).usage.total_tokens == 4


def test_usage_keeps_what_we_have_no_name_for() -> None:
    """Costs and vendor's counts survive; details get dotted names, so that they can be summed."""
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 1,
        "total_tokens": 300,
        "completion_tokens_details": {"reasoning_tokens": 290, "audio_tokens": 0},
        "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 3, "image_tokens": 2},
        "cost": 0.25,
        "num_sources_used": 2,
    }

    assert answer(chunk(finish="stop", usage=usage)).usage == Usage(
        input_tokens=9,
        output_tokens=1,
        cached_input_tokens=8,
        cache_write_input_tokens=3,
        reasoning_tokens=290,
        total_tokens=300,
        total_cost=0.25,
        extra={"prompt_tokens_details.image_tokens": 2, "num_sources_used": 2},
    )


def test_usage_is_told_when_the_exchange_breaks() -> None:
    """What was consumed until a network failure is known."""
    decoder = ChatDecoder(provider="lake")
    decoder.feed(SseRecord(b'{"choices":[{"delta":{"content":"x"}}],"usage":{"total_tokens":4}}'))

    events = decoder.fail(Failure(kind="AdapterError", reason="network_error", message="The network is gone."))

    assert events[0] == RawChunk("usage", Usage(total_tokens=4))
    assert isinstance(events[1], Error)


def test_cost_that_is_itemised_is_read() -> None:
    """Perplexity tells the parts of its price."""
    cost = {"input_tokens_cost": 0.1, "output_tokens_cost": 0.2, "total_cost": 0.3}

    usage = answer(chunk(finish="stop", usage={"total_tokens": 3, "cost": cost})).usage

    assert (usage.input_cost, usage.output_cost, usage.total_cost) == (0.1, 0.2, 0.3)


@pytest.mark.parametrize("number", [True, "12", 1.5, 10**400, None])
def test_count_that_is_none_is_not_reported(number: Any) -> None:
    """Only whole numbers count tokens, only numbers are money."""
    usage = answer(chunk(finish="stop", usage={"total_tokens": number if number != 10**400 else None, "cost": number})).usage

    assert usage.total_tokens is None
    assert usage.total_cost == (1.5 if number == 1.5 else None)
