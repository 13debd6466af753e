"""What the loopback provider promises to those who test with it."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from openai import APIError, AuthenticationError, BadRequestError, InternalServerError, OpenAI, RateLimitError

from allm_rx.data.parts import ToolCall
from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, ErrorAnswer, Recording
from allm_rx.testing.faults import Cut, DelayBody, DelayHead, Drip, ErrorFrame, Fault, Flood, KeepAlive, ResetBeforeHead, Stall
from allm_rx.testing.provider_server import ProviderServer, main
from tests.testing.plain_http import ASK, dial, post, read_until

if TYPE_CHECKING:
    import socket

HI: Any = [{"role": "user", "content": "Hi"}]
WEATHER = ToolCall(id="call_1", name="get_weather", arguments={"city": "Oslo"})
TIME = ToolCall(id="call_2", name="get_time", arguments={"zone": "Europe/Oslo", "precise": True})
OFFERED: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}, "days": {"type": "integer"}},
                "required": ["city", "unit"],
            },
        },
    }
]


@pytest.fixture
def connect() -> Iterator[Callable[[ProviderServer], OpenAI]]:
    """Give official clients, which are closed in the end."""
    clients: list[OpenAI] = []

    def connect(server: ProviderServer) -> OpenAI:
        clients.append(OpenAI(base_url=server.base_url("openai-chat"), api_key="sk-test-key", max_retries=0))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


Connect = Callable[[ProviderServer], OpenAI]


# The official client reads what the server writes.


def test_the_official_client_streams_text(connect: Connect) -> None:
    """Text arrives in the pieces it was scripted in."""
    with ProviderServer(Answer(chunks=["Hel", "lo ", "Zoë 🙂"])) as server:
        chunks = list(connect(server).chat.completions.create(model="m", messages=HI, stream=True))

    assert [c.choices[0].delta.content for c in chunks] == ["", "Hel", "lo ", "Zoë 🙂", None]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert {chunk.model for chunk in chunks} == {"m"}


def test_the_official_client_streams_tool_calls(connect: Connect) -> None:
    """Parallel calls arrive in order, their arguments in pieces."""
    with ProviderServer(Answer(tool_calls=[WEATHER, TIME])) as server:
        stream = connect(server).chat.completions.stream(model="m", messages=HI)
        with stream as running:
            completion = running.get_final_completion()

    calls = completion.choices[0].message.tool_calls or []
    assert completion.choices[0].finish_reason == "tool_calls"
    assert [(c.id, c.function.name, json.loads(c.function.arguments)) for c in calls] == [
        ("call_1", "get_weather", {"city": "Oslo"}),
        ("call_2", "get_time", {"zone": "Europe/Oslo", "precise": True}),
    ]


def test_the_official_client_gets_usage_when_it_asks(connect: Connect) -> None:
    """Usage is the last chunk of a stream that asked for it."""
    usage = Usage(input_tokens=12, output_tokens=7, cached_input_tokens=4, reasoning_tokens=3)
    with ProviderServer(Answer("Hi", usage=usage)) as server:
        create = connect(server).chat.completions.create
        *_, last = create(model="m", messages=HI, stream=True, stream_options={"include_usage": True})
        unasked = list(create(model="m", messages=HI, stream=True))

    assert last.usage is not None
    assert (last.choices, last.usage.prompt_tokens, last.usage.completion_tokens, last.usage.total_tokens) == ([], 12, 7, 19)
    assert last.usage.prompt_tokens_details is not None
    assert last.usage.prompt_tokens_details.cached_tokens == 4
    assert last.usage.completion_tokens_details is not None
    assert last.usage.completion_tokens_details.reasoning_tokens == 3
    assert [chunk.usage for chunk in unasked] == [None] * len(unasked)


def test_the_official_client_gets_whole_answers(connect: Connect) -> None:
    """A request without `stream` gets one body that says the same."""
    with ProviderServer(Answer("One moment.", tool_calls=[WEATHER], usage=Usage(input_tokens=1, output_tokens=2))) as server:
        completion = connect(server).chat.completions.create(model="m", messages=HI)

    choice = completion.choices[0]
    assert (choice.message.content, choice.finish_reason) == ("One moment.", "tool_calls")
    assert choice.message.tool_calls is not None
    assert choice.message.tool_calls[0].id == "call_1"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 3


@pytest.mark.parametrize(
    ("status", "raised", "code"),
    [
        (400, BadRequestError, None),
        (401, AuthenticationError, "invalid_api_key"),
        (429, RateLimitError, "rate_limit_exceeded"),
        (500, InternalServerError, None),
        (503, InternalServerError, None),
    ],
)
def test_the_official_client_understands_refusals(
    connect: Connect, status: int, raised: type[APIError], code: str | None
) -> None:
    """A status comes with the words the provider has for it."""
    with ProviderServer(ErrorAnswer(status, headers={"Retry-After": "20"})) as server, pytest.raises(raised) as caught:
        connect(server).chat.completions.create(model="m", messages=HI, stream=True)

    assert caught.value.code == code
    assert caught.value.response.headers["retry-after"] == "20"  # type: ignore[attr-defined]
    assert caught.value.request_id == "req_0"  # type: ignore[attr-defined]


def test_the_official_client_gets_errors_inside_a_stream(connect: Connect) -> None:
    """An error frame raises after the text before it."""
    said: list[str | None] = []
    with ProviderServer(Answer("Hello you", faults=[ErrorFrame(2, "Out of luck.")])) as server:
        stream = connect(server).chat.completions.create(model="m", messages=HI, stream=True)
        with pytest.raises(APIError, match=r"Out of luck\."):
            said.extend(chunk.choices[0].delta.content for chunk in stream)

    assert said == ["", "Hello"]


# What can be scripted.


def test_reasoning_comes_before_text() -> None:
    """Thoughts travel in the field that compatible servers use."""
    with ProviderServer(Answer("Yes.", reasoning="Let me think.")) as server:
        deltas = [json.loads(record[6:])["choices"][0]["delta"] for record in post(server).records[:-1]]

    assert [d.get("reasoning_content") or d.get("content") for d in deltas[1:-1]] == ["Let", " me", " think.", "Yes."]


@pytest.mark.parametrize(
    ("chunks", "pieces"),
    [(None, ["One", " two ", "\n\n three "]), (4, ["One ", "two ", " \n\n ", "thre", "e "]), (["a", "b"], ["a", "b"])],
)
def test_text_is_cut_into_pieces(chunks: list[str] | int | None, pieces: list[str]) -> None:
    """Pieces are words, so many characters, or those that were given; none is lost."""
    text = "One two  \n\n three "
    answer = Answer(text, chunks=chunks)

    assert "".join(answer.text_pieces()) == ("ab" if isinstance(chunks, list) else text)
    assert all(answer.text_pieces())
    if chunks is not None:
        assert answer.text_pieces() == pieces


def test_halves_of_characters_are_written_as_escapes() -> None:
    """A character cut into its UTF-16 halves is still JSON in UTF-8."""
    with ProviderServer(Answer(chunks=["\ud83d", "\ude42"])) as server:
        got = post(server)

    assert rb'"content":"\ud83d"' in got.body
    assert got.text == "\ud83d\ude42"


def test_arguments_may_be_broken() -> None:
    """`raw_arguments` are sent as they are."""
    broken = ToolCall(id="call_1", name="get_weather", raw_arguments='{"city": "Os', error="cut")
    with ProviderServer(Answer(tool_calls=[broken], finish_reason="length")) as server:
        got = post(server)

    assert rb'"arguments":"{\"city\": \"Os"' in got.body
    assert b'"finish_reason":"length"' in got.body


def test_usage_may_be_missing() -> None:
    """An empty usage is not reported."""
    with ProviderServer(Answer("Hi", usage=Usage())) as server:
        got = post(server, {**ASK, "stream_options": {"include_usage": True}})

    assert b"prompt_tokens" not in got.body
    assert got.records[-1] == b"data: [DONE]"


def test_whole_answers_may_have_reasoning_and_no_usage() -> None:
    """What a stream can have or lack, one body can too."""
    with ProviderServer(Answer("Yes.", reasoning="Let me think.", usage=Usage())) as server:
        got = post(server, {"messages": HI})

    assert got.json["choices"][0]["message"]["reasoning_content"] == "Let me think."
    assert "usage" not in got.json


def test_records_may_travel_together() -> None:
    """`frames_per_write` puts so many records into one HTTP chunk."""
    with ProviderServer(Answer(chunks=["a"] * 5, frames_per_write=4)) as server, dial(server) as client:
        seen = read_until(client, b"0\r\n\r\n")

    chunks = seen.partition(b"\r\n\r\n")[2].split(b"\r\n")[1::2]
    assert [chunk.count(b"data: ") for chunk in chunks if chunk] == [4, 4]


def test_a_recording_is_sent_as_it_is() -> None:
    """Bytes, status and headers of a recording arrive unchanged."""
    body = b'\xef\xbb\xbfdata: {"odd": 1}\r\n\r\n: \xff\x00\r\rdata: [DONE]'
    with ProviderServer(Recording(body, 218, {"X-Odd": "yes", "Content-Type": "text/odd"})) as server:
        got = post(server)

    assert (got.status, got.body, got.headers["x-odd"], got.headers["content-type"]) == (218, body, "yes", "text/odd")


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [
        ({"detail": "no"}, b'{"detail":"no"}', "application/json"),
        ("<p>no", b"<p>no", "text/html"),
        (b"\xff", b"\xff", "text/event-stream; charset=utf-8"),
    ],
)
def test_a_refusal_may_have_any_body(body: Any, sent: bytes, kind: str) -> None:
    """JSON, text or bytes come as they were given."""
    with ProviderServer(ErrorAnswer(418, body)) as server:
        got = post(server)

    assert (got.status, got.body, got.headers["content-type"]) == (418, sent, kind)


def test_answers_are_given_in_order(caplog: pytest.LogCaptureFixture) -> None:
    """A list answers successive requests; then it says that it has no more."""
    with ProviderServer([Answer("one"), Answer("two")]) as server:
        got = [post(server) for _ in range(3)]

    assert [each.text for each in got[:2]] == ["one", "two"]
    assert got[2].status == 400
    assert "the script has 2 answers, and this is request 3" in got[2].json["error"]["message"]
    assert "failed at request 2" in caplog.text


def test_a_function_decides() -> None:
    """A function is given the body and the number of each request."""

    def respond(body: dict[str, Any], index: int) -> Answer:
        return Answer(f"{index}: {body['messages'][0]['content']}")

    with ProviderServer(respond) as server:
        assert [post(server).text, post(server).text] == ["0: Hi", "1: Hi"]


def test_a_script_that_raises_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """What a function raises is in the answer and in the log, with a status that nobody retries."""

    def respond(body: dict[str, Any], index: int) -> Answer:
        raise KeyError(f"no {body['model']} {index}")

    with ProviderServer(respond) as server:
        got = post(server)

    assert (got.status, got.json["error"]["message"]) == (400, "The script failed at request 0: KeyError('no m 0')")
    assert "KeyError" in caplog.text


def test_an_unknown_path_is_not_found() -> None:
    """A wrong base URL is told from the answer."""
    with ProviderServer() as server:
        got = post(server, path="/v2/chat")

    assert (got.status, "nothing at '/v2/chat'" in got.json["error"]["message"]) == (404, True)


def test_an_unknown_protocol_names_the_known_ones() -> None:
    """There is a base URL for each protocol spoken, and for no other."""
    with pytest.raises(ValueError, match=r"does not speak 'smoke'.*'openai-chat'"):
        ProviderServer().base_url("smoke")


# Small talk: what a server without a script says.


def test_small_talk_is_about_what_was_asked() -> None:
    """Some sixty tokens repeat the question, in a stream."""
    with ProviderServer() as server:
        got = post(server, {**ASK, "messages": [{"role": "user", "content": [{"type": "text", "text": "Is it late?"}]}]})

    assert '"Is it late?"' in got.text
    assert 50 < len(got.records) < 75


def test_small_talk_asks_a_tool_about_the_weather() -> None:
    """An offered tool is called for each place, with the arguments it requires."""
    messages = [{"role": "user", "content": "How is the weather in Oslo and New York?"}]
    with ProviderServer() as server:
        got = post(server, {"messages": messages, "tools": OFFERED})

    calls = got.json["choices"][0]["message"]["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [
        {"city": "Oslo", "unit": "C"},
        {"city": "New York", "unit": "C"},
    ]


@pytest.mark.parametrize("offer", [{}, {"tools": OFFERED, "tool_choice": "none"}])
def test_small_talk_calls_no_tool_that_is_not_offered(offer: dict[str, Any]) -> None:
    """Without a tool to call, the weather is a subject like any other."""
    with ProviderServer() as server:
        got = post(server, {"messages": [{"role": "user", "content": "Weather?"}], **offer})

    assert got.json["choices"][0]["finish_reason"] == "stop"


def test_small_talk_puts_results_into_words() -> None:
    """After a tool has answered, its result is told."""
    messages = [*HI, {"role": "assistant", "content": None}, {"role": "tool", "tool_call_id": "1", "content": "4 degrees."}]
    with ProviderServer() as server:
        got = post(server, {**ASK, "messages": messages, "tools": OFFERED})

    assert got.text.startswith("Here is what I was told: 4 degrees.")


# What the server saw.


def test_requests_are_kept_in_order() -> None:
    """Bodies, headers and paths of requests can be read afterwards."""
    with ProviderServer() as server:
        post(server, {**ASK, "model": "one"})
        post(server, {**ASK, "model": "two"}, path="/v1/chat/completions?trace=1")

    one, two = server.requests
    assert (one.body["model"], two.body["model"]) == ("one", "two")
    assert (two.method, two.path, two.query["trace"], two.index) == ("POST", "/v1/chat/completions", "1", 1)
    assert one.headers["CONTENT-TYPE"] == "application/json"
    assert one.at <= two.at


def test_keys_are_not_shown(connect: Connect) -> None:
    """A request in a failing test's output gives no key away."""
    with ProviderServer() as server:
        connect(server).chat.completions.create(model="m", messages=HI)

    assert server.requests[0].headers["authorization"] == "Bearer sk-test-key"
    assert "sk-test-key" not in repr(server.requests)


def test_a_large_request_is_taken() -> None:
    """Images make requests of many megabytes."""
    with ProviderServer(Answer("Seen.")) as server:
        got = post(server, {**ASK, "image": "x" * 5_000_000})

    assert got.text == "Seen."
    assert len(server.requests[0].raw) > 5_000_000


def test_a_request_need_not_be_json() -> None:
    """What is no JSON object is kept as bytes."""
    with ProviderServer(Answer("What?")) as server:
        post(server, [1, 2])  # type: ignore[arg-type]

    assert (server.requests[0].body, server.requests[0].raw) == ({}, b"[1, 2]")


def test_connections_are_counted() -> None:
    """One connection may carry many requests; closing an idle one is the client's doing too."""
    with ProviderServer(Answer("Hi")) as server:
        with dial(server) as client:
            read_until(client, b"0\r\n\r\n")
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            read_until(client, b"0\r\n\r\n")
            assert (server.connections, [r.connection for r in server.requests]) == ((1, 1), [0, 0])

        assert [(d.connection, d.request) for d in server.wait_closed()] == [(0, None)]
        assert server.connections == (1, 0)


LEAVING: list[tuple[Fault, bytes]] = [
    (DelayHead(), b""),
    (DelayBody(), b"\r\n\r\n"),
    (DelayBody(3600), b"\r\n\r\n"),
    (Stall(3), b" you"),
    (Drip(1, every=3600), b"\r\n\r\n"),
    (KeepAlive(0.001), b"alive"),
    (Flood(), b"so on"),
]


@pytest.mark.parametrize(("fault", "seen"), LEAVING)
def test_a_client_that_leaves_is_seen(fault: Fault, seen: bytes) -> None:
    """Whatever the server is waiting for, it sees the client go, and which answer that ended."""
    with ProviderServer(Answer("Hello you"), faults=[fault]) as server:
        with dial(server) as client:
            server.wait_until(lambda server: server.answering == 1)
            read_until(client, seen) if seen else None

        (left,) = server.wait_closed()
        server.wait_until(lambda server: server.answering == 0)

    assert (left.connection, left.request) == (0, 0)
    assert left.at >= server.requests[0].at


def test_a_client_that_leaves_while_it_holds_back_the_server_is_seen() -> None:
    """A blocked write ends when the client goes."""
    with ProviderServer(faults=[Flood("x" * 10_000)]) as server:
        with dial(server):
            server.wait_blocked()

        assert server.wait_closed()[0].request == 0
        server.wait_until(lambda server: server.blocked == 0)


@pytest.mark.parametrize("fault", [Cut(5, "close"), Cut(5, "reset"), ResetBeforeHead()])
def test_what_the_server_closes_is_no_disconnect(fault: Fault) -> None:
    """A connection that a fault closes is not counted as the client's doing."""
    with ProviderServer(faults=[fault]) as server, dial(server) as client:
        server.wait_until(lambda server: server.connections == (1, 0))

        assert server.closed_by_client == ()
        client.close()


def test_a_connection_that_was_to_be_closed_is_no_disconnect() -> None:
    """A client that asks for one answer per connection has it closed by the server."""
    with ProviderServer() as server, dial(server, headers="Connection: close\r\n") as client:
        while client.recv(65536):
            pass
        server.wait_until(lambda server: server.connections.open == 0)

        assert server.closed_by_client == ()


def test_waiting_in_vain_says_what_was_seen() -> None:
    """A wait that runs out tells how far things had come."""
    with ProviderServer(faults=[DelayHead()]) as server, dial(server):
        server.wait_requests()

        with pytest.raises(TimeoutError, match=r"2 disconnects within 0 s: it saw 1 requests, 0 disconnects, 1 of 1 connections"):
            server.wait_closed(2, timeout=0)


def test_a_client_that_does_not_read_blocks_the_server() -> None:
    """The server stops sending until the client reads again."""
    with ProviderServer(faults=[Flood("x" * 10_000)]) as server, dial(server) as client:
        server.wait_blocked(0.1)
        sent = server.bytes_sent
        assert 0 < sent < 64 * 2**20

        while server.bytes_sent == sent:
            client.recv(2**20)


def test_waiting_for_a_write_to_be_held_back_has_an_end() -> None:
    """A client that reads everything holds nothing back."""
    with ProviderServer() as server:
        post(server)

        with pytest.raises(TimeoutError, match=r"a write held back for 1 s within 0.01 s"):
            server.wait_blocked(1, timeout=0.01)


def test_a_flood_leaves_room_for_others() -> None:
    """While one client is flooded, another is served."""
    script = [Answer(faults=[Flood()]), Answer("Hello")]
    with ProviderServer(script) as server, dial(server) as flooded:
        stop = threading.Event()
        reader = threading.Thread(target=lambda: [flooded.recv(2**16) for _ in iter(stop.is_set, True)])
        server.wait_requests()
        reader.start()

        assert post(server).text == "Hello"
        stop.set()
        reader.join()


# Where the server runs.


def test_it_serves_clients_of_a_running_loop() -> None:
    """A test inside a loop can talk to it: it has a loop of its own."""

    async def talk() -> bytes:
        with ProviderServer(Answer("Hello")) as server:
            host, port = server.url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            body = json.dumps(ASK).encode()
            writer.write(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            seen = await reader.readuntil(b"[DONE]")
            writer.close()
            await writer.wait_closed()
            await asyncio.to_thread(server.wait_closed)
            return seen

    assert b'"content":"Hello"' in asyncio.run(talk())


def test_it_speaks_tls() -> None:
    """With a context of its own it is an https server."""
    authority = trustme.CA()
    server_side, client_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    # trustme's annotations name a package that need not be installed.
    authority.issue_cert("127.0.0.1").configure_cert(server_side)  # pyright: ignore[reportUnknownMemberType]
    authority.configure_trust(client_side)  # pyright: ignore[reportUnknownMemberType]

    with ProviderServer([Answer("Secret"), Answer(faults=[Cut(7, "reset")])], ssl=server_side) as server:
        got, cut = post(server, trust=client_side), post(server, trust=client_side)

    assert server.url.startswith("https://127.0.0.1:")
    assert (got.text, got.ending) == ("Secret", "end")
    assert cut.body == b"data: {"
    assert cut.ending != "end"  # some versions of Python call a reset under TLS an unexpected end


def test_a_taken_port_is_an_error() -> None:
    """What keeps the server from listening is raised where it is started, and no thread stays."""
    with ProviderServer() as server:
        port = int(server.url.rpartition(":")[2])

        with pytest.raises(OSError, match="address already in use"):
            ProviderServer(port=port).start()
        assert sum(thread.name == "allm_rx provider server" for thread in threading.enumerate()) == 1


def test_it_starts_once() -> None:
    """A server that was stopped has told its story; its book stays readable."""
    with ProviderServer() as server:
        post(server)
    server.stop()

    assert len(server.requests) == 1
    with pytest.raises(RuntimeError, match="make another one"):
        server.start()


@pytest.mark.parametrize("fault", [fault for fault, _ in LEAVING])
def test_stopping_ends_whatever_is_under_way(fault: Fault) -> None:
    """A client that waits is let go at once."""
    with ProviderServer(faults=[fault]) as server, dial(server) as client:
        server.wait_requests()
        server.stop()

        with suppress(ConnectionResetError):
            while client.recv(2**20):
                pass
        assert server.closed_by_client == ()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts file descriptors the way Linux shows them")
def test_stopping_leaves_nothing() -> None:
    """No thread and no socket outlives the server, whatever its clients were doing."""
    before = len(os.listdir("/proc/self/fd")), threading.active_count()

    script = [Answer("Hi"), *(Answer(faults=[fault]) for fault, _ in LEAVING)]
    clients: list[socket.socket] = []
    with ProviderServer(script) as server:
        for _ in script:
            clients.append(dial(server))
            server.wait_requests(len(clients))
    for client in clients:
        client.close()

    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before


def test_it_serves_from_a_process_of_its_own() -> None:
    """The module run as a program prints its URL, and serves until it is killed."""
    program = [sys.executable, "-W", "error", "-m", "allm_rx.testing.provider_server", "--chunks=3", "--chunk-size=5"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(ASK).encode())
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            body = answer.read()
        process.kill()

    assert body.count(b'"content":"xxxx "') == 3


def test_the_program_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Its help names the options of the canned answer."""
    with pytest.raises(SystemExit):
        main(["--help"])

    assert {"--chunks", "--chunk-size", "--chunks-per-write", "--pace"} <= set(capsys.readouterr().out.split())
