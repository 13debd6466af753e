"""The seam between records of a body and events, and what every decoder has to hold to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from allm_rx.data.events import Event
    from allm_rx.data.failures import Failure
    from allm_rx.wire.http import ResponseHead
    from allm_rx.wire.sse import SseRecord


class Decoder(Protocol):
    """Turns one answer into events; sans I/O, one instance per subscription.

    Guarantees: never raises, whatever the bytes; gives the same events however the body was cut; for one block started,
    deltas, completed, in that order; usage before the terminal; nothing after the terminal.
    """

    @property
    def ended(self) -> bool:
        """Whether the terminal was given; what follows on the wire is read and ignored."""
        ...

    @property
    def finishing(self) -> bool:
        """Whether the answer itself is over and only usage or the end marker is awaited."""
        ...

    def feed(self, record: SseRecord, /) -> Sequence[Event]:
        """Give what one record of a stream means."""
        ...

    def feed_all(self, records: Iterable[SseRecord], /) -> Sequence[Event]:
        """Give what the records of one read mean, up to the terminal."""
        ...

    def whole(self, body: bytes, /) -> Sequence[Event]:
        """Give what an answer means that came as one JSON body."""
        ...

    def refuse(self, head: ResponseHead, body: bytes, /) -> Sequence[Event]:
        """Give the `error` event of an answer whose status is not a success."""
        ...

    def finish(self) -> Sequence[Event]:
        """Give what is left at the end of the body; a stream without its natural end is an `error`."""
        ...

    def settle(self) -> Sequence[Event]:
        """Give the answer as whole, because it is `finishing` and its end marker does not come."""
        ...

    def fail(self, failure: Failure, /) -> Sequence[Event]:
        """Give what is left when the exchange broke: usage that is known, then the `error`."""
        ...
