"""What all adapters do alike: when they send, whose key it is, where to, and what they never show."""

import copy
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
import reactivex as rx
from pydantic import SecretStr
from reactivex import operators as ops

from allm_rx.abc.adapter import Adapter, Call
from allm_rx.data.events import Error, Event, MessageCompleted, MessageStarted
from allm_rx.data.messages import user
from allm_rx.data.requests import PromptCache, Request
from allm_rx.errors import EngineError, ValidationError
from allm_rx.operators.run import run
from allm_rx.runtime import keys
from allm_rx.runtime.host import HOST
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import WholeBody
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.wire.http import ResponseHead, WireRequest
from tests.adapters.providers import BY_NAME, CALL, PROVIDERS, Provider
from tests.fixture_cases import check_grammar, fold
from tests.loopback import PATIENCE

HI = Request(messages=(user("Hi"),), model="m")


@dataclass(frozen=True)
class Ways:
    """What is an adapter's own."""

    address: str
    """The variable that may hold its address."""
    home: str
    """Where its vendor is."""
    path: str
    """What is asked for there."""
    variables: str
    """The variables that may hold its key, as the error names them."""
    header: str
    """How the key is sent; `{}` is the key."""
    impossible: dict[str, Any]
    """An option that it cannot express."""


WAYS = {
    "anthropic": Ways(
        "ANTHROPIC_BASE_URL", "https://api.anthropic.com", "/v1/messages", "ANTHROPIC_API_KEY", "x-api-key: {}", {"seed": 1}
    ),
    "gemini": Ways(
        "GOOGLE_GEMINI_BASE_URL",
        "https://generativelanguage.googleapis.com",
        "/v1beta/models/m:streamGenerateContent",
        "GEMINI_API_KEY or GOOGLE_API_KEY",
        "x-goog-api-key: {}",
        {"prompt_cache": PromptCache(key="k")},
    ),
    "openai": Ways(
        "OPENAI_BASE_URL",
        "https://api.openai.com/v1",
        "/v1/responses",
        "OPENAI_API_KEY",
        "authorization: Bearer {}",
        {"stop": ("Ahoy",)},
    ),
    "openai-chat": Ways(
        "OPENAI_BASE_URL",
        "https://api.openai.com/v1",
        "/v1/chat/completions",
        "OPENAI_API_KEY",
        "authorization: Bearer {}",
        {"provider_options": {"n": 2}},
    ),
}


class Answered:
    """A transport that answers every request alike."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, sending: Callable[[], None] = lambda: None) -> None:
        self.sent: list[WireRequest] = []
        self._items: list[ResponseHead | bytes] = [ResponseHead(status, headers), body]
        self._sending = sending

    def open(self, request: WireRequest, /) -> rx.Observable[ResponseHead | bytes]:
        def answer(_: Any) -> rx.Observable[ResponseHead | bytes]:
            self.sent.append(request)
            self._sending()
            return rx.from_iterable(self._items)

        return rx.defer(answer)


every_provider = pytest.mark.parametrize("provider", PROVIDERS, ids=str)


@pytest.fixture(autouse=True)
def stored() -> Iterator[None]:
    """Forget the keys that a test stored for this process."""
    yield
    for provider in PROVIDERS:
        keys.delete(provider.adapter().provider)


def at(server: ProviderServer, asked: Provider, **options: Any) -> Adapter:
    """The adapter that asks a server of ours."""
    return asked.adapter(base_url=server.base_url(asked.name), **options)


def events_of(adapter: Adapter, call: Call = CALL) -> list[Event]:
    """All events of one stream, which obey the grammar."""
    events = run(adapter.stream(HI, call).pipe(ops.to_list()), timeout=PATIENCE)
    check_grammar(events, reports=2)  # Anthropic reports usage at both ends
    return events


def sent_key(provider: Provider, headers: Any) -> str | None:
    """The key in the headers of a request."""
    name, _, value = WAYS[provider.name].header.partition(": ")
    return headers[name].removeprefix(value.removesuffix("{}")) if name in headers else None


# What is sent, and what comes.


@every_provider
def test_request_is_sent_at_subscription(provider: Provider) -> None:
    """Every subscription is a request of its own, none is sent before."""
    with ProviderServer(Answer("Hi")) as server:
        stream = at(server, provider, api_key="k").stream(HI, CALL)
        before = len(server.requests)
        run(stream, timeout=PATIENCE)
        run(stream, timeout=PATIENCE)

        assert (before, [request.path for request in server.requests]) == (0, [WAYS[provider.name].path] * 2)
        assert sent_key(provider, server.requests[0].headers) == "k"


@every_provider
def test_events_carry_all_ids(provider: Provider) -> None:
    """The provider's name, our id and theirs are in the stream."""
    with ProviderServer(Answer("Hi")) as server:
        started, *_, ended = events_of(at(server, provider, api_key="k", provider="lake"))

    assert isinstance(started, MessageStarted)
    assert (started.provider, started.request_id) == ("lake", "r1")
    assert started.provider_request_id == ("resp_0" if provider.name == "gemini" else "req_0")
    assert isinstance(ended, MessageCompleted)


@every_provider
def test_whole_body_is_the_same_answer(provider: Provider) -> None:
    """A server that answers a stream request with one JSON body is understood."""
    with ProviderServer(Answer("Hello", reasoning="Greet."), faults=[WholeBody()]) as server:
        response = fold(events_of(at(server, provider, api_key="k")))

    assert (response.output_text, response.reasoning, response.finish_reason) == ("Hello", "Greet.", "stop")


@every_provider
def test_page_in_place_of_a_stream_names_the_address(provider: Provider) -> None:
    """A web page with status 200 means a wrong `base_url`, not a cut answer."""
    page = Answered(200, {"content-type": "text/html; charset=utf-8"}, b"<html>Welcome</html>")

    *_, last = events_of(provider.adapter(api_key="k", transport=page))

    assert isinstance(last, Error)
    assert (last.failure.reason, "base_url" in last.failure.message) == ("malformed_response", True)


@every_provider
def test_refusal_that_repeats_what_was_hidden_does_not_show_it(provider: Provider) -> None:
    """A server may put the key, and what was hidden in a header, into its message; we do not."""
    body = {"error": {"message": "no such key: k-quay-77 or h-quay-78"}}
    hidden = {"x-key": SecretStr("h-quay-78")}
    with ProviderServer(ErrorAnswer(401, body)) as server:
        (event,) = events_of(at(server, provider, api_key="k-quay-77", headers=hidden))

    assert isinstance(event, Error)
    assert event.failure.reason == "authentication_failed"
    assert "quay-7" not in event.failure.model_dump_json()


# Keys.


@every_provider
@pytest.mark.parametrize(
    ("call", "own", "sent"), [("call", "own", "call"), (None, "own", "own"), (None, None, "kept"), ("", "", "kept")]
)
def test_key_is_the_nearest(provider: Provider, call: str | None, own: str | None, sent: str) -> None:
    """The call's key, then the adapter's, then what the runtime knows; an empty one is none."""
    given = None if call is None else SecretStr(call)
    with ProviderServer(Answer("Hi")) as server:
        adapter = at(server, provider, api_key=own)
        keys.put(adapter.provider, "kept")
        events_of(adapter, Call(host=HOST, request_id="r1", api_key=given))

        assert sent_key(provider, server.requests[0].headers) == sent


@pytest.mark.parametrize(
    ("provider", "name"),
    [(provider, name) for provider in PROVIDERS for name in WAYS[provider.name].variables.split(" or ")],
    ids=str,
)
def test_key_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch, provider: Provider, name: str) -> None:
    """Every name that the vendor's own package uses is known."""
    monkeypatch.setenv(name, "from-outside")
    with ProviderServer(Answer("Hi")) as server:
        events_of(at(server, provider))

        assert sent_key(provider, server.requests[0].headers) == "from-outside"


@every_provider
def test_missing_key_is_found_before_anything_is_sent(provider: Provider) -> None:
    """The error names the variables to set."""
    with pytest.raises(EngineError, match=WAYS[provider.name].variables) as raised:
        provider.adapter().preflight(HI, CALL)

    assert raised.value.reason == "missing_key"


@every_provider
def test_key_that_is_gone_later_is_found_missing_then(provider: Provider) -> None:
    """A stored key is enough, and it is looked up anew each time."""
    adapter = provider.adapter()
    keys.put(adapter.provider, "kept")

    adapter.preflight(HI, CALL)
    keys.delete(adapter.provider)

    with pytest.raises(EngineError):
        adapter.preflight(HI, CALL)


@every_provider
def test_key_that_is_taken_away_meanwhile_changes_no_failure(provider: Provider) -> None:
    """The refusal of a request that was sent is told, whatever became of the key."""
    name = provider.adapter().provider
    keys.put(name, "kept")
    refusal = Answered(503, {}, b"", lambda: keys.delete(name))

    (event,) = events_of(provider.adapter(transport=refusal))

    assert isinstance(event, Error)
    assert (event.failure.reason, [sent_key(provider, sent.plain_headers()) for sent in refusal.sent]) == ("overloaded", ["kept"])


@every_provider
def test_parts_are_checked_before_the_key(provider: Provider) -> None:
    """What no key could mend is told first."""
    with pytest.raises(ValidationError):
        provider.adapter().preflight(HI.replace(**WAYS[provider.name].impossible), CALL)


@every_provider
def test_server_on_this_machine_needs_no_key(provider: Provider) -> None:
    """A pasted local address works without a key, and none is sent."""
    with ProviderServer(Answer("Hi")) as server:
        adapter = at(server, provider)
        adapter.preflight(HI, CALL)
        events_of(adapter)

        assert sent_key(provider, server.requests[0].headers) is None


# The value.


@every_provider
def test_address_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    """As in the vendor's own package, a variable leads elsewhere; an address that was given counts more."""
    ways, adapter = WAYS[provider.name], cast("Any", provider.adapter)
    assert adapter().base_url == ways.home

    monkeypatch.setenv(ways.address, "https://lake.example")

    assert adapter().base_url == "https://lake.example"
    assert adapter(base_url="https://sea.example").base_url == "https://sea.example"


@every_provider
def test_repr_shows_no_secret(provider: Provider) -> None:
    """Neither the key nor headers nor a password in the address."""
    secrets = {"api_key": "k-123456", "headers": {"x-key": "h-123456"}, "base_url": "https://ann:p-123456@lake.example/v1"}

    adapter = cast("Any", provider.adapter(**secrets, provider="lake"))

    assert repr(adapter) == f"{type(adapter).__name__}(provider='lake', base_url='https://[REDACTED]@lake.example/v1')"
    assert isinstance(adapter.api_key, SecretStr)


@every_provider
def test_adapter_stays_in_its_process(provider: Provider) -> None:
    """Pickling says what to do in its place; copies are the adapter itself."""
    adapter = provider.adapter(api_key="k-123456")

    with pytest.raises(TypeError, match="build it in the worker"):
        pickle.dumps(adapter)
    assert copy.copy(adapter) is copy.deepcopy(adapter) is adapter


@every_provider
def test_adapter_is_an_adapter(provider: Provider) -> None:
    """It fits the seam, under the name of its vendor."""
    adapter: Adapter = BY_NAME[provider.name].adapter()

    assert adapter.provider == provider.name.removesuffix("-chat")
