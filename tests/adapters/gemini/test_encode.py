"""What a request looks like on the wire, but for its messages."""

import base64
import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from allm_rx.adapters.gemini.generate_content.options import Service, generation, is_third, vertex_host
from allm_rx.data.messages import system, user
from allm_rx.data.parts import ImagePart
from allm_rx.data.requests import PromptCache, Reasoning, Request, json_schema
from allm_rx.data.tools import Tool, provider_tool
from tests.adapters.gemini.accepted import accepted
from tests.adapters.gemini.bodies import STUDIO, VERTEX, body, contents, wire

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
