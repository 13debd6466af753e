"""How long to wait and how often to try: plain values that engines and calls carry."""

from typing import Self

from pydantic import Field, model_validator

from allm_rx.data.failures import Failure
from allm_rx.data.model import Data

RETRIED_STATUSES = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
RETRIED_REASONS = frozenset({"network_error", "timeout", "rate_limited", "overloaded", "server_error", "stream_interrupted"})

_MOST_DOUBLINGS = 1000
"""No delay needs more, and a float holds no more than 1023."""


class Timeouts(Data):
    """Seconds until a part of a call counts as failed; None waits for ever. All pause while the subscriber is not ready."""

    connect: float | None = Field(default=10.0, gt=0)
    """Name look-up, connection and TLS, per attempt."""
    first: float | None = Field(default=600.0, gt=0)
    """From the subscription to the first content event, per attempt."""
    idle: float | None = Field(default=120.0, gt=0)
    """Between any two bytes, comments and pings included, per attempt."""
    stall: float | None = Field(default=None, gt=0)
    """Between two content events, per attempt."""
    total: float | None = Field(default=None, gt=0)
    """One provider request with all its attempts."""


class RetryPolicy(Data):
    """When and how a failed request is sent again."""

    max_attempts: int = Field(default=3, ge=1)
    """All attempts together, the first included; 1 never retries."""
    base_delay: float = Field(default=0.5, ge=0)
    """Seconds before the second attempt; doubles with each further one."""
    max_delay: float = Field(default=30.0, ge=0)
    """Seconds; a delay is never longer, jitter aside, and a `Retry-After` beyond it is not waited for."""
    jitter: float = Field(default=0.25, ge=0)
    """Seconds; up to this much is added at random, so that many clients do not come back at once."""
    retry_on: frozenset[int | str] = RETRIED_STATUSES | RETRIED_REASONS
    """HTTP statuses, and reasons for failures without a status."""
    respect_retry_after: bool = True
    restart: bool = False
    """Whether a failure after output starts the answer again; the subscriber sees `message_restarted`."""

    @model_validator(mode="after")
    def _delays_fit(self) -> Self:
        if self.base_delay > self.max_delay:
            both = f"`base_delay` {self.base_delay} is longer than `max_delay` {self.max_delay}"
            raise ValueError(f"{both}: lower one or raise the other")
        return self

    def allows(self, failure: Failure) -> bool:
        """Tell whether a failure may heal by itself: a used-up quota never does; else the provider's verdict counts most."""
        if failure.reason == "quota_exceeded":
            return False
        verdict = failure.details.get("should_retry")
        if isinstance(verdict, bool):
            return verdict
        return (failure.reason if failure.status is None else failure.status) in self.retry_on

    def delay(self, attempt: int, failure: Failure, *, chance: float) -> float | None:
        """Give the seconds to wait after an attempt, or None when the provider asks for more than `max_delay`.

        Args:
            attempt: the attempt that failed, from 1.
            failure: why it failed.
            chance: a random number from 0 to 1, for the jitter.
        """
        asked = failure.retry_after if self.respect_retry_after else None
        if asked is not None and asked > self.max_delay:
            return None
        backoff = min(self.max_delay, self.base_delay * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS))
        return (asked if asked is not None and asked > 0 else backoff) + self.jitter * chance
