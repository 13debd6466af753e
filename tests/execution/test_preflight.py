"""What is refused at the call, in which order, before anything is opened."""

from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx

from allm_rx import errors
from allm_rx.adapters.fake import Fake
from allm_rx.adapters.openai.chat_completions.adapter import OpenAIChat
from allm_rx.data.messages import user
from allm_rx.data.parts import ImagePart
from allm_rx.data.requests import json_schema
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.execution.calls import generate, stream_generate
from allm_rx.runtime.capabilities import Capabilities
from allm_rx.runtime.engine import Engine

REFUSED = errors.EngineError("missing_key", "The adapter refuses.")
PICTURE = ImagePart(data=b"\x89PNG", media_type="image/png")


class Mute:
    """Knows a provider, and has no way to stream."""

    provider = "mute"


ARGUMENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "missing_adapter": ({"adapter": None}, {}),
    "missing_stream_adapter": ({"adapter": Mute()}, {}),
    "invalid_request": ({}, {"temperature": 9}),
    "missing_model": ({"model": None}, {}),
    "unsupported_capability": ({"capabilities": Capabilities(tools=False)}, {"tools": [Tool(name="t")]}),
    "missing_key": ({"adapter": Fake(script=[], preflight_error=REFUSED)}, {}),
}
"""Each reason in the order of the checks, with the engine's fields and the call's options that bring it about."""

CALLS: list[Callable[..., rx.Observable[Any]]] = [generate, stream_generate]


def refusal(*reasons: str, call: Callable[..., rx.Observable[Any]] = generate) -> str:
    """Make a call with several things wrong, and give the reason that is told."""
    fields: dict[str, Any] = {"adapter": Fake(script=[], preflight_error=REFUSED), "model": "m"}
    if "missing_key" not in reasons:
        fields["adapter"] = Fake(script=["a"])
    options: dict[str, Any] = {}
    for reason in reasons:
        if reason != "missing_key":
            fields |= ARGUMENTS[reason][0]
            options |= ARGUMENTS[reason][1]
    with pytest.raises(errors.UsageError) as caught:
        call(Engine(**fields), "Hi", **options)
    return caught.value.reason


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("reason", ARGUMENTS)
def test_each_check_raises_at_the_call(reason: str, call: Callable[..., Any]) -> None:
    """Whatever is wrong is an exception of the function that was called, not of the stream."""
    assert refusal(reason, call=call) == reason


@pytest.mark.parametrize("position", range(len(ARGUMENTS) - 1))
def test_the_first_failure_wins(position: int) -> None:
    """With everything from one check on wrong, that check is the one that is told."""
    reasons = list(ARGUMENTS)[position:]
    if reasons[0] == "missing_adapter":
        reasons.remove("missing_stream_adapter")

    assert refusal(*reasons) == reasons[0]


def test_a_call_that_is_refused_asks_nobody() -> None:
    """Nothing is sent, and no subscription is needed to see it."""
    fake = Fake(script=["a"])

    with pytest.raises(errors.ValidationError):
        generate(Engine(adapter=fake, model="m"), [])

    assert fake.requests == []


def test_a_class_in_place_of_an_adapter_is_told_as_such() -> None:
    """Forgetting the parentheses is an error that shows them."""
    adapter: Any = Fake

    with pytest.raises(errors.EngineError, match=r"pass an instance of it, `Fake\(\.\.\.\)`"):
        generate(Engine(adapter=adapter, model="m"), "Hi")


def test_everything_wrong_with_a_request_is_told_at_once() -> None:
    """All issues come in one error, each with its path."""
    with pytest.raises(errors.ValidationError) as caught:
        generate(Engine(adapter=Fake(script=[]), model="m"), [], temperature=9, top_p=2)

    assert {issue.path for issue in caught.value.errors} == {("messages",), ("temperature",), ("top_p",)}


@pytest.mark.parametrize(
    ("field", "options", "path"),
    [
        ("tools", {"tools": [Tool(name="t")]}, ("tools",)),
        ("structured_output", {"response_format": json_schema({"type": "object"})}, ("response_format",)),
        ("images", {}, ("messages", 0, "content", 1)),
    ],
)
def test_a_capability_is_refused_only_when_it_is_known_to_be_missing(
    field: str, options: dict[str, Any], path: tuple[Any, ...]
) -> None:
    """False refuses with the path; None, which is not knowing, lets the provider decide."""
    given = user(["Look:", PICTURE])

    for known in (True, None):
        generate(Engine(adapter=Fake(script=[]), model="m", capabilities=Capabilities(**{field: known})), given, **options)
    with pytest.raises(errors.ValidationError) as caught:
        generate(Engine(adapter=Fake(script=[]), model="m", capabilities=Capabilities(**{field: False})), given, **options)

    assert [issue.path for issue in caught.value.errors] == [path]


def test_the_adapter_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is nowhere, and a tool of another protocol, are refused by the adapter at the call."""
    engine = Engine(adapter=OpenAIChat(), model="gpt-4o")
    foreign = provider_tool("anthropic.messages", {"type": "web_search_20250305", "name": "web_search"})

    with pytest.raises(errors.EngineError, match="set OPENAI_API_KEY"):
        generate(engine, "Hi")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environment")
    with pytest.raises(errors.ValidationError):
        generate(engine, "Hi", tools=[foreign])
    generate(engine, "Hi")
