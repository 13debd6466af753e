"""A scripted adapter: real streams, real grammar, no network and no key.

A script is a sequence of events, mixed freely with a short vocabulary:

| entry | means |
|---|---|
| `"Hel"` | some text |
| `reasoning("Hm")` | some readable reasoning |
| `ToolCall(id=..., name=..., arguments={...})` | a call, streamed whole |
| `SourcePart(...)`, `ImagePart(...)`, `AudioPart(...)`, `ProviderPart(...)` | such a part |
| `Usage(...)` | what was consumed |
| `delay(0.1)` | a pause, in virtual time where the subscription has it |
| `error("rate_limited", ...)` | the call fails here |
| `finish("length")` | the answer ends here; without it, `stop`, or `tool_calls` when calls were made |
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from pydantic_core import to_json
from reactivex import Observable
from reactivex.disposable import Disposable, SerialDisposable

from allm_rx.abc.emitter import EventEmitter
from allm_rx.abc.flow import demand_of
from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.parts import AudioPart, ImagePart, ProviderPart, SourcePart, ToolCall
from allm_rx.data.usage import Usage
from allm_rx.errors import AdapterError, AdapterReason, AllmError, Facts

if TYPE_CHECKING:
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.abc.adapter import Call
    from allm_rx.data.requests import Request
    from allm_rx.data.responses import FinishReason

_SLICE = 0.005
"""Seconds of uninterrupted delivery after which other streams of the loop get their turn."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Some readable reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class Delay:
    """A pause before the next entry."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of the answer."""

    reason: FinishReason
    raw: str | None = None


def reasoning(text: str) -> Reasoning:
    """Script some readable reasoning."""
    return Reasoning(text)


def delay(seconds: float) -> Delay:
    """Script a pause, in seconds."""
    return Delay(seconds)


def finish(reason: FinishReason, raw: str | None = None) -> Finish:
    """Script the end of the answer; entries behind it are not reached."""
    return Finish(reason, raw)


def error(reason: AdapterReason | AllmError, message: str | None = None, **facts: Unpack[Facts]) -> AllmError:
    """Script a failure.

    Args:
        reason: a reason of `AdapterError`, or any error of ours.
        message: what the provider says.
        facts: such as `status=429` and `retry_after=2.0`.

    Raises:
        ValueError: `AdapterError` has no such reason.
    """
    if isinstance(reason, AllmError):
        return reason
    return AdapterError(reason, message or f"The script says {reason!r}.", **facts)


Entry = (
    str | Reasoning | ToolCall | SourcePart | ImagePart | AudioPart | ProviderPart | Usage | Delay | Finish | AllmError | ev.Event
)
"""What a script is made of."""
Script = Sequence[Entry]


class Fake:
    """An adapter that answers from a script and remembers what it was asked."""

    provider = "fake"

    def __init__(
        self,
        script: Script | None = None,
        *,
        scripts: Sequence[Script] | None = None,
        respond: Callable[[Request], Script] | None = None,
        preflight_error: AllmError | None = None,
    ) -> None:
        """Script the answers.

        Args:
            script: answers every request alike.
            scripts: answer successive requests, then `no_scripted_response`.
            respond: makes the script from the request.
            preflight_error: raised at every call, before anything is sent.

        Raises:
            TypeError: not exactly one of the three was given, or a script has an entry that means nothing.
        """
        if sum(given is not None for given in (script, scripts, respond)) != 1:
            raise TypeError("Fake(...) takes exactly one of `script`, `scripts` and `respond`.")
        for one in scripts if scripts is not None else [script or ()]:
            _check(one)
        self.requests: list[Request] = []
        """The requests as they were sent, resolved, one per subscription."""
        self.disposals = 0
        """How many subscriptions were left before their end."""
        self._script = script
        self._scripts = scripts
        self._respond = respond
        self._preflight_error = preflight_error
        self._lock = threading.Lock()

    def preflight(self, request: Request, call: Call, /) -> None:
        """Accept any request, unless a pre-flight error is scripted."""
        del request, call
        if self._preflight_error is not None:
            raise self._preflight_error

    def stream(self, request: Request, call: Call, /) -> Observable[ev.Event]:
        """Play the script on subscription; the cursor of `scripts` moves then, not before."""

        def subscribe(observer: ObserverBase[ev.Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
            if scheduler is None:  # the edge always gives one
                raise TypeError("Fake is subscribed through an engine or its own `stream`, which give it a scheduler.")
            playing = _Playing(self, request, call, observer, scheduler)
            playing.start()
            return Disposable(playing.dispose)

        return call.host.deliver(Observable(subscribe))

    def next_script(self, request: Request) -> tuple[int, Script]:
        """Take the next script for a request.

        Raises:
            AdapterError: `no_scripted_response`, all scripts were played.
        """
        with self._lock:
            index = len(self.requests)
            self.requests.append(request)
        if self._respond is not None:
            script = self._respond(request)
            _check(script)
            return index, script
        if self._scripts is None:
            return index, self._script or ()
        if index >= len(self._scripts):
            raise AdapterError(
                "no_scripted_response",
                f"The Fake has {len(self._scripts)} scripts and this is request {index + 1}: add one, or use `respond=`.",
                provider=self.provider,
            )
        return index, self._scripts[index]

    def left(self) -> None:
        """Count a subscription that was left before its end."""
        with self._lock:
            self.disposals += 1


def _check(script: Script) -> None:
    for entry in script:
        if not isinstance(entry, Entry):  # pyright: ignore[reportUnnecessaryIsInstance] # scripts come from untyped tests
            raise TypeError(f"{entry!r} means nothing in a script: see `allm_rx.adapters.fake` for what does.")


class _Playing:
    """One subscription's way through its script."""

    def __init__(
        self, fake: Fake, request: Request, call: Call, observer: ObserverBase[ev.Event], scheduler: SchedulerBase
    ) -> None:
        self._fake = fake
        self._request = request
        self._call = call
        self._observer = observer
        self._scheduler = scheduler
        self._demand = demand_of(scheduler)
        self._pending = SerialDisposable()
        self._entries: Iterator[Entry] = iter(())
        self._out = EventEmitter(provider=fake.provider, request_id=call.request_id)
        self._over = False

    def start(self) -> None:
        try:
            index, script = self._fake.next_script(self._request)
        except AllmError as failed:
            index, script = len(self._fake.requests) - 1, (failed,)
        self._entries = iter(script)
        self._out.seen(f"fake-{index}", self._request.model)
        self._later()

    def dispose(self) -> None:
        if not self._over:
            self._over = True
            self._fake.left()
        self._pending.dispose()

    def _later(self, seconds: float = 0.0) -> None:
        self._pending.disposable = self._scheduler.schedule_relative(seconds, self._play)

    def _play(self, scheduler: SchedulerBase | None = None, state: object = None) -> None:
        del scheduler, state
        until = time.perf_counter() + _SLICE
        while not self._over:
            if self._demand is not None and not self._demand.ready():
                waiting = asyncio.ensure_future(self._demand.wait())
                self._pending.disposable = Disposable(partial(_cancel, waiting))
                waiting.add_done_callback(self._resume)
                return
            entry = next(self._entries, None)
            if isinstance(entry, Delay):
                self._later(entry.seconds)
                return
            if entry is None:
                self._out.complete("stop", "stop")
            else:
                say(self._out, entry, raw_wanted=self._call.include_raw_chunks)
            self._emit()
            if time.perf_counter() > until and not self._over:
                self._later()
                return

    def _resume(self, waiting: asyncio.Future[None]) -> None:
        if not waiting.cancelled():
            self._play()

    def _emit(self) -> None:
        for event in self._out.take():
            if self._over:
                return
            self._observer.on_next(event)
        if self._out.ended and not self._over:
            self._over = True
            self._observer.on_completed()


def _cancel(waiting: asyncio.Future[None]) -> None:
    waiting.cancel()


def say(out: EventEmitter, entry: Entry, *, raw_wanted: bool = True) -> None:  # noqa: C901 - one arm per kind of entry
    """Say one entry of a script to an emitter."""
    match entry:
        case str():
            out.run(entry)
        case Reasoning(text=text):
            out.run(text, reasoning=True)
        case ToolCall():
            call_id = out.new_call_id(entry.id)
            text = entry.raw_arguments if entry.raw_arguments is not None else to_json(entry.arguments).decode()
            out.call_started(call_id, entry.name, provider_executed=entry.provider_executed)
            out.call_delta(call_id, text)
            out.call_completed(call_id, text, extra=entry.provider_data, error=entry.error)
        case Usage():
            out.report_usage(entry, now=True)
        case SourcePart():
            out.source(entry)
        case ImagePart() | AudioPart():
            out.media(f"media-{len(out.builder.blocks)}", entry)
        case ProviderPart():
            out.item(entry)
        case AllmError():
            out.error(Failure.of(entry))
        case Finish(reason=reason, raw=raw):
            out.complete(reason, raw or reason)
        case Delay():
            raise TypeError("A delay is played, not said.")
        case _:
            _say_event(out, entry, raw_wanted=raw_wanted)


def _say_event(out: EventEmitter, event: Any, *, raw_wanted: bool) -> None:  # noqa: C901 - one arm per kind of event
    match event:
        case ev.MessageStarted():
            out.seen(event.message_id, event.model)
        case ev.TextDelta():
            out.text(event.id, event.delta)
        case ev.TextCompleted():
            out.text_completed(event.id, event.text, event.provider_data)
        case ev.ReasoningDelta():
            out.reasoning(event.id, event.delta)
        case ev.ReasoningCompleted():
            out.reasoning_completed(event.id, event.text, event.provider_data)
        case ev.ToolCallStarted():
            out.call_started(out.new_call_id(event.id), event.name, provider_executed=event.provider_executed)
        case ev.ToolCallDelta():
            out.call_delta(event.id, event.arguments_delta)
        case ev.ToolCallCompleted():
            out.call_completed(event.id, event.raw_arguments, arguments=event.arguments, extra=event.provider_data)
        case ev.ToolResultReceived():
            out.result(event.id, event.name, event.content, is_error=event.is_error, extra=event.provider_data)
        case ev.SourceAdded() | ev.MediaCompleted() | ev.ProviderItem():
            say(out, event.part)
        case ev.RawChunk(kind="usage", data=Usage() as usage):
            out.report_usage(usage, now=True)
        case ev.RawChunk():
            if raw_wanted:
                out.raw(event.kind, event.data)
        case ev.MessageCompleted():
            out.complete(event.finish_reason or "stop", event.raw_finish_reason, event.message)
        case ev.Error():
            out.error(event.failure)
        case _:
            raise TypeError(f"An adapter never emits {event.type!r}: leave it out of the script.")
