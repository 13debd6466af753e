"""What messages and reasoning become."""

from typing import Any

from allm_rx.data.events import (
    ReasoningCompleted,
    ReasoningDelta,
    SourceAdded,
    TextDelta,
    ToolCallCompleted,
)
from allm_rx.data.parts import ProviderPart, ReasoningPart, SourcePart, TextPart
from tests.adapters.openai_responses.frames import (
    RECORDINGS,
    added,
    answer,
    completed,
    created,
    done,
    ended,
    ev,
    events_of,
    read,
    said,
    text,
)

HOSTED = (RECORDINGS / "hosted.sse").read_bytes()


def kept(part: Any) -> Any:
    return part.provider_data["openai.responses"]


def test_text_without_deltas_comes_as_one() -> None:
    """A text that only its end tells is a delta too, at once."""
    events = events_of(
        created(), added(0, "message"), ev("output_text.done", output_index=0, content_index=0, text="Hi"), completed(said("Hi"))
    )

    assert [event.delta for event in events if isinstance(event, TextDelta)] == ["Hi"]


def test_text_without_a_place_goes_on_where_it_was() -> None:
    """A server that leaves out the index of the part has one part, or means the last."""
    response = answer(
        created(),
        ev("output_text.delta", output_index=0, delta="On"),
        ev("output_text.delta", output_index=0, delta="e"),
        text(", two", content=1),
        ev("output_text.delta", output_index=0, delta="!"),
        completed(),
    )

    assert [part.text for part in response.message.content if isinstance(part, TextPart)] == ["One", ", two!"]


def test_end_of_a_text_is_the_authority() -> None:
    """Where deltas and the whole text differ, the whole one counts."""
    response = answer(created(), text("Hj"), done(0, "message", content=said("Hi")["content"]), completed())

    assert response.output_text == "Hi"


def test_message_keeps_what_is_around_its_text() -> None:
    """Phase and id come with the text, so that the message can be sent back as it came."""
    message = said("Hi", id="msg_1", status="completed", phase="commentary")

    (part,) = answer(created(), ended(0, message), completed()).message.content

    assert kept(part) == {
        "message": {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "phase": "commentary"},
        "annotations": [],
    }


def test_message_without_content_is_kept() -> None:
    """The thoughts before it would be refused without it."""
    (part,) = answer(created(), done(0, "message", id="msg_1", content=[]), completed()).message.content

    assert part == TextPart(text="", provider_data={"openai.responses": {"message": {"type": "message", "id": "msg_1"}}})


def test_part_that_is_not_modelled_is_kept_in_its_message() -> None:
    """Content of a kind that is yet to come is not lost."""
    parts = [{"type": "output_text", "text": "Hi"}, {"type": "output_smell", "smell": "tar"}]

    _, part = answer(created(), done(0, "message", id="m", content=parts), completed()).message.content

    assert isinstance(part, ProviderPart)
    assert part.kind == "output_smell"
    assert kept(part) == {"message": {"type": "message", "id": "m"}, "type": "output_smell", "smell": "tar"}


def test_content_that_is_a_text_is_one_part() -> None:
    """Small servers send the text itself."""
    assert answer(created(), completed({"type": "message", "content": "Hi"})).output_text == "Hi"


def test_citations_are_sources_of_their_text() -> None:
    """Pages, files, files of a container and paths: each once, though the whole item lists them again."""
    sources = [event.part for event in read(HOSTED) if isinstance(event, SourceAdded)]

    assert [source.replace(provider_data={}) for source in sources] == [
        SourcePart(url="https://maps.example/lake", title="The lake", start=0, end=4, block_id="text-5.0"),
        SourcePart(document_id="file_1", title="chart.pdf", start=9, block_id="text-5.0"),
        SourcePart(document_id="cfile_1", title="plot.png", start=10, end=14, block_id="text-5.0"),
        SourcePart(document_id="file_2", start=20, block_id="text-5.0"),
    ]
    assert kept(sources[2]) == {"type": "container_file_citation", "container_id": "cntr_1"}


def test_citation_that_only_the_whole_item_has_is_told() -> None:
    """Missing events are made up for."""
    note = {"type": "url_citation", "url": "https://maps.example", "title": None}
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hi", "annotations": [note, note]}]}

    events = events_of(created(), text("Hi"), completed(message))

    assert [event.part.url for event in events if isinstance(event, SourceAdded)] == ["https://maps.example"]


def test_character_torn_between_deltas_is_whole() -> None:
    """Halves of an emoji in two deltas are one character, in the text and in arguments."""
    frames = [created(), text("\ud83d"), text("\ude00"), done(0, "message", content=said("\U0001f600")["content"])]
    events = events_of(*frames, added(1, "function_call", call_id="c", name="f"), *torn_arguments(), completed())

    assert [event.delta for event in events if isinstance(event, TextDelta)] == ["\U0001f600"]
    assert [event.arguments for event in events if isinstance(event, ToolCallCompleted)] == [{"to": "\U0001f600"}]


def torn_arguments() -> list[dict[str, Any]]:
    pieces = ['{"to":"\ud83d', '\ude00"}']
    return [ev("function_call_arguments.delta", output_index=1, delta=piece) for piece in pieces]


def test_summary_keeps_the_borders_of_its_parts() -> None:
    """Each part is a block; the last one keeps the item for the next turn."""
    events = read((RECORDINGS / "tools.sse").read_bytes())

    settled = [event for event in events if isinstance(event, ReasoningCompleted)]
    assert [(event.id, event.text) for event in settled] == [
        ("reasoning-0.0", "**Wind**\n\nIt blows from wést."),
        ("reasoning-0.1", "**Anchor**\n\nUp first."),
    ]
    assert kept(settled[1])["id"] == "rs_sail"
    assert [part["text"] for part in kept(settled[1])["summary"]] == [event.text for event in settled]


def test_thoughts_and_their_summary_are_both_read() -> None:
    """An open model shows what it thought, and may sum it up."""
    response = answer(
        created(),
        ev("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="Sum."),
        ev("reasoning_text.delta", output_index=0, content_index=0, delta="Hmm."),
        done(
            0,
            "reasoning",
            summary=[{"type": "summary_text", "text": "Sum."}],
            content=[{"type": "reasoning_text", "text": "Hmm."}],
        ),
        completed(),
    )

    assert [part.text for part in response.message.content if isinstance(part, ReasoningPart)] == ["Sum.", "Hmm."]


def test_thoughts_may_come_as_parts_of_content() -> None:
    """Some servers call them `content_part`, and give their text at its end."""
    part = {"type": "reasoning_text", "text": "Hmm."}
    events = events_of(
        created(),
        added(0, "reasoning", id="r"),
        ev("content_part.added", output_index=0, content_index=0, part={**part, "text": ""}),
        ev("content_part.done", output_index=0, content_index=0, part=part),
        completed(),
    )

    assert [event.delta for event in events if isinstance(event, ReasoningDelta)] == ["Hmm."]


def test_thoughts_that_nobody_can_read_are_kept() -> None:
    """An item with nothing but an id is still needed in the next turn."""
    (part,) = answer(created(), done(0, "reasoning", id="rs_1", summary=[]), completed()).message.content

    assert part == ReasoningPart(provider_data={"openai.responses": {"type": "reasoning", "id": "rs_1", "summary": []}})


def test_thoughts_that_never_ended_are_not_signed() -> None:
    """The stub of the beginning is not sent back."""
    response = answer(created(), added(0, "reasoning", id="rs_1", encrypted_content="stub"), completed())

    assert response.message.content == ()
