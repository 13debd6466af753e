"""A stream of events as a web server's answer: one record of Server-Sent Events per event.

    async def ask(request):
        return await sse_response(request, stream_generate(engine, await request.text()))

A record has the event's place in the stream as `id`, its `type` as `event`, and `events.dumps` as `data`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from allm_rx.data import events
from allm_rx.integrations.event_stream import respond

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web
    from reactivex import Observable

    from allm_rx.data.failures import Failure


async def sse_response(
    request: web.Request,
    observable: Observable[events.Event],
    *,
    first_id: int = 0,
    keep_alive: float | None = 15.0,
    headers: Mapping[str, str] | None = None,
) -> web.StreamResponse:
    """Answer an aiohttp request with a stream of events, and return when it ends.

    The stream is subscribed once, on the running loop. The client's socket is its demand: a client that reads slowly slows
    the provider, and one that leaves disposes the call at once, in the middle of a word and before the first. The answer is
    never compressed, as that would hold events back.

    A failure of the provider is an `error` event like any other; what the stream ends with by `on_error` is sent as one more
    `error` event, an exception that is not ours by its class alone. What a call raises before there is a stream is the
    handler's to answer.

    A browser's `EventSource` connects again when an answer ends: close it at the last event, or a second call is made. When
    the events are kept, the header `Last-Event-ID` of such a request says where to go on: skip what was seen, and begin with
    `first_id` one higher.

    Args:
        request: of aiohttp's server; its body has been read.
        observable: what the six calls give, or what operators made of it, as long as its items are events.
        first_id: the `id` of the first event.
        keep_alive: seconds between comments that keep proxies from giving up; None sends none.
        headers: more headers, such as those of CORS.

    Raises:
        ValueError: `keep_alive` is not positive.
    """
    return await respond(request, observable, _Records(first_id), keep_alive=keep_alive, headers=headers or {})


class _Records:
    """The events of one answer, numbered."""

    def __init__(self, first_id: int) -> None:
        self._numbers = itertools.count(first_id)

    def item(self, event: events.Event, /) -> bytes:
        # JSON has no line breaks of its own.
        return f"id: {next(self._numbers)}\nevent: {event.type}\ndata: {events.dumps(event)}\n\n".encode()

    def failure(self, failure: Failure, /) -> bytes:
        return self.item(events.Error(failure=failure))

    def end(self) -> bytes:
        return b""
