"""What the model thinks, wherever a service puts it."""

import base64
from typing import Any

import pytest

from allm_rx.data.events import MessageCompleted, ReasoningCompleted, ReasoningDelta, TextDelta
from tests.adapters.openai.chat_frames import BODIES, answer, chunk, read, text


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_text"])
def test_reasoning_is_found_under_every_name(field: str) -> None:
    """Reasoning is a block of its own, before the text."""
    response = answer(chunk({"content": None, field: "Hm"}), chunk({field: "m.", "content": ""}), text("Yes."))

    assert [part.type for part in response.message.content] == ["reasoning", "text"]
    assert (response.reasoning, response.output_text) == ("Hmm.", "Yes.")


def test_reasoning_told_twice_in_one_delta_counts_once() -> None:
    """Gateways repeat the text under several names."""
    delta = {"reasoning": "Hm", "reasoning_content": "Hm", "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}

    assert answer(chunk(delta)).reasoning == "Hm"


def test_reasoning_in_details_alone_is_read() -> None:
    """A server that sends only details has readable reasoning all the same."""
    details = [{"type": "reasoning.text", "text": "Hm", "index": 0}, {"type": "reasoning.summary", "summary": " so"}]

    assert answer(chunk({"reasoning_details": details})).reasoning == "Hm so"


def test_reasoning_details_are_merged_and_kept_with_the_message() -> None:
    """The signature that comes last belongs to the text that came first."""
    last = read(BODIES["reasoning_details"])[-1]

    assert isinstance(last, MessageCompleted)
    assert last.message.provider_data == {
        "openai.chat": {
            "reasoning_details": [
                {
                    "type": "reasoning.text",
                    "format": "house-v1",
                    "index": 0,
                    "text": "Wind from west.",
                    "signature": "c2lnbmF0dXJl+/==",
                }
            ]
        }
    }


def test_reasoning_details_of_other_type_or_index_stay_apart() -> None:
    """An encrypted entry is not glued to a readable one."""
    frames = [
        chunk({"reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0}]}),
        chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "xx", "index": 0}]}),
        chunk({"reasoning_details": [{"type": "reasoning.text", "text": "b", "index": 1}]}),
    ]

    kept: Any = answer(*frames).message.provider_data["openai.chat"]

    assert [(entry["type"], entry.get("text"), entry.get("data")) for entry in kept["reasoning_details"]] == [
        ("reasoning.text", "a", None),
        ("reasoning.encrypted", None, "xx"),
        ("reasoning.text", "b", None),
    ]


def test_signature_after_the_finish_reason_is_kept() -> None:
    """Some gateways sign at the very end."""
    frames = [
        chunk({"reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0}]}, "stop"),
        chunk({"reasoning_details": [{"type": "reasoning.text", "signature": "s", "index": 0}]}),
    ]

    kept: Any = answer(*frames).message.provider_data["openai.chat"]

    assert kept["reasoning_details"][0]["signature"] == "s"


def test_list_content_tells_reasoning_from_text() -> None:
    """Content that is a list has typed parts."""
    events = read(BODIES["list_content"])

    assert [event for event in events if isinstance(event, (ReasoningDelta, TextDelta, ReasoningCompleted))] == [
        ReasoningDelta("reasoning-0", "Count"),
        ReasoningDelta("reasoning-0", " fish."),
        ReasoningCompleted("reasoning-0", "Count fish.", {"openai.chat": {"reasoning": True}}),
        TextDelta("text-1", "Thr"),
        TextDelta("text-1", "ee"),
    ]


def test_list_content_of_any_kind_is_read() -> None:
    """Thinking may be a text, pictures stand in the list, unknown parts are passed over."""
    url = f"data:image/png;base64,{base64.b64encode(b'pixels').decode()}"
    content = [
        {"type": "thinking", "thinking": "Hm"},
        {"type": "text", "text": "See:"},
        {"type": "image_url", "image_url": url},
        {"type": "reference", "reference_ids": [1]},
    ]

    response = answer(chunk({"content": content}), chunk(finish="stop"))

    assert [part.type for part in response.message.content] == ["reasoning", "text", "image"]


def test_think_tags_are_text_unless_asked_for() -> None:
    """An answer about tags is not taken apart."""
    response = answer(text("<think>a</think>b"))

    assert (response.output_text, response.reasoning) == ("<think>a</think>b", "")


@pytest.mark.parametrize("size", range(1, 18))
def test_think_tags_may_be_cut_anywhere(size: int) -> None:
    """Tags are recognised across deltas."""
    said = " <think>a<b</think>c <think>d"
    pieces = [text(said[at : at + size]) for at in range(0, len(said), size)]

    response = answer(*pieces, think_tags="tags")

    assert (response.reasoning, response.output_text) == ("a<b", "c <think>d")


def test_think_tags_may_begin_inside() -> None:
    """A server that puts the first tag into the prompt sends only the second."""
    response = answer(text("a</th"), text("ink>b"), think_tags="inside")

    assert (response.reasoning, response.output_text) == ("a", "b")


def test_what_looked_like_a_tag_is_not_lost() -> None:
    """Text that waits for the rest of a tag comes out at the end, of an interrupted answer too."""
    assert answer(text("<thi"), think_tags="tags").output_text == "<thi"
    assert answer(text("a</th"), done=False, think_tags="inside").reasoning == "a</th"
