"""Claims about leaving early: whenever and from wherever, the other end sees it, and nothing follows."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from reactivex import operators as ops
from reactivex.disposable import SerialDisposable
from reactivex.scheduler import EventLoopScheduler

from allm_rx.data.events import Error, TextDelta
from allm_rx.data.parts import ToolCall
from allm_rx.data.policies import Timeouts
from allm_rx.execution.calls import stream, stream_generate
from allm_rx.runtime.tools import tool
from allm_rx.testing.answers import Answer
from allm_rx.testing.conformance.provider import PATIENCE, Provider, Subject, everything, text_of
from allm_rx.testing.faults import DelayBody, DelayHead, Flood

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable

    from allm_rx.data.events import Event

SILENT = Answer("Hi", faults=[DelayHead()])
BEGUN = Answer("Hi", faults=[DelayBody()])
ENDLESS = Answer("Hi", faults=[Flood()])


class LeavingConformance(Subject):
    """Disposing closes the request, from the loop's own thread and from any other."""

    @pytest.mark.parametrize("leave", ["on the loop", "from another thread"])
    @pytest.mark.parametrize("answer", [SILENT, BEGUN], ids=["before the head", "before the body"])
    def test_leaving_before_the_first_byte(self, answer: Answer, leave: str) -> None:
        """A provider that still thinks is left at once."""
        with self.answering(answer) as provider:
            seen = self._left(leave, provider, begun=lambda _: True)

        assert seen == []

    @pytest.mark.parametrize("leave", ["on the loop", "from another thread"])
    def test_leaving_in_mid_answer(self, leave: str) -> None:
        """Between two pieces of text, with more on its way."""
        with self.answering(ENDLESS) as provider:
            seen = self._left(leave, provider, begun=lambda events: bool(text_of(events)))

        assert text_of(seen)
        assert not isinstance(seen[-1], Error)

    @pytest.mark.parametrize("leave", ["on the loop", "from another thread"])
    def test_leaving_after_the_end_does_nothing(self, leave: str) -> None:
        """There is nothing left to leave: the connection is kept, and the next request may use it."""
        ended = threading.Event()
        with self.answering(Answer("Hi")) as provider:
            answer = self.stream(provider)

            async def main() -> None:
                done = asyncio.Event()
                subscription = answer.subscribe(on_completed=done.set)
                await done.wait()
                subscription.dispose()
                subscription.dispose()

            if leave == "on the loop":
                asyncio.run(main())
            else:
                subscription = answer.subscribe(on_completed=ended.set)
                assert ended.wait(PATIENCE)
                subscription.dispose()
                subscription.dispose()

            assert provider.left == 0

    def test_leaving_before_anything_was_sent(self) -> None:
        """Subscribing and disposing in one breath delivers nothing, and leaves no request behind."""
        with self.answering(Answer("Hi")) as provider:

            async def main() -> list[Event]:
                seen: list[Event] = []
                self.stream(provider).subscribe(seen.append).dispose()
                return seen

            assert asyncio.run(main()) == []
            assert provider.asked == provider.left

    def test_leaving_within_an_event(self) -> None:
        """A subscriber that disposes in its own `on_next` sees nothing more."""
        with self.answering(ENDLESS) as provider:

            async def main() -> list[Event]:
                seen: list[Event] = []
                subscription = SerialDisposable()

                def on_next(event: Event) -> None:
                    seen.append(event)
                    if isinstance(event, TextDelta):
                        subscription.dispose()

                subscription.disposable = self.stream(provider).subscribe(on_next)
                await asyncio.to_thread(provider.wait_left)
                return seen

            seen = asyncio.run(main())

        assert sum(isinstance(event, TextDelta) for event in seen) == 1

    def test_taking_a_few_events_leaves_the_rest(self) -> None:
        """An operator that has enough disposes, as a subscriber does."""
        with self.answering(ENDLESS) as provider:
            events = everything(self.stream(provider).pipe(ops.take(3)))
            provider.wait_left()

        assert len(events) == 3

    def test_a_cancelled_await_leaves(self) -> None:
        """A task that waits for the answer takes the request with it."""
        with self.answering(ENDLESS) as provider:

            async def main() -> bool:
                task = asyncio.ensure_future(_awaited(self.stream(provider)))
                await asyncio.to_thread(provider.wait_asked)
                task.cancel()
                await asyncio.wait([task])
                await asyncio.to_thread(provider.wait_left)
                return task.cancelled()

            assert asyncio.run(main())

    def test_a_subscriber_on_a_thread_of_its_own_leaves(self) -> None:
        """Nothing is delivered on that thread after it disposed there, although events wait for it."""
        scheduler = EventLoopScheduler(exit_if_empty=True)
        gone = threading.Event()
        with self.answering(ENDLESS) as provider:
            seen: list[Event] = []
            subscription = SerialDisposable()

            def on_next(event: Event) -> None:
                seen.append(event)
                if isinstance(event, TextDelta):
                    subscription.dispose()
                    gone.set()

            subscription.disposable = self.stream(provider).subscribe(on_next, scheduler=scheduler)
            assert gone.wait(PATIENCE)
            provider.wait_left()
            count = len(seen)
            settled = threading.Event()

            def settle(scheduler: object, state: object = None) -> None:
                del scheduler, state
                settled.set()

            scheduler.schedule(settle)
            assert settled.wait(PATIENCE)

        assert len(seen) == count

    def test_a_subscriber_that_raises_closes_the_request(self) -> None:
        """Its exception comes back once, and does not go on being paid for."""
        with self.answering(ENDLESS) as provider:
            failed: list[Exception] = []

            def on_next(event: Event) -> None:
                raise LookupError(event.type)

            self.stream(provider).subscribe(on_next, failed.append)
            provider.wait_left()

        assert [type(error).__name__ for error in failed] == ["SubscriberError"]

    def test_leaving_inside_a_tool(self) -> None:
        """The handler is cancelled, and the model is not asked again."""
        begun, cancelled = threading.Event(), threading.Event()

        @tool
        async def get_weather(city: str) -> str:
            """Tell the weather."""
            begun.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                cancelled.set()
            return city

        call = ToolCall(id="call_1", name="get_weather", arguments={"city": "Oslo"})
        with self.answering(Answer(tool_calls=[call])) as provider:
            subscription = stream(self.engine(provider), "Say something.", tools=[get_weather]).subscribe()
            assert begun.wait(PATIENCE)
            subscription.dispose()
            assert cancelled.wait(PATIENCE)

            assert (provider.asked, provider.left) == (1, 0)

    def test_a_provider_that_is_too_slow_is_left(self) -> None:
        """A time-out closes the request as a subscriber would."""
        with self.answering(SILENT) as provider:
            timeouts = Timeouts(first=0.05)
            events = everything(stream_generate(self.engine(provider, timeouts=timeouts), "Say something."))
            provider.wait_left()

        assert [event.failure.reason for event in events if isinstance(event, Error)] == ["timeout"]

    def _left(self, leave: str, provider: Provider, begun: Callable[[list[Event]], bool]) -> list[Event]:
        """Subscribe, leave when the answer has begun, wait until the other end sees it, and give what was seen."""
        if leave == "on the loop":
            return asyncio.run(self._left_on_loop(provider, begun))
        seen: list[Event] = []
        ready = threading.Event()

        def on_next(event: Event) -> None:
            seen.append(event)
            if begun(seen):
                ready.set()

        subscription = self.stream(provider).subscribe(on_next)
        provider.wait_asked()
        if not begun([]):
            assert ready.wait(PATIENCE)
        subscription.dispose()
        provider.wait_left()
        return seen

    async def _left_on_loop(self, provider: Provider, begun: Callable[[list[Event]], bool]) -> list[Event]:
        seen: list[Event] = []
        ready = asyncio.Event()

        def on_next(event: Event) -> None:
            seen.append(event)
            if begun(seen):
                ready.set()

        subscription = self.stream(provider).subscribe(on_next)
        await asyncio.to_thread(provider.wait_asked)
        if not begun([]):
            await ready.wait()
        subscription.dispose()
        count = len(seen)
        await asyncio.to_thread(provider.wait_left)
        assert len(seen) == count, "an event followed the disposal on its own loop"
        return seen


async def _awaited(stream: Observable[Any]) -> Any:
    return await stream
