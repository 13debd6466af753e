"""A key is sent to the provider, and shows nowhere else."""

import asyncio
import copy
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from allm_rx import Engine, RetryPolicy, generate, stream_generate
from allm_rx import operators as lx
from allm_rx.data.events import Event
from allm_rx.errors import AdapterError, AllmError
from allm_rx.runtime import keys
from allm_rx.runtime.telemetry import observe
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import Cut, ErrorBody, ErrorFrame, Fault, Garbage, HtmlPage, Redirect, ResetBeforeHead
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.transport.aiohttp_client import AiohttpTransport
from allm_rx.wire.http import WireRequest
from tests.adapters.providers import BY_NAME, PROVIDERS
from tests.loopback import Seen, everything, until
from tests.security.secrets import KEY, everything_logged, locals_of_ours, shown, told

NAMES = [provider.name for provider in PROVIDERS]
ECHO = f"The key {KEY} is wrong, and so is Bearer {KEY} or ?key={KEY}"

TROUBLES: dict[str, Any] = {
    "answer": Answer("Hi"),
    "echoed in a refusal": ErrorAnswer(401, {"error": {"message": ECHO, "type": KEY, "code": KEY, "status": KEY}}),
    "echoed in plain text": ErrorAnswer(500, ECHO),
    "echoed in a header": ErrorAnswer(400, headers={"x-request-id": KEY, "request-id": KEY}),
    "echoed in a success": Answer("Hi", faults=[ErrorBody(ECHO)]),
    "echoed in a stream": Answer("Hi", faults=[ErrorFrame(2, ECHO)]),
    "echoed in garbage": Answer("Hi", faults=[Garbage(data=f"data: {{{KEY}\n\n".encode())]),
    "echoed in a page": Answer("Hi", faults=[HtmlPage(200, f"<title>{ECHO}</title>")]),
    "echoed in a redirect": Answer("Hi", faults=[Redirect(f"https://{KEY}.invalid/{KEY}?{KEY}")]),
    "reset": Answer("Hi", faults=[ResetBeforeHead()]),
    "cut": Answer("Hi", faults=[Cut(40, "reset")]),
}


def an_engine(protocol: str, server: ProviderServer, **options: Any) -> Engine:
    adapter = BY_NAME[protocol].adapter(base_url=server.base_url(protocol), api_key=KEY)
    return Engine(adapter=adapter, model="m", retry=False).replace(**options)


def failed(protocol: str, *faults: Fault, answer: Any = None) -> AllmError:
    """Give the error that a call raises."""
    with ProviderServer(answer or Answer("Hi"), faults=faults) as server:
        response = generate(an_engine(protocol, server), "Hi").run()
    with pytest.raises(AllmError) as caught:
        response.raise_for_error()
    return caught.value


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("protocol", NAMES)
def test_no_event_error_dump_or_repr_shows_the_key(protocol: str, trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the provider says back, in every way to look at it, nor does any log at DEBUG with asyncio in debug mode."""

    async def ask(server: ProviderServer) -> list[Event]:
        asyncio.get_running_loop().set_debug(True)
        stream = stream_generate(an_engine(protocol, server), "Hi", include_raw_chunks=trouble == "answer")
        async with lx.to_aiter(stream) as items:
            return [event async for event in items]

    with everything_logged(caplog), ProviderServer(TROUBLES[trouble]) as server:
        events = asyncio.run(ask(server))
        assert any(KEY in value for value in server.requests[0].headers.values())

    assert [text for text in shown(events) if KEY in text] == []
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("allm_rx.testing")]
    assert [line for line in ours if KEY in line] == []
    assert KEY not in caplog.text


@pytest.mark.parametrize("protocol", NAMES)
def test_no_span_shows_the_key(protocol: str) -> None:
    """Neither its facts, nor its events, nor its end."""
    told_spans: list[str] = []

    class Watching:
        def start(self, name: str, facts: Mapping[str, Any], /) -> Any:
            told_spans.append(f"{name} {facts}")
            return self

        def event(self, name: str, facts: Mapping[str, Any], /) -> None:
            told_spans.append(f"{name} {facts}")

        def end(self, end: Any, /) -> None:
            told_spans.append(repr(end))

    stop = observe(Watching())
    with ProviderServer(ErrorAnswer(503, ECHO)) as server:
        retry = RetryPolicy(max_attempts=2, base_delay=0, jitter=0)
        everything(stream_generate(an_engine(protocol, server, retry=retry), "Hi", api_key=KEY))
    stop()

    assert len(told_spans) >= 3
    assert [text for text in told_spans if KEY in text] == []


@pytest.mark.parametrize("trouble", [name for name in TROUBLES if name != "answer"])
@pytest.mark.parametrize("protocol", NAMES)
def test_no_traceback_shows_the_key(protocol: str, trouble: str) -> None:
    """Nor its causes, nor the local variables of our own frames in it."""
    error = failed(protocol, answer=TROUBLES[trouble])

    assert [text for text in (*told(error), *locals_of_ours(error)) if KEY in text] == []


def test_no_local_variable_of_ours_shows_the_key_while_it_is_sent() -> None:
    """The frames around the socket are ours and hold the request; a crash report of what is raised there shows them all."""

    async def crash(server: ProviderServer) -> Exception:
        headers = {"authorization": SecretStr(f"Bearer {KEY}")}
        request = WireRequest("POST", f"{server.base_url('openai-chat')}/chat/completions", headers, b"{}")
        seen = Seen()

        def careless(item: object) -> None:
            raise RuntimeError(type(item).__name__)

        AiohttpTransport().open(request).subscribe(careless, seen.on_error, seen.on_completed)
        await until(lambda: seen.error)
        assert seen.error is not None
        return seen.error

    with ProviderServer(Answer("Hi")) as server:
        error = asyncio.run(crash(server))
    frames = list(locals_of_ours(error))

    assert any("aiohttp_client.py" in text for text in frames)
    assert [text for text in (*told(error), *frames) if KEY in text] == []


@pytest.mark.parametrize("protocol", NAMES)
def test_what_holds_the_key_does_not_show_it(protocol: str) -> None:
    """Adapter, engine, its parameters, stored keys and the request on its way are safe to print."""
    with ProviderServer(Answer("Hi")) as server:
        engine = an_engine(protocol, server, params={"api_key": KEY})
        keys.put("anthropic", KEY)
        stored = keys.find("anthropic", ())
        keys.delete("anthropic")
        wire = WireRequest("POST", f"https://u:{KEY}@host/?key={KEY}", {"Authorization": f"Bearer {KEY}", "x": SecretStr(KEY)})
        call = repr(stream_generate(engine, "Hi", api_key=KEY))

    printed = (repr(engine), repr(engine.adapter), str(engine.params), repr(stored), repr(wire), call)
    assert [text for text in printed if KEY in text] == []


@pytest.mark.parametrize("protocol", NAMES)
def test_a_key_hidden_in_headers_is_hidden_everywhere(protocol: str) -> None:
    """A `SecretStr` among custom headers is treated as the key is."""
    with ProviderServer(ErrorAnswer(401, ECHO)) as server:
        headers = {"x-gateway": SecretStr(KEY)}
        adapter = BY_NAME[protocol].adapter(base_url=server.base_url(protocol), api_key="other-key", headers=headers)
        events = everything(stream_generate(Engine(adapter=adapter, model="m", retry=False), "Hi"))
        assert server.requests[0].headers["x-gateway"] == KEY

    assert [text for text in (*shown(events), repr(adapter)) if KEY in text] == []


@pytest.mark.parametrize("protocol", NAMES)
def test_what_holds_the_key_is_not_pickled(protocol: str) -> None:
    """Neither adapter, engine nor transport; copies stay the thing itself."""
    with ProviderServer(Answer("Hi")) as server:
        engine = an_engine(protocol, server)

    for thing in (engine, engine.adapter, AiohttpTransport()):
        with pytest.raises(TypeError, match="build it in the worker"):
            pickle.dumps(thing)
    assert copy.deepcopy(engine.adapter) is engine.adapter


def test_what_is_pickled_of_an_error_holds_no_key() -> None:
    """Errors cross the borders of processes, and their causes stay behind."""
    error = failed("openai-chat", answer=TROUBLES["echoed in a refusal"])

    assert KEY.encode() not in pickle.dumps(error)
    assert isinstance(pickle.loads(pickle.dumps(error)), AdapterError)
