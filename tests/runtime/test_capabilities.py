"""What is known of models by their names: certain negatives, nothing else."""

import pytest

from allm_rx.data.messages import user
from allm_rx.data.parts import ImagePart
from allm_rx.data.requests import Request, json_schema
from allm_rx.data.tools import Tool
from allm_rx.errors import ValidationError
from allm_rx.runtime.capabilities import UNKNOWN, Capabilities, capabilities_of, check_capabilities

EVERYTHING = Request(
    messages=(user(["Look:", ImagePart(data=b"\x89PNG", media_type="image/png")]),),
    tools=(Tool(name="t"),),
    response_format=json_schema({"type": "object"}),
)


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4-5", "my-own", "", "o1", "o1-minimal", "gpt-3.5", "x-o1-mini"])
def test_an_unknown_model_may_do_everything(model: str) -> None:
    """A name that is not known for certain refuses nothing."""
    assert capabilities_of(model) == UNKNOWN
    check_capabilities(EVERYTHING, model, capabilities_of(model))


@pytest.mark.parametrize("model", ["o1-mini", "o1-preview-2024-09-12", "openai/o1-mini", "models/openai/o1-mini"])
def test_a_model_that_is_known_not_to_is_refused(model: str) -> None:
    """Everything it cannot take is told at once, with the paths; a prefix of a router does not hide the model."""
    with pytest.raises(ValidationError) as caught:
        check_capabilities(EVERYTHING, model, capabilities_of(model))

    assert caught.value.reason == "unsupported_capability"
    assert [issue.path for issue in caught.value.errors] == [("tools",), ("response_format",), ("messages", 0, "content", 1)]
    assert f"model {model!r} does not take tools" in str(caught.value)


def test_the_message_says_how_to_overrule_the_table() -> None:
    """A table can be out of date."""
    with pytest.raises(ValidationError, match=r"pass `capabilities=Capabilities\(\.\.\.\)` to the engine if that is wrong"):
        check_capabilities(EVERYTHING, "m", Capabilities(tools=False))


def test_a_plain_request_passes_any_model() -> None:
    """What is not used cannot be missing."""
    nothing = Capabilities(tools=False, structured_output=False, images=False)

    check_capabilities(Request(messages=(user("Hi"),), response_format="json_object"), "m", nothing)
