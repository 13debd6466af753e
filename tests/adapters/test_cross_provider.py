"""A conversation begun at one provider goes on at any other: what is theirs goes back to them only, what was said to all."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from allm_rx.adapters.openai.chat_completions.options import MISTRAL
from allm_rx.data.messages import Message, system, tool_result, user
from allm_rx.data.parts import ImagePart, ReasoningPart, TextPart, ToolCall
from allm_rx.data.requests import Request
from allm_rx.data.threads import Thread
from allm_rx.data.tools import Tool
from allm_rx.data.validation import check_request
from allm_rx.wire.http import ResponseHead
from tests.adapters.authored import AUTHORED, PICTURE, PIXEL
from tests.adapters.providers import BY_NAME, PROVIDERS, Provider
from tests.adapters.wire_calls import hold_together, steps
from tests.fixture_cases import Case, decode, fold, load_cases

SKIPPED = "skip_thought_signature_validator"

WHOLE: dict[str, tuple[str, ...]] = {
    "anthropic": ("search", "text", "thinking_tools"),
    "gemini": ("partial_arguments", "search", "text", "thoughts", "tools"),
    "openai": ("hosted", "text", "tools"),
    "openai-chat": ("list_content", "reasoning_details", "text", "tools"),
}
"""The recorded answers that came to their end."""


STREAMS = {
    **{(name, stem): BY_NAME[name].recordings[stem] for name, stems in WHOLE.items() for stem in stems},
    **AUTHORED,
}
PAIRS = [(origin, stem, target.name) for origin, stem in STREAMS for target in PROVIDERS if target.name != origin]


def conversation(answer: Message) -> tuple[Message, ...]:
    """Give a conversation with an answer in its middle, whose calls are answered."""
    results = [tool_result(call.id, "calm", name=call.name, is_error=call.error is not None) for call in answer.tool_calls]
    picture = ImagePart(data=PIXEL, media_type="image/png")
    return (system("Be brief."), user(["What do you see?", picture]), answer, *results, user("Go on."))


def saved(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Give what is loaded of a conversation that was saved."""
    return Thread.model_validate_json(Thread(messages=messages).model_dump_json()).messages


def recorded(origin: str, stem: str) -> Message:
    """Give the message of a recorded answer."""
    return BY_NAME[origin].said(STREAMS[origin, stem])


def sent(target: Provider, messages: tuple[Message, ...], **adapter: Any) -> dict[str, Any]:
    """Give the body in which a conversation goes on; the tools it called are offered still."""
    names = dict.fromkeys(call.name for message in messages for call in message.tool_calls)
    request = Request(messages=messages, tools=tuple(Tool(name=name) for name in names))
    check_request(request)
    return target.sent(request, **adapter)


def accepted(target: Provider, body: dict[str, Any]) -> None:
    """Hold a body against the vendor's own request models, and against what they do not say."""
    target.accepted(body)
    hold_together(target.name, body)


def texts(value: Any) -> Iterator[str]:
    """Give all texts in JSON."""
    match value:
        case str():
            yield value
        case dict():
            for item in cast("dict[str, Any]", value).values():
                yield from texts(item)
        case list():
            for item in cast("list[Any]", value):
                yield from texts(item)
        case _:
            return


OPAQUE = {"signature", "data", "encrypted_content", "encrypted_index", "thoughtSignature", "id", "item_id"}
"""Where providers keep what only they can read."""


def opaque(value: Any) -> Iterator[str]:
    """Give what only the provider can read in a part's `provider_data`."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            if name in OPAQUE and isinstance(item, str):
                yield item
            yield from opaque(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from opaque(item)


def kept(message: Message) -> set[str]:
    """Give what only the provider can read in a message; ids of calls that were made public are not among it."""
    found = {item for part in message.content for item in opaque(part.provider_data)} | set(opaque(message.provider_data))
    return found - {call.id for call in message.tool_calls}


def bare(message: Message) -> Message:
    """Give the message as if its provider kept nothing with it."""
    parts = tuple(part.model_copy(update={"provider_data": {}}) for part in message.content)
    return message.model_copy(update={"content": parts, "provider_data": {}})


@pytest.mark.parametrize(("origin", "stem", "target"), PAIRS)
def test_conversation_goes_on_elsewhere(origin: str, stem: str, target: str) -> None:
    """Saved, loaded and encoded for another provider, it is what that provider's own package takes, with no call dangling."""
    messages = saved(conversation(recorded(origin, stem)))

    body = sent(BY_NAME[target], messages)

    accepted(BY_NAME[target], body)
    calls = len(recorded(origin, stem).tool_calls)
    assert [kind for kind, _ in steps(target, body)] == ["call"] * calls + ["result"] * calls


@pytest.mark.parametrize(("origin", "stem", "target"), PAIRS)
def test_what_was_said_goes_along(origin: str, stem: str, target: str) -> None:
    """Every text of user and model, the results of tools and the user's picture reach the other provider."""
    answer = recorded(origin, stem)

    told = "\n".join(texts(sent(BY_NAME[target], saved(conversation(answer)))))

    for part in answer.content:
        if isinstance(part, TextPart) and part.text.strip():
            assert part.text in told
    assert all(word in told for word in ("Be brief.", "What do you see?", PICTURE, "Go on."))
    assert ("calm" in told) is bool(answer.tool_calls)


@pytest.mark.parametrize(("origin", "stem", "target"), PAIRS)
def test_what_is_theirs_stays_behind(origin: str, stem: str, target: str) -> None:
    """No thought, signature, item id or encrypted word of one provider reaches another."""
    answer = recorded(origin, stem)

    body = sent(BY_NAME[target], saved(conversation(answer)))

    told = set(texts(body))
    assert kept(answer) & told == set()
    thoughts = [part.text for part in answer.content if isinstance(part, ReasoningPart) and part.text]
    assert [thought for thought in thoughts if any(thought in text for text in told)] == []
    assert body == sent(BY_NAME[target], saved(conversation(bare(answer))))


@pytest.mark.parametrize(("origin", "stem"), [pair for pair in STREAMS if pair[0] != "openai-chat"])
def test_foreign_thoughts_are_not_a_services_own(origin: str, stem: str) -> None:
    """DeepSeek wants its own reasoning back, and gets no one else's, signed or not."""
    messages = saved(conversation(recorded(origin, stem)))

    body = sent(BY_NAME["openai-chat"], messages, base_url="https://api.deepseek.com")

    assert [message for message in body["messages"] if "reasoning_content" in message] == []


@pytest.mark.parametrize(("origin", "stem"), STREAMS)
def test_conversation_goes_on_at_home_as_if_never_saved(origin: str, stem: str) -> None:
    """Loaded again, it gives the very bytes of the conversation in memory, with all that is the provider's own."""
    messages = conversation(recorded(origin, stem))

    body = sent(BY_NAME[origin], saved(messages))

    assert json.dumps(body) == json.dumps(sent(BY_NAME[origin], messages))
    accepted(BY_NAME[origin], body)


@pytest.mark.parametrize(
    ("origin", "stem", "secrets"),
    [
        ("anthropic", "thinking_tools", {"c2lnbmVkLWJ5LXRoZS1oYXJib3VyLW1hc3Rlcg==", "aGlkZGVuLWluLXRoZS1ob2xk"}),
        ("gemini", "tools", {"c2FpbA=="}),
        ("openai", "tools", {"dGhvdWdodHM+/w==", "rs_sail"}),
    ],
)
def test_signed_thoughts_come_home(origin: str, stem: str, secrets: set[str]) -> None:
    """What stayed behind elsewhere goes back to the provider that made it."""
    answer = recorded(origin, stem)

    assert secrets <= kept(answer)
    assert secrets <= set(texts(sent(BY_NAME[origin], saved(conversation(answer)))))


@pytest.mark.parametrize("origin", ["anthropic", "openai", "openai-chat"])
def test_calls_of_others_are_excused_from_signing(origin: str) -> None:
    """Gemini's third generation wants the first call of a turn signed, and takes the documented word for it."""
    answer = recorded(origin, "thinking_tools" if origin == "anthropic" else "tools")

    contents = sent(BY_NAME["gemini"], saved(conversation(answer)))["contents"]

    calls = [part for content in contents for part in content["parts"] if "functionCall" in part]
    assert [part.get("thoughtSignature") for part in calls] == [SKIPPED, None]


def test_ids_are_rewritten_where_the_format_demands_it() -> None:
    """Anthropic takes letters, digits, `_` and `-`; Mistral nine letters or digits; results follow their calls."""
    messages = saved(conversation(recorded("openai-chat", "odd ids")))

    anthropic = steps("anthropic", sent(BY_NAME["anthropic"], messages))
    mistral = steps("openai-chat", sent(BY_NAME["openai-chat"], messages[:-1], quirks=MISTRAL))

    assert anthropic[0] == ("call", "functions_sail_0_96512b35")
    for told in (anthropic, mistral):
        assert len({call_id for kind, call_id in told if kind == "call"}) == 3
        assert [call_id for kind, call_id in told if kind == "call"] == [call_id for kind, call_id in told if kind == "result"]
    assert {len(call_id) for _, call_id in mistral} == {9}


def test_call_that_was_cut_goes_along_as_an_empty_one() -> None:
    """Arguments that are no JSON are sent as none, with the result that says so; elsewhere and at home."""
    messages = saved(conversation(recorded("openai-chat", "odd ids")))

    for target in PROVIDERS:
        accepted(target, sent(target, messages))
    chat = sent(BY_NAME["openai-chat"], messages)["messages"][2]["tool_calls"]
    assert [call["function"]["arguments"] for call in chat] == ['{"to":"north"}', "{}", "{}"]


@pytest.mark.parametrize("target", PROVIDERS, ids=str)
def test_conversation_through_all_providers_goes_on(target: Provider) -> None:
    """Turns of all four in one conversation, ids used twice included, go on at each of them, with its own turn as it was."""
    turns = [("anthropic", "thinking_tools"), ("gemini", "tools"), ("openai", "tools"), ("openai-chat", "tools")]
    turns += [(target.name, "text")]
    messages = saved(tuple(message for turn in turns for message in conversation(recorded(*turn))))

    body = sent(target, messages)

    accepted(target, body)
    own = {stem for name, stem in turns if name == target.name}
    foreign = {secret for name, stem in turns if name != target.name for secret in kept(recorded(name, stem))}
    assert foreign & set(texts(body)) == set()
    at_home = {secret for stem in own for secret in kept(recorded(target.name, stem))}
    assert {secret for secret in at_home if secret.endswith("==")} <= set(texts(body))


CASES = [
    case
    for case in load_cases("anthropic", "gemini", "openai-responses", "openai-chat", "openai-compatible")
    if case.form != "error" and not case.expect.get("error") and not case.expect.get("incomplete")
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_recorded_answer_goes_on_everywhere(case: Case) -> None:
    """Every answer that a provider ever gave can be followed up at every provider, its own included."""
    origin = {"openai-responses": "openai", "openai-compatible": "openai-chat"}.get(case.protocol, case.protocol)

    def make(head: ResponseHead) -> Any:
        return BY_NAME[origin].decoder(provider=origin, provider_request_id=head.request_id)

    answer = fold(decode(case, make)).message
    messages = saved(conversation(answer))

    for target in PROVIDERS:
        body = sent(target, messages)
        accepted(target, body)
        if target.name != origin:
            assert body == sent(target, saved(conversation(bare(answer))))


def test_tool_that_a_provider_ran_is_no_call_elsewhere() -> None:
    """A search at one provider, done or under way, is nothing that another waits for; the answer built on it remains."""
    for origin, stem in (("anthropic", "search"), ("anthropic", "half a search"), ("gemini", "search"), ("openai", "hosted")):
        answer = recorded(origin, stem)
        assert any(isinstance(part, ToolCall) and part.provider_executed for part in answer.content)
        for target in PROVIDERS:
            if target.name != origin:
                assert steps(target.name, sent(target, saved(conversation(answer)))) == []
