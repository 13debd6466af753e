"""What a request looks like on the wire: messages, options and the envelope."""

import base64
import json
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from allm_rx.adapters.gemini.generate_content.encode import encode
from allm_rx.adapters.gemini.generate_content.options import Service, generation, is_third, vertex_host
from allm_rx.data.messages import Message, assistant, system, tool_result, user
from allm_rx.data.parts import (
    AudioPart,
    FilePart,
    ImagePart,
    Part,
    ProviderPart,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCall,
    ToolResultPart,
)
from allm_rx.data.requests import PromptCache, Reasoning, Request, json_schema
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.wire.http import WireRequest
from tests.adapters.gemini.accepted import accepted

STUDIO = Service()
VERTEX = Service(base_url="https://aiplatform.googleapis.com", api_version="v1beta1", parent="projects/p/locations/global/")
CALL = ToolCall(id="c1", name="look", arguments={"at": "sea"})
DUMMY = "skip_thought_signature_validator"


def wire(request: Request, service: Service = STUDIO, **options: Any) -> WireRequest:
    return encode(request, service=service, key=SecretStr("lake-key"), headers=options.pop("headers", {}), **options)


def body(*messages: Message, service: Service = STUDIO, model: str = "gemini-2.5-flash", **fields: Any) -> dict[str, Any]:
    """Give a body, which Google's own package takes too."""
    request = Request(messages=messages or (user("Hi"),), model=model, **fields)
    given: dict[str, Any] = json.loads(wire(request, service).body)
    if "cachedContent" not in given:
        accepted(given)
    return given


def contents(*messages: Message, model: str = "gemini-2.5-flash", service: Service = STUDIO) -> list[dict[str, Any]]:
    return body(*messages, model=model, service=service)["contents"]


def own(**fields: Any) -> dict[str, Any]:
    return {"gemini": fields}


# The envelope.


def test_smallest_request() -> None:
    """What is not given is not sent."""
    assert body() == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def test_request_is_deterministic_and_compact() -> None:
    """The same request gives the same bytes, without spaces."""
    request = Request(messages=(system("Be brief."), user("Hi")), model="m", temperature=0.5)

    assert wire(request).body == wire(request).body
    assert wire(request).body.startswith(b'{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user",')


def test_key_is_hidden_and_headers_win() -> None:
    """The key is a secret in a header and never in the address; the caller's headers come last, whatever their case."""
    sent = wire(Request(messages=(user("Hi"),), model="m"), headers={"Accept": "text/plain", "X-Goog-User-Project": "p"})

    assert sent.plain_headers() == {
        "content-type": "application/json",
        "accept": "text/plain",
        "x-goog-api-key": "lake-key",
        "x-goog-user-project": "p",
    }
    assert "lake-key" not in repr(sent)
    assert "lake-key" not in sent.url


def test_token_is_a_bearer() -> None:
    """Vertex AI takes a token where AI Studio takes a key."""
    headers = wire(Request(messages=(user("Hi"),), model="m"), VERTEX).plain_headers()

    assert headers["authorization"] == "Bearer lake-key"
    assert "x-goog-api-key" not in headers


@pytest.mark.parametrize(
    ("service", "model", "url"),
    [
        (STUDIO, "m", "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse"),
        (STUDIO, "models/m", "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse"),
        (STUDIO, "tunedModels/t", "https://generativelanguage.googleapis.com/v1beta/tunedModels/t:streamGenerateContent?alt=sse"),
        (STUDIO, "a b?c", "https://generativelanguage.googleapis.com/v1beta/models/a%20b%3Fc:streamGenerateContent?alt=sse"),
        (Service(base_url="http://l:1/"), "m", "http://l:1/v1beta/models/m:streamGenerateContent?alt=sse"),
        (Service(base_url="http://l:1/g/v1beta"), "m", "http://l:1/g/v1beta/models/m:streamGenerateContent?alt=sse"),
        (Service(base_url="http://l:1", api_version=None), "m", "http://l:1/models/m:streamGenerateContent?alt=sse"),
        (Service(base_url="http://l:1?x=y"), "m", "http://l:1/v1beta/models/m:streamGenerateContent?alt=sse&x=y"),
    ],
)
def test_address_at_ai_studio(service: Service, model: str, url: str) -> None:
    """The base is that of Google's own package; a model may say that it is one."""
    assert wire(Request(messages=(user("Hi"),), model=model), service).url == url


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("m", "projects/p/locations/global/publishers/google/models/m"),
        ("models/m", "projects/p/locations/global/publishers/google/models/m"),
        ("meta/m", "projects/p/locations/global/publishers/meta/models/m"),
        ("publishers/meta/models/m", "projects/p/locations/global/publishers/meta/models/m"),
        ("projects/q/locations/l/endpoints/7", "projects/q/locations/l/endpoints/7"),
    ],
)
def test_address_at_vertex(model: str, path: str) -> None:
    """A plain name is one of Google's models; anything longer says where it is."""
    url = wire(Request(messages=(user("Hi"),), model=model), VERTEX).url

    assert url == f"https://aiplatform.googleapis.com/v1beta1/{path}:streamGenerateContent?alt=sse"


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "https://aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_host_of_a_location(location: str, host: str) -> None:
    """Each kind of location has hosts of its own."""
    assert vertex_host(location) == host


@pytest.mark.parametrize(
    ("model", "number"),
    [
        ("gemini-2.5-flash", 2.5),
        ("models/gemini-3-pro-preview", 3.0),
        ("gemini-3.1-pro-preview", 3.1),
        ("publishers/google/models/gemini-2.0-flash-001", 2.0),
        ("gemini-flash-lite-latest", 3.0),
        ("gemini-embedding-001", None),
        ("gemma-3-27b-it", None),
        (None, None),
    ],
)
def test_generation_of_a_model(model: str | None, number: float | None) -> None:
    """A name tells a generation, or none."""
    assert generation(model) == number
    assert is_third(model) is (number is not None and number >= 3)


# Roles.


def test_system_messages_are_the_instruction() -> None:
    """All of them, wherever they stand, and none of them in the conversation."""
    given = body(system("Be brief."), user("Hi"), system("And kind."))

    assert given["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "And kind."}]}
    assert given["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_neighbours_of_one_role_are_one_content() -> None:
    """Roles alternate; parts stay apart."""
    assert contents(user("a"), user("b"), assistant("c"), assistant("d"), user("e")) == [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
        {"role": "user", "parts": [{"text": "e"}]},
    ]


def test_answer_without_content_is_left_out() -> None:
    """An empty content would be refused."""
    assert contents(user("a"), assistant(""), user("b")) == [{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}]


def test_empty_user_message_has_a_part() -> None:
    """A content has at least one."""
    assert contents(user("")) == [{"role": "user", "parts": [{"text": ""}]}]


# Tools of the application.


def test_results_have_a_content_of_their_own() -> None:
    """All results of a turn stand together behind their calls, apart from what the user says then."""
    calls = [CALL, ToolCall(id="c2", name="row")]

    sent = contents(user("Go"), assistant(calls), tool_result("c1", "calm"), tool_result("c2", "done"), user("And?"))

    assert sent[1:] == [
        {
            "role": "model",
            "parts": [{"functionCall": {"name": "look", "args": {"at": "sea"}}}, {"functionCall": {"name": "row", "args": {}}}],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "look", "response": {"output": "calm"}}},
                {"functionResponse": {"name": "row", "response": {"output": "done"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "And?"}]},
    ]


def test_failed_result_is_an_error() -> None:
    """The protocol has no flag for it, only the convention of a key."""
    (part,) = contents(user("Go"), assistant([CALL]), tool_result("c1", "no wind", is_error=True))[-1]["parts"]

    assert part["functionResponse"]["response"] == {"error": "no wind"}


def test_id_of_the_provider_is_repeated() -> None:
    """An id that the provider gave goes back with the call and with its result; one of ours does not."""
    call = CALL.replace(provider_data=own(id="fc-1"))

    sent = contents(user("Go"), assistant([call]), tool_result("c1", "calm"))

    assert sent[1]["parts"][0]["functionCall"]["id"] == "fc-1"
    assert sent[2]["parts"][0]["functionResponse"]["id"] == "fc-1"


def test_result_of_a_tool_may_be_given_in_the_providers_words() -> None:
    """`provider_data` replaces the wrapping, and adds further fields."""
    result = ToolResultPart(id="c1", content="x", provider_data=own(response={"metres": 3}, scheduling="SILENT"))

    (part,) = contents(user("Go"), assistant([CALL]), Message(role="tool", content=[result]))[-1]["parts"]

    assert part["functionResponse"] == {"name": "look", "response": {"metres": 3}, "scheduling": "SILENT"}


def test_picture_of_a_tool_goes_with_its_result() -> None:
    """The third generation looks at what tools show."""
    shown = tool_result("c1", [TextPart(text="See:"), ImagePart(data=b"x", media_type="image/png")])

    (part,) = contents(user("Go"), assistant([CALL]), shown, model="gemini-3-pro-preview")[-1]["parts"]

    assert part["functionResponse"]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "eA=="}}]
    assert part["functionResponse"]["response"] == {"output": "See:"}


def test_picture_of_a_tool_follows_the_results_of_older_models() -> None:
    """Where results are text, media come in the content after them, with what the user says next."""
    shown = tool_result("c1", [ImagePart(data=b"x", media_type="image/png")])

    sent = contents(user("Go"), assistant([CALL]), shown, user("And?"))

    assert sent[2]["parts"] == [{"functionResponse": {"name": "look", "response": {"output": "The result follows."}}}]
    assert sent[3]["parts"] == [
        {"text": "From the result of 'look':"},
        {"inlineData": {"mimeType": "image/png", "data": "eA=="}},
        {"text": "And?"},
    ]


# What the model said.


def test_signatures_go_back_in_their_places() -> None:
    """Signed text, thoughts, calls and pictures are written as they came; unsigned thoughts have no use."""
    parts: list[Part] = [
        ReasoningPart(text="hm"),
        ReasoningPart(text="so", provider_data=own(thoughtSignature="sig1")),
        TextPart(text="a"),
        TextPart(text="b", provider_data=own(thoughtSignature="sig2")),
        ImagePart(data=b"x", media_type="image/png", provider_data=own(thoughtSignature="sig3")),
        CALL.replace(provider_data=own(id="fc-1", thoughtSignature="sig4")),
        TextPart(text="", provider_data=own(thoughtSignature="sig5")),
    ]

    assert contents(user("Go"), assistant(parts), tool_result("c1", "calm"), model="gemini-3-pro-preview")[1]["parts"] == [
        {"text": "so", "thought": True, "thoughtSignature": "sig1"},
        {"text": "a"},
        {"text": "b", "thoughtSignature": "sig2"},
        {"inlineData": {"mimeType": "image/png", "data": "eA=="}, "thoughtSignature": "sig3"},
        {"functionCall": {"id": "fc-1", "name": "look", "args": {"at": "sea"}}, "thoughtSignature": "sig4"},
        {"text": "", "thoughtSignature": "sig5"},
    ]


def test_what_the_provider_ran_goes_back_whole() -> None:
    """Its calls, results and items are repeated from what was kept; an unsigned picture that was a thought is not."""
    code = {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "sign"}
    out = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}
    item = {"audioTranscription": {"text": "hi"}}
    draft = {"inlineData": {"mimeType": "image/png", "data": "eA=="}, "thought": True}
    parts: list[Part] = [
        ToolCall(id="x", name="codeExecution", provider_executed=True, provider_data=own(**code)),
        ToolResultPart(id="x", provider_executed=True, provider_data=own(**out)),
        ProviderPart(kind="audioTranscription", provider_data=own(**item)),
        ProviderPart(kind="inlineData", provider_data=own(**draft)),
        SourcePart(url="https://lake.example"),
    ]

    assert contents(user("Go"), assistant(parts))[1]["parts"] == [code, out, item]


def test_what_others_said_keeps_its_text_only() -> None:
    """Reasoning, signatures, items and calls of another provider's tools stay behind; its words and pictures go on."""
    foreign: dict[str, Any] = {"anthropic.messages": {"signature": "s"}}
    parts: list[Part] = [
        ReasoningPart(text="hm", provider_data=foreign),
        TextPart(text="a", provider_data=foreign),
        ToolCall(id="s", name="web_search", provider_executed=True, provider_data=foreign),
        ToolResultPart(id="s", provider_executed=True, provider_data=foreign),
        ProviderPart(kind="x", provider_data=foreign),
        ImagePart(data=b"x", media_type="image/png", provider_data=foreign),
    ]

    assert contents(user("Go"), assistant(parts))[1]["parts"] == [
        {"text": "a"},
        {"inlineData": {"mimeType": "image/png", "data": "eA=="}},
    ]


def test_first_call_from_elsewhere_gets_the_documented_signature() -> None:
    """The third generation refuses calls without one; only the first of a turn is looked at."""
    calls = [TextPart(text="Well."), CALL, CALL.replace(id="c2")]

    sent = contents(user("Go"), assistant(calls), tool_result("c1", "a"), tool_result("c2", "b"), model="gemini-3-pro-preview")

    assert [part.get("thoughtSignature") for part in sent[1]["parts"]] == [None, DUMMY, None]
    assert all("thoughtSignature" not in part for content in sent[2:] for part in content["parts"])


def test_older_models_get_no_signature_that_nobody_made() -> None:
    """They do not ask for one."""
    assert DUMMY not in json.dumps(contents(user("Go"), assistant([CALL]), tool_result("c1", "a")))


def test_request_does_not_change_its_messages() -> None:
    """Signing happens in the copy that is sent."""
    message = assistant([ProviderPart(kind="functionCall", provider_data=own(functionCall={"name": "f"}))])
    before = message.model_dump_json()

    contents(user("Go"), message, user("On"), model="gemini-3-pro-preview")

    assert message.model_dump_json() == before


# Media.


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (ImagePart(data=b"hi", media_type="image/png"), {"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
        (FilePart(data=b"hi", media_type="application/pdf"), {"inlineData": {"mimeType": "application/pdf", "data": "aGk="}}),
        (AudioPart(data=b"hi", media_type="audio/wav"), {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}}),
        (ImagePart(url="https://x/p.png"), {"fileData": {"fileUri": "https://x/p.png"}}),
        (
            FilePart(url="gs://b/d.pdf", media_type="application/pdf"),
            {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/d.pdf"}},
        ),
        (
            FilePart(file_id="files/abc"),
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
        ),
        (FilePart(file_id="https://g/v1beta/files/abc"), {"fileData": {"fileUri": "https://g/v1beta/files/abc"}}),
        (ImagePart(url="data:image/png;base64,aGk="), {"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
        (ImagePart(url="data:,h%69"), {"inlineData": {"mimeType": "text/plain", "data": "aGk="}}),
        (
            FilePart(url="https://x/v.mp4", provider_data=own(videoMetadata={"endOffset": "5s"})),
            {"fileData": {"fileUri": "https://x/v.mp4"}, "videoMetadata": {"endOffset": "5s"}},
        ),
    ],
)
def test_media_of_the_user(part: Part, written: dict[str, Any]) -> None:
    """Bytes travel inline, everything else by address; `provider_data` adds fields of the wire's part."""
    assert contents(user(["See:", part]))[0]["parts"] == [{"text": "See:"}, written]


def test_item_of_the_user_is_sent_as_it_is() -> None:
    """What we do not model can be said in the protocol's own words."""
    item = ProviderPart(kind="executableCode", provider_data=own(executableCode={"language": "PYTHON", "code": "1"}))

    assert contents(user(["Run:", item]))[0]["parts"][1] == {"executableCode": {"language": "PYTHON", "code": "1"}}


# Options.


def config(**fields: Any) -> dict[str, Any]:
    return body(**fields).get("generationConfig", {})


def test_options_have_their_names() -> None:
    """Each option of ours has one field."""
    assert config(temperature=0.5, top_p=0.9, max_tokens=7, stop=["x", "y"], seed=3) == {
        "temperature": 0.5,
        "topP": 0.9,
        "maxOutputTokens": 7,
        "stopSequences": ["x", "y"],
        "seed": 3,
    }


class Lake(BaseModel):
    depth: int


@pytest.mark.parametrize(
    ("wanted", "written"),
    [
        ("text", {}),
        ("json_object", {"responseMimeType": "application/json"}),
        (
            json_schema({"type": "object", "properties": {}}, description="A lake."),
            {
                "responseMimeType": "application/json",
                "responseJsonSchema": {"description": "A lake.", "type": "object", "properties": {}},
            },
        ),
        (
            Lake,
            {
                "responseMimeType": "application/json",
                "responseJsonSchema": {
                    "properties": {"depth": {"title": "Depth", "type": "integer"}},
                    "required": ["depth"],
                    "title": "Lake",
                    "type": "object",
                },
            },
        ),
    ],
)
def test_form_of_the_answer(wanted: Any, written: dict[str, Any]) -> None:
    """JSON is asked for by its media type, and by a schema where there is one."""
    assert config(response_format=wanted) == written


@pytest.mark.parametrize(
    ("model", "wanted", "written"),
    [
        ("gemini-2.5-flash", Reasoning(budget_tokens=0), {"thinkingBudget": 0}),
        ("gemini-2.5-flash", Reasoning(effort="none"), {"thinkingBudget": 0}),
        ("gemini-2.5-flash", Reasoning(effort="low"), {"thinkingBudget": 1024}),
        ("gemini-2.5-flash", Reasoning(effort="medium"), {"thinkingBudget": 8192}),
        ("gemini-2.5-flash", Reasoning(effort="high"), {"thinkingBudget": 24576}),
        ("gemini-2.5-flash", Reasoning(effort="max"), {"thinkingBudget": 24576}),
        ("gemini-2.5-pro", Reasoning(effort="max"), {"thinkingBudget": 32768}),
        ("gemini-3-flash-preview", Reasoning(effort="minimal"), {"thinkingLevel": "MINIMAL"}),
        ("gemini-3-flash-preview", Reasoning(effort="low"), {"thinkingLevel": "LOW"}),
        ("gemini-3-flash-preview", Reasoning(effort="max"), {"thinkingLevel": "HIGH"}),
        ("gemini-3-flash-preview", Reasoning(budget_tokens=100), {"thinkingBudget": 100}),
        ("lake-model", Reasoning(effort="medium"), {"thinkingLevel": "MEDIUM"}),
        ("lake-model", Reasoning(effort="none"), {"thinkingBudget": 0}),
        ("lake-model", Reasoning(summary="auto"), {"includeThoughts": True}),
        ("lake-model", Reasoning(effort="low", summary="none"), {"includeThoughts": False, "thinkingLevel": "LOW"}),
    ],
)
def test_thinking_is_a_budget_or_a_level(model: str, wanted: Reasoning, written: dict[str, Any]) -> None:
    """The second generation counts tokens, later ones take words; a budget that was given stays one."""
    assert config(model=model, reasoning=wanted) == {"thinkingConfig": written}


def test_empty_wish_to_think_says_nothing() -> None:
    """The provider's own way holds."""
    assert config(reasoning=Reasoning()) == {}


def test_cache_that_the_provider_has_anyway_says_nothing() -> None:
    """Prompts are cached without being asked."""
    assert body(prompt_cache=PromptCache()) == body()


def test_provider_options_come_last() -> None:
    """They are merged deeply, over what we wrote, in either spelling."""
    given = body(
        temperature=0.5,
        max_tokens=7,
        provider_options={
            "generation_config": {"top_k": 3, "maxOutputTokens": 9},
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        },
    )

    assert given["generationConfig"] == {"temperature": 0.5, "maxOutputTokens": 9, "topK": 3}
    assert given["safetySettings"] == [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]


@pytest.mark.parametrize("name", ["cachedContent", "cached_content"])
def test_cached_content_holds_system_and_tools(name: str) -> None:
    """What the cache has is not sent again, because it would be refused."""
    given = body(
        system("Be brief."),
        user("Hi"),
        tools=(Tool(name="look"),),
        tool_choice="required",
        provider_options={name: "cachedContents/1"},
    )

    assert given == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "cachedContent": "cachedContents/1"}


def test_hosted_tools_of_vertex_are_groups() -> None:
    """Tools of one door are sent as they were given."""
    given = body(service=VERTEX, tools=(provider_tool("gemini", {"enterpriseWebSearch": {}}),))

    assert given["tools"] == [{"enterpriseWebSearch": {}}]


def test_acceptance_is_strict() -> None:
    """The models of Google's package, which every body here goes through, refuse what they do not know."""
    with pytest.raises(ValidationError, match="topQ"):
        accepted({"generationConfig": {"topQ": 1}})


def test_inline_data_are_whole_for_the_package() -> None:
    """What we write as base64 is read as the same bytes."""
    picture = bytes(range(256))

    (content,) = accepted({"contents": contents(user([ImagePart(data=picture, media_type="image/png")]))})["contents"]

    assert content["parts"][0]["inline_data"]["data"] == picture
    assert base64.b64encode(picture).decode() in json.dumps(contents(user([ImagePart(data=picture, media_type="image/png")])))
