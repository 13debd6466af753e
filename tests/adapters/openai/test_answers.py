"""Structured answers of services that know no schema: a forced tool, lifted back to text."""

import json
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
from pydantic import BaseModel, RootModel
from reactivex import operators as ops

from allm_rx import Engine, ToolCall, chat, errors, generate, stream_generate, tool
from allm_rx import operators as lx
from allm_rx.adapters import OpenAIChat
from allm_rx.adapters.openai.chat_completions import options
from allm_rx.adapters.openai.chat_completions.check import check
from allm_rx.adapters.openai.chat_completions.decode import ChatDecoder
from allm_rx.adapters.openai.chat_completions.encode import encode_body
from allm_rx.data.events import TextCompleted, TextDelta
from allm_rx.data.messages import user
from allm_rx.data.parts import TextPart
from allm_rx.data.requests import AllowedTools, Reasoning, Request, json_schema
from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.wire.answers import ANSWER_TOOL
from allm_rx.wire.sse import SseDecoder
from tests.adapters.openai.chat_frames import answer, call, chunk, events_of, text
from tests.fixture_cases import bytewise, decode, fold, load_cases

QUIRKS = options.DEEPSEEK
OSLO = {"name": "Oslo", "people": 717710}
HI = (user("Oslo?"),)
RECORDED = [case for case in load_cases("openai-compatible") if case.name == "deepseek-tool"]

FRAMES = (
    chunk({"role": "assistant", "content": ""}),
    call(index=0, id="c1", name=ANSWER_TOOL, arguments=""),
    call(index=0, arguments='{"name":"Os'),
    call(index=0, arguments='lo","people":71'),
    call(index=0, arguments="7710}"),
    chunk(finish="tool_calls"),
)
WIRE = b"".join(b"data: %s\n\n" % json.dumps(frame).encode() for frame in FRAMES) + b"data: [DONE]\n\n"


class City(BaseModel):
    name: str
    people: int = 0


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"calm in {city}"


ANSWER = ToolCall(id="call_1", name=ANSWER_TOOL, arguments=OSLO)
LOOKUP = ToolCall(id="call_2", name="weather", arguments={"city": "Oslo"})


def engine(server: ProviderServer) -> Engine:
    adapter = OpenAIChat(base_url=server.base_url("openai-chat"), api_key="x", provider="lake", quirks=QUIRKS)
    return Engine(adapter=adapter, model="m", retry=False)


def body(**fields: Any) -> dict[str, Any]:
    return encode_body(Request(messages=HI, model="m", **{"response_format": City, **fields}), QUIRKS)


def refused(**fields: Any) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(errors.ValidationError) as raised:
        check(Request(messages=HI, **{"response_format": City, **fields}), quirks=QUIRKS, provider="lake")
    assert all("lake" in issue.message for issue in raised.value.errors)
    return [(issue.path, issue.code) for issue in raised.value.errors]


def lifted(*frames: Any, **options: Any) -> Any:
    return answer(*frames, answer_tool=ANSWER_TOOL, **options)


# What is sent.


def test_schema_is_that_of_a_forced_tool() -> None:
    """The format is not sent, all properties are required, and the tool is not marked as strict."""
    sent = body()

    (offered,) = sent["tools"]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": ANSWER_TOOL}}
    assert "response_format" not in sent
    assert offered["function"].keys() == {"name", "description", "parameters"}
    assert offered["function"]["parameters"]["required"] == ["name", "people"]


def test_schema_that_is_not_strict_goes_as_it_is() -> None:
    """And its description tells what the tool is for."""
    schema = City.model_json_schema()

    sent = body(response_format=json_schema(schema, strict=False, description="A city."))

    assert sent["tools"][0]["function"] == {"name": ANSWER_TOOL, "description": "A city.", "parameters": schema}


@pytest.mark.parametrize("wanted", ["json_object", "text"])
def test_other_formats_stay_native(wanted: str) -> None:
    """Only a schema needs the tool."""
    assert body(response_format=wanted)["response_format"] == {"type": wanted}
    assert "tools" not in body(response_format=wanted)


def test_service_with_schemas_gets_the_schema() -> None:
    """The quirk decides, not the host."""
    sent = encode_body(Request(messages=HI, response_format=City), replace(QUIRKS, json_schema=True))

    assert sent["response_format"]["type"] == "json_schema"
    assert "tools" not in sent


@pytest.mark.parametrize(
    ("choice", "names", "sent"),
    [
        (None, ["weather"], "required"),
        ("auto", ["weather"], "required"),
        ("required", ["weather"], "required"),
        (AllowedTools(names=("weather",)), ["weather"], "required"),
        ("none", ["weather"], {"type": "function", "function": {"name": ANSWER_TOOL}}),
        ("weather", ["weather"], {"type": "function", "function": {"name": "weather"}}),
    ],
)
def test_beside_tools_of_the_callers_one_is_forced(choice: Any, names: list[str], sent: Any) -> None:
    """The model may look something up before it answers, and what the caller forces stays forced."""
    made = body(tools=(weather.spec,), tool_choice=choice)

    assert [offered["function"]["name"] for offered in made["tools"]] == [*names, ANSWER_TOOL]
    assert made["tool_choice"] == sent


def test_of_allowed_tools_only_those_stand_beside_the_answer() -> None:
    """Also where the service knows such lists, since one would shut the answer out."""
    other = weather.spec.replace(name="tides")
    allowed = AllowedTools(names=("weather",))
    request = Request(messages=HI, tools=(weather.spec, other), tool_choice=allowed, response_format=City)

    sent = encode_body(request, replace(QUIRKS, allowed_tools=True))

    assert [offered["function"]["name"] for offered in sent["tools"]] == ["weather", ANSWER_TOOL]
    assert sent["tool_choice"] == "required"


def test_thinking_is_turned_off_where_a_tool_is_forced() -> None:
    """DeepSeek thinks unless told otherwise and then refuses the choice."""
    assert body()["thinking"] == {"type": "disabled"}
    assert body(response_format=None, tools=(weather.spec,), tool_choice="required")["thinking"] == {"type": "disabled"}
    assert "thinking" not in body(response_format=None, tools=(weather.spec,))


# What is refused.


@pytest.mark.parametrize("reasoning", ["low", Reasoning(budget_tokens=99), Reasoning(summary="auto")])
def test_thinking_beside_it_is_refused(reasoning: Any) -> None:
    """A forced tool and thinking exclude each other, whoever forces it."""
    assert refused(reasoning=reasoning) == [(("response_format",), "conflicts_with_reasoning")]
    assert refused(response_format=None, tools=(weather.spec,), tool_choice="weather", reasoning=reasoning) == [
        (("tool_choice",), "conflicts_with_reasoning")
    ]


@pytest.mark.parametrize("fields", [{"reasoning": "none"}, {"reasoning": Reasoning(budget_tokens=0)}, {"tools": (weather.spec,)}])
def test_what_goes_together_is_accepted(fields: dict[str, Any]) -> None:
    """No thinking, and tools of the caller's, conflict with nothing."""
    check(Request(messages=HI, response_format=City, **fields), quirks=QUIRKS, provider="lake")


def test_its_name_is_reserved_where_it_is_used() -> None:
    """A tool of the caller's by that name would be taken for the answer; without a format it is one like any other."""
    mine = weather.spec.replace(name=ANSWER_TOOL)

    assert refused(tools=(mine,)) == [(("tools",), "reserved_tool_name")]
    check(Request(messages=HI, tools=(mine,)), quirks=QUIRKS, provider="lake")


@pytest.mark.parametrize("wanted", [RootModel[list[int]], RootModel[int | str]])
def test_answer_that_is_no_object_is_refused(wanted: Any) -> None:
    """Arguments of a tool are an object."""
    assert refused(response_format=wanted) == [(("response_format", "json_schema"), "not_an_object")]


# What is read.


@pytest.mark.parametrize("cut", range(len(WIRE) + 1))
def test_answer_is_the_text_however_it_was_cut(cut: int) -> None:
    """What the tool is called with is the text, piece by piece; the answer is a plain stop."""
    sse, decoder = SseDecoder(), ChatDecoder(provider="lake", answer_tool=ANSWER_TOOL)

    records = chain(sse.feed(WIRE[:cut]), sse.feed(WIRE[cut:]), sse.finish())
    events = [event for record in records for event in decoder.feed(record)] + decoder.finish()

    assert [event for event in events if isinstance(event, (TextDelta, TextCompleted))] == [
        TextDelta("answer", '{"name":"Os'),
        TextDelta("answer", 'lo","people":71'),
        TextDelta("answer", "7710}"),
        TextCompleted("answer", '{"name":"Oslo","people":717710}'),
    ]
    response = fold(events)
    assert response.message.content == (TextPart(text='{"name":"Oslo","people":717710}'),)
    assert (response.finish_reason, response.raw_finish_reason) == ("stop", "tool_calls")


@pytest.mark.parametrize("case", RECORDED, ids=str)
def test_recorded_call_is_lifted_byte_by_byte(case: Any) -> None:
    """A call that DeepSeek really made, read as an answer."""
    response = fold(decode(case, lambda _: ChatDecoder(provider="lake", answer_tool="weather"), bytewise(case.body)))

    assert json.loads(response.output_text) == {"latitude": "52.5200", "longitude": "13.4050"}
    assert (response.tool_calls, response.finish_reason) == ((), "stop")


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ((call(index=0, id="c", name=ANSWER_TOOL, arguments=OSLO),), '{"name":"Oslo","people":717710}'),
        ((call(index=0, arguments='{"a":'), call(index=0, name=ANSWER_TOOL, arguments="1}")), '{"a":1}'),
        ((call(index=0, id="c", name=ANSWER_TOOL),), "{}"),
        ((call(id="c", name=ANSWER_TOOL, arguments='{"a":1}'), call(id="d", name=ANSWER_TOOL, arguments='{"b":2}')), '{"a":1}'),
    ],
    ids=["object", "late name", "no arguments", "twice"],
)
@pytest.mark.parametrize("finish", ["tool_calls", "stop", None])
def test_answer_of_any_habit_is_read(frames: Any, said: str, finish: str | None) -> None:
    """Objects, late names, empty arguments and repetitions; whatever word the answer ends with, or none."""
    response = lifted(*frames, chunk(finish=finish))

    assert (response.output_text, response.tool_calls, response.finish_reason) == (said, (), "stop")


def test_answer_that_came_whole_is_read() -> None:
    """One JSON body gives the same."""
    made = {"id": "c", "function": {"name": ANSWER_TOOL, "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [made]}
    decoder = ChatDecoder(provider="lake", answer_tool=ANSWER_TOOL)

    events = decoder.whole(json.dumps({"choices": [{"message": message, "finish_reason": "tool_calls"}]}).encode())

    assert (fold(events).output_text, fold(events).finish_reason) == ("{}", "stop")


def test_answer_that_was_cut_stays_cut() -> None:
    """The limit of tokens is told, with what there is of the text."""
    response = lifted(call(index=0, id="c", name=ANSWER_TOOL, arguments='{"name":"Os'), chunk(finish="length"))

    assert (response.output_text, response.finish_reason) == ('{"name":"Os', "length")


def test_text_around_the_answer_is_reasoning() -> None:
    """The words a model says beside its JSON would spoil it."""
    named = call(index=0, id="c", name=ANSWER_TOOL, arguments="{}")

    response = lifted(text("Let me "), text("answer."), named, text("Done."), chunk(finish="tool_calls"))

    assert (response.output_text, response.reasoning) == ("{}", "Let me answer.Done.")


def test_text_in_place_of_the_answer_is_text() -> None:
    """A model that ignores the tool is heard, also when its stream breaks."""
    frames = chunk({"reasoning_content": "Hm."}), text('{"a":'), text("1}")

    assert lifted(*frames, chunk(finish="stop")).output_text == '{"a":1}'
    assert lifted(*frames, done=False).output_text == '{"a":1}'


def test_text_before_another_call_is_text() -> None:
    """Only the answer turns words into reasoning; the call is a call."""
    response = lifted(text("Let me look."), call(index=0, id="c", name="weather", arguments="{}"), chunk(finish="tool_calls"))

    assert [part.type for part in response.message.content] == ["text", "tool_call"]
    assert (response.output_text, response.finish_reason) == ("Let me look.", "tool_calls")


def test_another_call_beside_the_answer_is_a_call() -> None:
    """Then there is something to run, and the answer is not the last."""
    mine = call(index=1, id="d", name="weather", arguments="{}")

    response = lifted(call(index=0, id="c", name=ANSWER_TOOL, arguments="{}"), mine, chunk(finish="tool_calls"))

    assert [found.name for found in response.tool_calls] == ["weather"]
    assert response.finish_reason == "tool_calls"


def test_tool_of_that_name_is_a_call_where_no_answer_was_asked() -> None:
    """The name alone means nothing."""
    response = answer(*FRAMES)

    assert [found.name for found in response.tool_calls] == [ANSWER_TOOL]


def test_broken_answer_is_an_error_with_its_text() -> None:
    """A stream that ends inside the answer is no success."""
    events = events_of(*FRAMES[:4], done=False, answer_tool=ANSWER_TOOL)

    assert events[-1].type == "error"
    assert fold(events).output_text == '{"name":"Oslo","people":71'


# End to end.


def test_answer_is_parsed() -> None:
    """Through a socket it is an instance of the class, and what is kept is text that any provider takes."""
    with ProviderServer(Answer(tool_calls=[ANSWER])) as server:
        response = generate(engine(server), "Oslo?", response_format=City).run()

    assert response.parsed(City) == City(name="Oslo", people=717710)
    assert [part.type for part in response.message.content] == ["text"]


def test_answer_fills_up_while_it_streams() -> None:
    """Instances come before the end, within the grammar; the last one is the whole."""
    long = ToolCall(id="call_1", name=ANSWER_TOOL, arguments={"name": "Oslo by the fjord " * 9, "people": 717710})
    with ProviderServer(Answer(tool_calls=[long])) as server:
        stream = stream_generate(engine(server), "Oslo?", response_format=City)
        seen = lx.run(stream.pipe(lx.validate_grammar(), lx.partial(City), ops.to_list()))

    assert len(seen) > 2
    assert seen[-1] == City(name="Oslo by the fjord " * 9, people=717710)


def test_tools_run_before_the_answer() -> None:
    """A chat looks something up and then answers, and the next question shows the answer as text."""
    with ProviderServer([Answer("One moment.", tool_calls=[LOOKUP]), Answer(tool_calls=[ANSWER]), Answer("Hi.")]) as server:
        result = chat(engine(server), "Oslo?", tools=[weather], response_format=City).run()
        generate(engine(server), result.thread.append(user("Thanks."))).run()
        sent = [request.body for request in server.requests]

    assert result.final_response is not None
    assert result.final_response.parsed(City) == City(name="Oslo", people=717710)
    assert (result.halted_reason, len(result.steps)) == ("completed", 2)
    last = sent[-1]["messages"][-2]
    assert (last.keys(), json.loads(last["content"])) == ({"role", "content"}, OSLO)


def test_structured_finalize_asks_for_the_answer_last() -> None:
    """Tools first without a forced answer, then one call with nothing but it."""
    with ProviderServer([Answer(tool_calls=[LOOKUP]), Answer("Calm."), Answer(tool_calls=[ANSWER])]) as server:
        wanted: Any = {"tools": [weather], "response_format": City, "structured_finalize": True}
        result = chat(engine(server), "Oslo?", **wanted).run()
        offered = [[item["function"]["name"] for item in request.body["tools"]] for request in server.requests]

    assert result.final_response is not None
    assert result.final_response.parsed(City).name == "Oslo"
    assert offered == [["weather"], ["weather"], [ANSWER_TOOL]]


def test_conflict_is_raised_at_the_call() -> None:
    """Nothing is sent, and the error says what to leave out."""
    with ProviderServer() as server:
        with pytest.raises(errors.ValidationError, match=r"lake answers in JSON .* leave out the reasoning"):
            generate(engine(server), "Oslo?", response_format=City, reasoning="high")

        assert not server.requests


def test_deepseek_is_asked_so_by_name_and_by_address() -> None:
    """The service is marked where it is known; others that think alike are not."""
    assert not options.quirks_of("https://api.deepseek.com").json_schema
    assert options.quirks_of("https://api.moonshot.ai/v1").json_schema
