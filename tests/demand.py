"""A subscriber's demand that a test turns on and off."""

import asyncio


class Tap:
    """Demand that is there while the tap is open."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.is_open = is_open
        self.waits = 0
        """How often somebody began to wait."""
        self.waiting: list[asyncio.Future[None]] = []

    def ready(self) -> bool:
        return self.is_open

    async def wait(self) -> None:
        self.waits += 1
        while not self.is_open:
            future = asyncio.get_running_loop().create_future()
            self.waiting.append(future)
            try:
                await future
            finally:
                self.waiting.remove(future)

    def open(self) -> None:
        self.is_open = True
        for future in self.waiting:
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        self.is_open = False
