"""The builder: parts in the order they began, whatever order they end in."""

import pytest
from pydantic import JsonValue

from allm_rx.data.messages import Message, assistant
from allm_rx.data.parts import ImagePart, ReasoningPart, SourcePart, TextPart, ToolCall, ToolResultPart
from allm_rx.reducers.message import CUT_OFF, MessageBuilder

SIGNED: dict[str, JsonValue] = {"anthropic.messages": {"signature": "s"}}


def test_nothing_makes_an_empty_message() -> None:
    """A message that has not begun can be built."""
    assert MessageBuilder().build() == Message(role="assistant")


def test_parts_stand_in_the_order_they_began() -> None:
    """Blocks that grow in turn keep their places."""
    builder = MessageBuilder()
    source, image = SourcePart(url="https://x"), ImagePart(url="https://y")

    builder.text("0").pieces.append("a")
    builder.reasoning("1").pieces.append("hm")
    builder.call("c", "f").pieces.append("{}")
    builder.add(source)
    builder.text("2").pieces.append("z")
    builder.add(image, "i")
    builder.text("0").pieces.append("b")
    builder.call("c").completed = ToolCall(id="c", name="f")

    parts = ["ab", ReasoningPart(text="hm"), ToolCall(id="c", name="f"), source, "z", image]
    assert builder.build() == assistant(parts)


def test_text_and_reasoning_of_one_id_are_two_blocks() -> None:
    """Ids are unique per kind; a provider may number both from nought."""
    builder = MessageBuilder()

    builder.text("0").pieces.append("said")
    builder.reasoning("0").pieces.append("thought")
    builder.call("0", "f").completed = ToolCall(id="0", name="f")

    assert builder.build() == assistant(["said", ReasoningPart(text="thought"), ToolCall(id="0", name="f")])


def test_a_settled_block_is_what_it_settled_with() -> None:
    """The whole text is authoritative for its block, and the provider's data is the block's."""
    builder = MessageBuilder()
    builder.text("0").pieces += ["wro", "ng"]
    builder.text("1").pieces += ["other"]

    builder.settle(builder.text("0"), "right", SIGNED)

    assert builder.build() == assistant([TextPart(text="right", provider_data=SIGNED), "other"])


def test_a_block_without_text_is_no_part() -> None:
    """An empty block says nothing, unless the provider wants something of it back."""
    builder = MessageBuilder()
    builder.text("0")
    builder.settle(builder.text("1"), "", {})
    builder.settle(builder.reasoning("2"), "", SIGNED)

    assert builder.build() == assistant([ReasoningPart(text="", provider_data=SIGNED)])


def test_a_call_that_did_not_complete_carries_an_error() -> None:
    """It keeps what there is of its arguments, and is not run."""
    builder = MessageBuilder()

    builder.call("c", "f", provider_executed=True).pieces += ['{"a"', ":"]

    assert builder.build() == assistant(
        [ToolCall(id="c", name="f", raw_arguments='{"a":', error=CUT_OFF, provider_executed=True)]
    )


def test_a_call_keeps_its_first_name() -> None:
    """A second start of a call changes nothing."""
    builder = MessageBuilder()

    builder.call("c", "first")
    builder.call("c", "second", provider_executed=True)

    assert (builder.call("c").name, builder.call("c").provider_executed) == ("first", False)


def test_a_call_whose_arguments_came_first_gets_its_name() -> None:
    """What was not known yet is filled in."""
    builder = MessageBuilder()

    builder.call("c").pieces.append("{")
    builder.call("c", "f", provider_executed=True)

    assert (builder.call("c").name, builder.call("c").provider_executed) == ("f", True)


def test_of_one_kind_and_id_the_last_part_counts() -> None:
    """A picture that comes in better and better versions is one picture, in its first place."""
    builder = MessageBuilder()

    builder.add(ImagePart(url="https://coarse"), "i")
    builder.add(ToolResultPart(id="i"), "i")
    builder.text("0").pieces.append("a")
    builder.add(ImagePart(url="https://fine"), "i")

    assert builder.build() == assistant([ImagePart(url="https://fine"), ToolResultPart(id="i"), "a"])


def test_parts_without_an_id_are_all_kept() -> None:
    """Two citations may be equal."""
    builder = MessageBuilder()

    builder.add(SourcePart(url="https://x"))
    builder.add(SourcePart(url="https://x"))

    assert len(builder.build().content) == 2


def test_the_message_has_the_provider_data_of_the_whole() -> None:
    """What a provider wants back with the message goes with it."""
    builder = MessageBuilder()

    builder.provider_data["openai.chat"] = {"refusal": None}

    assert builder.build().provider_data == {"openai.chat": {"refusal": None}}


def test_building_does_not_end_the_message() -> None:
    """It can grow on, and be built again."""
    builder = MessageBuilder()
    builder.text("0").pieces.append("a")

    first = builder.build()
    builder.text("0").pieces.append("b")

    assert (first.text, builder.build().text) == ("a", "ab")


@pytest.mark.parametrize("text", ["abc", "other", ""])
def test_a_view_stays_what_it_was(text: str) -> None:
    """Whatever happens to the message afterwards."""
    builder = MessageBuilder()
    builder.text("0").pieces.append("ab")
    builder.call("c").pieces.append("{")
    builder.add(ImagePart(url="https://coarse"), "i")
    expected, view = builder.build(), builder.view()

    builder.text("0").pieces.append("c")
    builder.settle(builder.text("0"), text, SIGNED)
    builder.text("0").pieces.append("d")
    builder.call("c", "f").completed = ToolCall(id="c", name="f")
    builder.add(ImagePart(url="https://fine"), "i")
    builder.provider_data["openai.chat"] = {}
    builder.text("1").pieces.append("more")

    assert view.build() == expected
