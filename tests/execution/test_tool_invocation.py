"""Where handlers run, how they are cancelled, and that nothing escapes them."""

import asyncio
import contextlib
import contextvars
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Unpack

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
from reactivex.disposable import Disposable
from reactivex.scheduler import NewThreadScheduler

from allm_rx.abc.tools import AskUser, ToolContext
from allm_rx.data import events as ev
from allm_rx.data.parts import ToolCall
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.execution.calls import chat, step, stream
from allm_rx.runtime.options import Options
from allm_rx.runtime.tools import tool
from tests import virtual_loop
from tests.orchestration import after, call, engine, observed, result

STOPS = [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError(), BaseException("odd")]
WHERE: contextvars.ContextVar[str] = contextvars.ContextVar("where", default="nowhere")


def error_of(done: StepResult | ChatResult) -> str:
    """The reason that the model reads of the first tool call."""
    first = done.steps[0] if isinstance(done, ChatResult) else done
    return json.loads(first.tool_results[0].text)["error"]["reason"]


def once(handler: Any, **options: Unpack[Options]) -> StepResult:
    """A step that calls the one tool, awaited in a loop of its own."""

    async def main() -> StepResult:
        return await step(engine([call("act")], tools=[tool(handler, name="act")]), "hi", **options)

    return asyncio.run(main())


# Where.


def test_a_function_runs_on_a_daemon_thread_of_its_own() -> None:
    """It may block without holding up other streams, and the interpreter does not wait for it."""

    def act() -> list[Any]:
        thread = threading.current_thread()
        return [thread.name, thread.daemon]

    assert once(act).tool_results[0].text == '["allm_rx tool act",true]'


def test_an_async_function_runs_on_the_owning_loop() -> None:
    """It may use what lives on the caller's loop."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def act() -> None:
        loops.append(asyncio.get_running_loop())

    async def main() -> asyncio.AbstractEventLoop:
        await step(engine([call("act")], tools=[tool(act)]), "hi")
        return asyncio.get_running_loop()

    assert [asyncio.run(main())] == loops


def test_an_observable_is_subscribed_on_the_owning_loop() -> None:
    """Its timers need no thread."""
    threads: list[str] = []

    def act() -> Observable[int]:
        threads.append(threading.current_thread().name)
        return after(0.001, 1)

    once(act)

    assert threads == ["MainThread"]


def test_what_a_function_gives_without_saying_so_is_followed() -> None:
    """An observable or an awaitable of an untyped function is taken on the loop."""

    async def later() -> str:
        return threading.current_thread().name

    def act():
        return later()

    assert once(act).tool_results[0].text == "MainThread"


def test_an_observable_of_an_async_function_is_followed() -> None:
    """The two ways may be combined."""

    async def act() -> Observable[int]:
        return rx.of(1, 2)

    assert once(act).tool_results[0].text == "2"


def test_an_observable_that_emits_elsewhere_is_brought_to_the_loop() -> None:
    """All events of a stream come from one thread, whatever an observable does."""
    threads: set[str] = set()

    def act() -> Observable[int]:
        return rx.from_iterable([1, 2, 3], NewThreadScheduler())

    done = once(act, on_event=lambda event: threads.add(threading.current_thread().name))

    assert threads == {"MainThread"}
    assert done.tool_results[0].text == "3"


def test_progress_of_a_thread_comes_to_the_loop_in_order() -> None:
    """Reports and result are not mixed up."""
    seen: list[Any] = []

    def act(ctx: ToolContext) -> str:
        for number in range(50):
            ctx.progress(number)
        return "done"

    def watch(event: ev.Event) -> None:
        if isinstance(event, ev.ToolExecutionProgress):
            seen.append((threading.current_thread().name, event.value))

    once(act, on_event=watch)

    assert seen == [("MainThread", number) for number in range(50)]


def sync_act() -> str:
    """Tell where it is, on a thread."""
    return WHERE.get()


async def async_act() -> str:
    """Tell where it is, on the loop."""
    return WHERE.get()


@pytest.mark.parametrize("handler", [sync_act, async_act])
def test_context_variables_of_the_subscriber_are_seen(handler: Any) -> None:
    """In handlers, also of later turns, and in `on_event` after them."""
    seen: set[str] = set()
    turns = [[call("act")], [call("act")], ["done"]]

    async def main() -> ChatResult:
        WHERE.set("here")
        return await chat(engine(*turns, tools=[tool(handler, name="act")]), "hi", on_event=lambda event: seen.add(WHERE.get()))

    done = asyncio.run(main())

    assert [one.tool_results[0].text for one in done.steps[:2]] == ["here", "here"]
    assert seen == {"here"}


# What escapes.


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: type(stop).__name__)
def test_whatever_ends_a_thread_is_a_tool_error(stop: BaseException) -> None:
    """A handler ends itself, not the program and not the chat."""

    def act() -> None:
        raise stop

    assert error_of(once(act)) == "handler_raised"


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: type(stop).__name__)
def test_whatever_ends_a_coroutine_leaves_the_io_loop_alive(stop: BaseException) -> None:
    """The loop that all streams share outlives a handler that calls `sys.exit`."""

    async def act() -> None:
        raise stop

    here = engine([call("act")], ["done"], ["again"], tools=[tool(act)])

    assert error_of(chat(here, "hi").run(timeout=30)) == "handler_raised"
    assert chat(here, "hi").run(timeout=30).halted_reason == "completed"


def test_a_coroutine_that_calls_exit_does_not_end_the_callers_loop() -> None:
    """The program goes on, and the model is told."""

    async def act() -> None:
        raise SystemExit(3)

    assert error_of(once(act)) == "handler_raised"


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: type(stop).__name__)
def test_whatever_is_raised_on_the_io_loop_is_contained(stop: BaseException) -> None:
    """So is what a function raises that was to give an observable."""

    def act() -> Observable[int]:
        raise stop

    here = engine([call("act")], ["done"], tools=[tool(act)])

    assert error_of(chat(here, "hi").run(timeout=30)) == "handler_raised"


def test_ctrl_c_is_not_a_tool_error() -> None:
    """In the main thread it is the user's, and ends what runs there."""

    def act() -> Observable[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        observed(step(engine([call("act")], tools=[tool(act)]), "hi"))


def test_an_awaitable_of_another_loop_is_a_tool_error() -> None:
    """What cannot be awaited here does not take the chat down."""
    other = asyncio.new_event_loop()
    foreign = other.create_future()

    def act() -> asyncio.Future[Any]:
        return foreign

    assert error_of(once(act)) == "handler_raised"
    other.close()


def test_a_coroutine_in_virtual_time_is_a_tool_error() -> None:
    """There is no loop to run it; the message says what to use."""

    async def act() -> None: ...

    done = result(chat(engine([call("act")], ["done"], tools=[tool(act)]), "hi"))

    assert error_of(done) == "invalid_return"
    assert "Observable" in done.steps[0].tool_results[0].text


# How it is cancelled.


def test_a_coroutine_that_takes_too_long_is_cancelled() -> None:
    """It sees the cancellation at the second of the timeout."""
    cancelled: list[float] = []

    async def act() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(virtual_loop.running().time())
            raise

    async def main() -> StepResult:
        return await step(engine([call("act")], tools=[tool(act)]), "hi", tool_timeout=7)

    done = virtual_loop.run(main())

    assert error_of(done) == "timeout"
    assert cancelled == [pytest.approx(7)]


def test_a_coroutine_that_swallows_its_cancellation_is_not_heard() -> None:
    """Its late result is dropped."""

    async def act() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()
        return "late"

    async def main() -> StepResult:
        done = await step(engine([call("act")], tools=[tool(act)]), "hi")
        await virtual_loop.turn()
        return done

    assert error_of(virtual_loop.run(main())) == "timeout"


def test_a_thread_that_takes_too_long_is_told_and_not_heard() -> None:
    """`cancelled` turns true, and its late result is dropped."""
    go, gone = threading.Event(), threading.Event()
    told: list[bool] = []

    def act(ctx: ToolContext) -> str:
        told.append(ctx.cancelled)
        go.wait()
        told.append(ctx.cancelled)
        gone.set()
        return "late"

    async def main() -> StepResult:
        return await step(engine([call("act")], tools=[tool(act)]), "hi", tool_timeout=7)

    done = virtual_loop.run(main())
    go.set()

    assert gone.wait(30)
    assert (error_of(done), told) == ("timeout", [False, True])


def test_an_observable_that_takes_too_long_is_disposed() -> None:
    """Also one whose disposal raises."""
    disposed: list[int] = []

    def act() -> Observable[int]:
        def subscribe(observer: ObserverBase[int], scheduler: SchedulerBase | None = None) -> DisposableBase:
            def dispose() -> None:
                disposed.append(1)
                raise RuntimeError("stuck")

            return Disposable(dispose)

        return Observable(subscribe)

    seen = observed(step(engine([call("act")], tools=[tool(act)]), "hi", tool_timeout=7))

    assert (error_of(seen[-1].item), seen[-1].at, disposed) == ("timeout", 7, [1])


# Executors.


def test_a_pool_runs_functions() -> None:
    """A `ThreadPoolExecutor` is taken as it is, and context variables come along."""

    def act() -> list[str]:
        return [threading.current_thread().name, WHERE.get()]

    async def main(pool: ThreadPoolExecutor) -> StepResult:
        WHERE.set("here")
        return await step(engine([call("act")], tools=[tool(act)]), "hi", tool_executor=pool)

    with ThreadPoolExecutor(1, "pool") as pool:
        done = asyncio.run(main(pool))

    assert done.tool_results[0].text == '["pool_0","here"]'


def test_a_pool_leaves_coroutines_to_the_loop() -> None:
    """Only what may block needs one."""
    with ThreadPoolExecutor(1, "pool") as pool:
        done = once(named, tool_executor=pool)

    assert done.tool_results[0].text == "MainThread"


async def named() -> str:
    """Tell on which thread it runs."""
    return threading.current_thread().name


def test_an_executor_function_decides_how_a_handler_runs() -> None:
    """It gets the call and what runs it, and gives what a handler may give."""

    def execute(call: ToolCall, run: Callable[[], Any]) -> Any:
        return AskUser(f"May I {call.name}?") if call.id == "a" else f"checked: {run()}"

    turn = [call("act", "a"), call("act", "b")]

    done = result(step(engine(turn, tools=[tool(lambda: 1, name="act")]), "hi", tool_executor=execute))

    assert (done.halted_reason, done.tool_results[1].text) == ("ask_user", "checked: 1")


def test_an_async_executor_function_runs_on_the_loop() -> None:
    """It may await, say, somebody's consent, and then the handler."""

    async def execute(call: ToolCall, run: Callable[[], Any]) -> Any:
        return [threading.current_thread().name, await run()]

    done = once(named, tool_executor=execute)

    assert done.tool_results[0].text == '["MainThread","MainThread"]'


def test_an_executor_that_fails_is_a_tool_error() -> None:
    """F-19: it is contained like the handler."""

    def execute(call: ToolCall, run: Callable[[], Any]) -> Any:
        raise OSError("no pool")

    assert error_of(once(lambda: 1, tool_executor=execute)) == "handler_raised"


def test_a_pool_that_is_shut_down_is_a_tool_error() -> None:
    """So is one that takes no more work."""
    pool = ThreadPoolExecutor(1)
    pool.shutdown()

    assert error_of(once(lambda: 1, tool_executor=pool)) == "handler_raised"


def test_a_chat_may_be_a_tool() -> None:
    """A handler gives another chat; its loop, its disposal and its result are those of any observable."""

    def ask(question: str) -> Observable[ChatResult]:
        return chat(engine(["four"]), question)

    outer = engine([call("ask", question="2 + 2")], ["done"], tools=[tool(ask)])

    seen = observed(stream(outer, "hi"))

    [progress] = [one.item for one in seen if isinstance(one.item, ev.ToolExecutionProgress)]
    assert progress.value.final_response.output_text == "four"
    assert seen[-1].item.result.halted_reason == "completed"
