"""The adapter itself, from the call to the wire and back."""

import json
from typing import Any

from allm_rx import Engine, chat, generate, tool, user
from allm_rx.adapters.openai.responses.adapter import OpenAI
from allm_rx.data.parts import ReasoningPart, ToolCall
from allm_rx.data.tools import provider_tool
from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, Recording
from allm_rx.testing.faults import ErrorFrame
from allm_rx.testing.provider_server import ProviderServer
from tests.adapters.openai_responses.frames import RECORDINGS


def engine_at(server: ProviderServer, **options: Any) -> Engine:
    return Engine(adapter=OpenAI(base_url=server.base_url("openai"), **options), model="m")


def test_response_carries_everything() -> None:
    """Ids, text, thoughts, usage and the reason of the end."""
    usage = Usage(input_tokens=12, output_tokens=7, reasoning_tokens=3)
    with ProviderServer(Answer("Aye.", reasoning="Hm.", usage=usage)) as server:
        response = generate(engine_at(server, provider="lake"), "Ahoy").run()

    assert (response.id, response.provider, response.provider_request_id, response.model) == ("resp_0", "lake", "req_0", "m")
    assert (response.output_text, response.reasoning, response.finish_reason) == ("Aye.", "Hm.", "stop")
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.reasoning_tokens) == (12, 7, 3)


def test_recorded_answer_of_another_shape_is_read_over_a_socket() -> None:
    """What the provider streams, hosted tools and all, arrives."""
    with ProviderServer(Recording((RECORDINGS / "hosted.sse").read_bytes())) as server:
        response = generate(engine_at(server), "How deep?").run()

    assert response.output_text == "Deep, 22 metres."
    assert [source.document_id for source in response.sources] == [None, "file_1", "cfile_1", "file_2"]


def test_whole_body_is_read_like_a_stream() -> None:
    """A server that is asked not to stream, or does not, says the same."""
    with ProviderServer(Answer("Aye.", tool_calls=[ToolCall(id="c1", name="look")])) as server:
        response = generate(engine_at(server), "Ahoy", provider_options={"stream": False}).run()

    assert (response.output_text, response.finish_reason, response.tool_calls[0].id) == ("Aye.", "tool_calls", "c1")


def test_error_inside_a_stream_keeps_the_text() -> None:
    """An error event that nothing follows ends the answer."""
    with ProviderServer(Answer("Half a boat", faults=[ErrorFrame(6, "The mast broke.")])) as server:
        response = generate(engine_at(server), "Ahoy").run()

    assert response.output_text == "Half a"
    assert response.error is not None
    assert (response.error.reason, "The mast broke." in response.error.message) == ("server_error", True)


def test_thoughts_and_calls_go_back_as_they_came() -> None:
    """The second request of a tool loop holds the items of the first answer, and the result."""

    @tool
    def look(at: str) -> str:
        """Look somewhere."""
        return f"{at}: calm"

    call = ToolCall(id="c1", name="look", arguments={"at": "sea"})
    with ProviderServer([Answer(reasoning="Hm.", tool_calls=[call]), Answer("Calm.")]) as server:
        result = chat(engine_at(server).with_tools(look), [user("Ahoy")]).run()
        sent = server.requests[1].body["input"]

    assert result.final_response is not None
    assert result.final_response.output_text == "Calm."
    assert [item.get("type") for item in sent] == [None, "reasoning", "function_call", "function_call_output"]
    assert (sent[1]["id"], sent[1]["summary"]) == ("rs_0", [{"type": "summary_text", "text": "Hm."}])
    assert sent[1]["encrypted_content"]
    assert (sent[2]["id"], sent[2]["call_id"], sent[3]["output"]) == ("fc_0_0", "c1", "sea: calm")


def test_tool_that_was_offered_for_this_machine_is_a_call() -> None:
    """The request says which of the API's tools the application runs."""
    item = {"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "action": {"type": "exec", "command": ["ls"]}}
    body = json.dumps({"object": "response", "status": "completed", "output": [item]}).encode()
    shell = provider_tool("openai.responses", {"type": "local_shell"})
    with ProviderServer(Recording(body)) as server:
        asked, unasked = generate(engine_at(server), "ls", tools=[shell]).run(), generate(engine_at(server), "ls").run()

    assert [(call.id, call.name, call.arguments["command"]) for call in asked.tool_calls] == [("c1", "local_shell", ["ls"])]
    assert unasked.tool_calls == ()


def test_reasoning_that_is_left_early_is_kept_readable() -> None:
    """Parts of a summary that came are parts of the message, signed or not."""
    body = (RECORDINGS / "tools.sse").read_bytes()
    with ProviderServer(Recording(body[: body.index(b"event: response.output_item.done")])) as server:
        response = generate(engine_at(server), "Sail!").run()

    assert response.error is not None
    assert response.error.reason == "stream_interrupted"
    assert [part.text[:8] for part in response.message.content if isinstance(part, ReasoningPart)] == ["**Wind**", "**Anchor"]
