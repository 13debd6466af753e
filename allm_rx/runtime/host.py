"""What the runtime lends to adapters: keys, the HTTP client, and delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from allm_rx.runtime.delivery import deliver
from allm_rx.runtime.keys import RuntimeKeys

if TYPE_CHECKING:
    from reactivex import Observable

    from allm_rx.abc.keys import Keys
    from allm_rx.abc.transport import Transport

T = TypeVar("T")


class RuntimeHost:
    """The `abc.adapter.Host` of ordinary calls."""

    keys: Keys = RuntimeKeys()

    @property
    def transport(self) -> Transport:
        """The HTTP client that all adapters share which were given none."""
        from allm_rx.transport.aiohttp_client import default_transport  # noqa: PLC0415 - aiohttp loads at the first request

        return default_transport()

    def deliver(self, source: Observable[T], /) -> Observable[T]:
        """Give the stream at its edge; see `runtime.delivery`."""
        return deliver(source)


HOST = RuntimeHost()
