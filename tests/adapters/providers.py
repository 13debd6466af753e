"""The four protocols side by side: what a claim about every provider is checked against."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import reactivex as rx
from anthropic.types.beta.message_create_params import MessageCreateParamsStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import BaseModel, TypeAdapter

from allm_rx.abc.adapter import Adapter, Call
from allm_rx.adapters import Anthropic, Gemini, OpenAI, OpenAIChat
from allm_rx.adapters.anthropic.messages.decode import MessagesDecoder
from allm_rx.adapters.gemini.generate_content.decode import GenerateContentDecoder
from allm_rx.adapters.openai.chat_completions.decode import ChatDecoder
from allm_rx.adapters.openai.responses.decode import ResponsesDecoder
from allm_rx.data.messages import Message
from allm_rx.data.requests import Request
from allm_rx.operators.run import run
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.host import HOST
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.wire.http import WireRequest
from allm_rx.wire.partial_json import loads
from tests.adapters.gemini.accepted import accepted as gemini_accepted
from tests.fixture_cases import Case, decode, fold
from tests.loopback import KEY

CALL = Call(host=HOST, request_id="r1")
RECORDINGS = Path(__file__).parents[1] / "recordings"


@dataclass(frozen=True)
class Provider:
    """One protocol: its adapter, its decoder, and its vendor's own request models."""

    name: str
    """As in `Engine.from_model` and in `ProviderServer.base_url`."""
    dialect: str
    """The key of `provider_data`."""
    model: str
    """A model that thinks, sees and calls tools."""
    adapter: Callable[..., Adapter]
    decoder: Callable[..., Any]
    accepted: Callable[[dict[str, Any]], Any]
    """Read a body with the models of the vendor's own package, which raise for what they do not take."""

    def __str__(self) -> str:
        return self.name

    @property
    def recordings(self) -> dict[str, bytes]:
        """The streams of this provider that the tests carry."""
        return {path.stem: path.read_bytes() for path in sorted((RECORDINGS / self._folder).glob("*.sse"))}

    def engine(self, server: ProviderServer, *, model: str | None = None, retry: Any = False, **adapter: Any) -> Engine:
        """An engine whose provider is the server; it tries once."""
        made = self.adapter(base_url=server.base_url(self.name), **{"api_key": KEY, **adapter})
        return Engine(adapter=made, model=model or self.model, retry=retry)

    def sent(self, request: Request, **adapter: Any) -> dict[str, Any]:
        """The body that a request is sent with, after the adapter's own pre-flight."""
        desk = Desk()
        made = self.adapter(**{"api_key": KEY, **adapter}, transport=desk)
        request = request if request.model else request.replace(model=self.model)
        made.preflight(request, CALL)
        run(made.stream(request, CALL), timeout=30)
        return cast("dict[str, Any]", loads(desk.sent[0].body))

    def said(self, body: bytes, **options: Any) -> Message:
        """The message that a recorded stream adds up to."""
        head: Any = None
        case = Case(self.name, "recorded", "sse", head, body, {}, None)
        return fold(decode(case, lambda _: self.decoder(provider=self.name, **options))).message

    @property
    def _folder(self) -> str:
        return self.name.replace("-", "_") if self.name != "openai" else "openai_responses"


class Desk:
    """A transport that takes requests and answers none."""

    def __init__(self) -> None:
        self.sent: list[WireRequest] = []

    def open(self, request: WireRequest, /) -> rx.Observable[Any]:
        self.sent.append(request)
        return rx.empty()


def _typed(model: Any) -> Callable[[dict[str, Any]], Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    return lambda body: _read(adapter.validate_python(body))


def _responses(body: dict[str, Any]) -> Any:
    """Read a body of the Responses API, whose package wants ids of items that the API itself takes without."""
    items = [{"id": "left-out", **item} if "type" in item else item for item in body["input"]]
    return _RESPONSES({**body, "input": items})


def _read(value: Any) -> Any:
    """Read everything in a value; the models check lists only while they are read."""
    if isinstance(value, BaseModel):
        return _read(value.model_dump(exclude_unset=True))
    if isinstance(value, Mapping):
        return {key: _read(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, (list, tuple, Iterator)):
        return [_read(item) for item in cast("Iterable[Any]", value)]
    return value


_RESPONSES = _typed(ResponseCreateParamsStreaming)

PROVIDERS = (
    Provider(
        "anthropic",
        "anthropic.messages",
        "claude-opus-4-6",
        cast("Any", Anthropic),
        MessagesDecoder,
        _typed(MessageCreateParamsStreaming),
    ),
    Provider("gemini", "gemini", "gemini-3-pro-preview", cast("Any", Gemini), GenerateContentDecoder, gemini_accepted),
    Provider("openai", "openai.responses", "gpt-5.1", cast("Any", OpenAI), ResponsesDecoder, _responses),
    Provider(
        "openai-chat",
        "openai.chat",
        "gpt-5.1",
        cast("Any", OpenAIChat),
        ChatDecoder,
        _typed(CompletionCreateParamsStreaming),
    ),
)
"""Every protocol, sorted by name."""

BY_NAME = {provider.name: provider for provider in PROVIDERS}
