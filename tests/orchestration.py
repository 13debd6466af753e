"""Chats with scripted models, in virtual time."""

from typing import Any, NamedTuple, TypeVar, Unpack, cast

import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.scheduler import VirtualTimeScheduler

from allm_rx import operators as lx
from allm_rx.adapters.fake import Fake
from allm_rx.data.events import Event
from allm_rx.data.parts import ToolCall
from allm_rx.data.results import ChatResult
from allm_rx.execution.calls import chat
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.options import Options
from allm_rx.runtime.tools import FunctionTool, tool

T = TypeVar("T")


class Seen(NamedTuple):
    """An item and the virtual second at which it came."""

    at: float
    item: Any


def call(name: str, call_id: str = "c1", **arguments: Any) -> ToolCall:
    """A call as a script has it."""
    return ToolCall(id=call_id, name=name, arguments=arguments)


def broken(name: str, call_id: str = "c1") -> ToolCall:
    """A call whose arguments are no JSON."""
    return ToolCall(id=call_id, name=name, raw_arguments='{"city": ', error="cut off")


def engine(*scripts: Any, tools: Any = (), **fields: Any) -> Engine:
    """An engine whose model plays one script after the other."""
    return Engine(adapter=Fake(scripts=scripts), model="fake-1", tools=tools, **fields)


def fake_of(engine: Engine) -> Fake:
    """The engine's scripted adapter."""
    return cast("Fake", engine.adapter)


def observed(source: Observable[T]) -> list[Seen]:
    """What a stream gives, and when, in virtual time; an error of it is raised."""
    scheduler = VirtualTimeScheduler()
    seen: list[Seen] = []
    errors: list[Exception] = []
    source.subscribe(lambda item: seen.append(Seen(scheduler.clock, item)), errors.append, scheduler=scheduler)
    scheduler.start()
    for error in errors:
        raise error
    return seen


def result(source: Observable[T]) -> T:
    """The last item of a stream."""
    return observed(source)[-1].item


def events(source: Observable[Event]) -> list[Event]:
    """The events of a stream, held to the grammar."""
    return [seen.item for seen in observed(source.pipe(lx.validate_grammar()))]


def kinds(events: list[Event], *wanted: str) -> list[str]:
    """Types of events, all or some of them."""
    return [event.type for event in events if not wanted or event.type in wanted]


def after(seconds: float, value: T) -> Observable[T]:
    """A value that comes later."""
    return rx.timer(seconds).pipe(ops.map(lambda _: value))


def giving(value: Any, name: str = "look", **options: Any) -> FunctionTool[..., Any]:
    """A tool that gives a value, or raises it."""

    def look() -> Any:
        if isinstance(value, BaseException):
            raise value
        return value

    return tool(look, name=name, **options)


def answering(value: Any, **options: Unpack[Options]) -> ChatResult:
    """A chat whose model calls a tool that gives a value, and then says `done`."""
    return result(chat(engine([call("look")], ["done"], tools=[giving(value)]), "hi", **options))


def texts(messages: Any) -> list[str]:
    """Role and text of each message."""
    return [f"{message.role}: {message.text}" for message in messages]
