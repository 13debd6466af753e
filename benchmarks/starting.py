"""Runs to begin: an engine for every adapter and kind of tool, and a stream for every entry point.

`python -m benchmarks.starting` serves the provider that all of them ask, and prints its URL.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import reactivex as rx
from pydantic import BaseModel
from reactivex import Observable

from allm_rx import (
    Engine,
    RetryPolicy,
    Session,
    Thread,
    ToolCall,
    assistant,
    chat,
    generate,
    sessions,
    step,
    stream,
    stream_generate,
    stream_step,
    tool,
    tool_result,
    user,
)
from allm_rx import operators as lx
from allm_rx.adapters import Anthropic, Fake, Gemini, OpenAI, OpenAIChat
from allm_rx.adapters.fake import Script, delay
from allm_rx.data.requests import Request
from allm_rx.data.results import AWAITING_USER, PendingQuestion
from allm_rx.testing.answers import Answer
from allm_rx.testing.faults import Cut, ErrorFrame, HtmlPage
from allm_rx.testing.protocols import Asked, protocols
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.testing.small_talk import SmallTalk

Start = Callable[[], Observable[Any]]
"""Makes the stream of one run; nothing is sent before it is subscribed to."""

_PLAIN = "Tell me of Oslo."
_WEATHER = "How is the weather in Oslo and Bergen?"
_FORM = "Fill in the form: how is the weather in Oslo?"
_STUMBLE = "Stumble over this."
_FILLED = '{"place": "Oslo", "degrees": 7}'


class Form(BaseModel):
    """What an answer in JSON holds."""

    place: str
    degrees: int


# The provider.


@dataclass(frozen=True, slots=True)
class Provider(SmallTalk):
    """Small talk that can also fill in a form, and that stumbles when it is told to."""

    def answer(self, asked: Asked, index: int) -> Answer:
        """Give the answer to the request of that number."""
        if asked.text == _STUMBLE:
            return Answer(_STUMBLE, pace=self.pace, faults=[(HtmlPage(503), Cut(400, "reset"), ErrorFrame(after=2))[index % 3]])
        if asked.text == _FORM and (asked.results or not asked.tools):
            return Answer(_FILLED, chunks=3, pace=self.pace)
        return SmallTalk.answer(self, asked, index)


async def serve() -> None:
    """Serve until killed, a word per millisecond."""
    with ProviderServer(Provider(pace=0.001)) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


# Engines.


@tool
def weather_now(place: str) -> str:
    """Tell the weather of a place."""
    return f"Mild in {place}."


@tool
async def weather_later(place: str) -> str:
    """Tell the weather of a place, after a while."""
    await asyncio.sleep(0.005)
    return f"Windy in {place}."


@tool
def weather_watched(place: str) -> Observable[str]:
    """Tell the weather of a place, and go on telling it."""
    return rx.of(f"Misty in {place}.", f"Bright in {place}.")


_TOOLS = {"tool of a thread": weather_now, "async tool": weather_later, "observable tool": weather_watched}


def engines(url: str) -> dict[str, Callable[[], Engine]]:
    """Give an engine for every adapter with every kind of tool."""
    key = "sk-soak"
    paths = {known.name: known.base_path for known in protocols()}
    retry = RetryPolicy(base_delay=0.001, jitter=0)
    adapters = {
        "openai-chat": OpenAIChat(base_url=url + paths["openai-chat"], api_key=key),
        "openai": OpenAI(base_url=url + paths["openai"], api_key=key),
        "anthropic": Anthropic(base_url=url + paths["anthropic"], api_key=key),
        "gemini": Gemini(base_url=url + paths["gemini"], api_key=key),
    }
    made: dict[str, Callable[[], Engine]] = {}
    for kind, handler in _TOOLS.items():
        for name, adapter in adapters.items():
            made[f"{name}, {kind}"] = partial(Engine, adapter=adapter, model="m", retry=retry, tools=(handler,))
        made[f"fake, {kind}"] = partial(_fake, handler)
    return made


def _fake(handler: Any) -> Engine:
    """Give an engine without a provider, anew for each run, since a `Fake` remembers all that it was asked."""
    call = ToolCall(id="c", name=handler.spec.name, arguments={"place": "Oslo"})

    def respond(request: Request) -> Script:
        if request.response_format is not None:
            return [_FILLED[:12], delay(0.005), _FILLED[12:]]
        if request.tools and request.messages[-1].role == "user":
            return ["Let me ", delay(0.005), call]
        return ["Mi", delay(0.01), "ld."]

    return Engine(adapter=Fake(respond=respond), model="m", tools=(handler,))


# Entry points.

_SAID = (user(_PLAIN), assistant("It lies by the sea."))
_CALL = ToolCall(id="c", name="ask", arguments={"question": "Which one?"})
_IDLE = Session(id="idle", thread=Thread(messages=_SAID))
_ASKED = Session(
    id="asked",
    thread=Thread(messages=(user(_PLAIN), assistant([_CALL]), tool_result("c", AWAITING_USER, name="ask"))),
    status="awaiting_user",
    pending_questions=(PendingQuestion(tool_call_id="c", tool_name="ask", question="Which one?"),),
)
_FAILED = Session(id="failed", thread=Thread(messages=(*_SAID, user(_WEATHER))), status="error")


def starts(engine: Engine) -> dict[str, Start]:
    """Give the streams of an engine, by entry point."""
    plain = engine.replace(tools=())
    return {**_calls(engine, plain), **_sessions(engine), **_operators(engine, plain)}


def _calls(engine: Engine, plain: Engine) -> dict[str, Start]:
    return {
        "generate": lambda: generate(plain, _PLAIN),
        "generate, a form": lambda: generate(plain, _FORM, response_format=Form),
        "generate, stumbling": lambda: generate(plain, _STUMBLE),
        "stream_generate": lambda: stream_generate(plain, _PLAIN),
        "stream_generate, stumbling": lambda: stream_generate(plain, _STUMBLE),
        "step": lambda: step(engine, _WEATHER),
        "stream_step": lambda: stream_step(engine, _WEATHER),
        "chat": lambda: chat(engine, _WEATHER),
        "chat, a form": lambda: chat(engine, _FORM, response_format=Form),
        "stream": lambda: stream(engine, _WEATHER),
    }


def _sessions(engine: Engine) -> dict[str, Start]:
    return {
        "sessions.start": lambda: sessions.start(engine, _WEATHER),
        "sessions.reply": lambda: sessions.reply(engine, _IDLE, _WEATHER),
        "sessions.reply, an answer": lambda: sessions.reply(engine, _ASKED, "The small one."),
        "sessions.resume": lambda: sessions.resume(engine, _FAILED),
        "sessions.step": lambda: sessions.step(engine, _FAILED),
        "sessions.stream_start": lambda: sessions.stream_start(engine, _WEATHER),
        "sessions.stream_reply": lambda: sessions.stream_reply(engine, _IDLE, _WEATHER),
        "sessions.stream_resume": lambda: sessions.stream_resume(engine, _FAILED),
        "sessions.stream_step": lambda: sessions.stream_step(engine, _FAILED),
    }


def _operators(engine: Engine, plain: Engine) -> dict[str, Start]:
    prompts = (_PLAIN, "And of Bergen?")
    broken = plain.replace(adapter=Fake(scripts=[]), retry=False)
    ask = partial(stream_generate, plain, _PLAIN)
    return {
        "lx.generate": lambda: rx.of(*prompts).pipe(lx.generate(plain)),
        "lx.switch_generate": lambda: rx.of(*prompts).pipe(lx.switch_generate(plain)),
        "lx.chat": lambda: rx.of(_WEATHER, _PLAIN).pipe(lx.chat(engine)),
        "lx.text": lambda: ask().pipe(lx.text()),
        "lx.partial": lambda: stream_generate(plain, _FORM, response_format=Form).pipe(lx.partial(Form)),
        "lx.fallback": lambda: stream_generate(broken, _PLAIN).pipe(lx.fallback(ask)),
        "lx.hedge": lambda: ask().pipe(lx.hedge(after=0.002)),
        "lx.race_first": lambda: lx.race_first(ask, ask, stream_generate(broken, _PLAIN)),
        "lx.smooth": lambda: ask().pipe(lx.smooth(rate=2_000)),
        "lx.max_concurrent": lambda: rx.of(*prompts).pipe(lx.max_concurrent(2, partial(stream_generate, plain))),
    }


if __name__ == "__main__":
    asyncio.run(serve())
