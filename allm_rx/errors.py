"""Every exception allm_rx raises, and who has to act on it.

    Exception
      AllmError
        UsageError           the calling code must change
          EngineError        the engine or its key is incomplete
          ValidationError    a request, message, tool, thread or session is wrong
          SessionError       the session does not allow this operation now
        AdapterError         provider, account or network
        StreamError          bytes nobody may send, interrupted, cancelled
        ToolError            a tool call failed
      SubscriberError        an `on_next` of the caller raised

Rule 1: a message says what, with which value, and what to do.
Rule 2: `reason` is one of a closed list per class; a typo is a `ValueError` where it is made.
Rule 3: nothing here holds a key, a header or a body.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple, TypedDict, Unpack, get_args

UsageReason = Literal["wrong_thread", "no_event_loop", "unknown_scheduler"]
EngineReason = Literal[
    "missing_adapter", "missing_stream_adapter", "missing_model", "missing_key", "unknown_model_prefix", "virtual_time"
]
ValidationReason = Literal[
    "invalid_request", "invalid_message", "invalid_tool", "invalid_thread", "invalid_session", "unsupported_capability"
]
SessionReason = Literal["wrong_status", "unknown_tool_call_id", "stale_write"]
AdapterReason = Literal[
    "authentication_failed",
    "permission_denied",
    "not_found",
    "rate_limited",
    "quota_exceeded",
    "overloaded",
    "invalid_request",
    "context_length_exceeded",
    "content_filter",
    "timeout",
    "network_error",
    "server_error",
    "malformed_response",
    "no_scripted_response",
    "unknown",
]
StreamReason = Literal["stream_interrupted", "malformed_stream", "record_too_large", "cancelled"]
ToolReason = Literal[
    "invalid_arguments", "unknown_tool", "handler_raised", "timeout", "invalid_return", "encoding_failed", "not_executed"
]

_LONGEST_PATH = 120
"""Characters of a path that a message shows; a path may lead through keys of any length."""


class Facts(TypedDict, total=False):
    """What an error may know beside its reason and message."""

    provider: str | None
    status: int | None
    retry_after: float | None
    request_id: str | None
    provider_request_id: str | None
    code: str | None
    details: Mapping[str, Any] | None
    cause: BaseException | None


class Issue(NamedTuple):
    """One thing that is wrong, and where."""

    path: tuple[str | int, ...]
    """Keys and positions that lead to the value, such as `("messages", 2, "role")`."""
    code: str
    """A stable word, such as `empty` or `unknown`."""
    message: str
    """What is wrong with which value, and what to do."""


class AllmError(Exception):
    """Anything that allm_rx itself reports."""

    reasons: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, reason: str, message: str, **facts: Unpack[Facts]) -> None:
        """Make the error; the facts not given are None.

        Raises:
            ValueError: `reason` is not one of the class's reasons.
        """
        if reason not in self.reasons:
            known = ", ".join(sorted(self.reasons))
            raise ValueError(f"{type(self).__name__} has no reason {reason!r}: use one of {known}.")
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.provider = facts.get("provider")
        self.status = facts.get("status")
        """HTTP status of the answer that failed."""
        self.retry_after = facts.get("retry_after")
        """Seconds to wait, when the provider said so."""
        self.request_id = facts.get("request_id")
        """Ours, the same through all steps of a call."""
        self.provider_request_id = facts.get("provider_request_id")
        """Theirs, to quote in a support request."""
        self.code = facts.get("code")
        """The provider's own word for the error."""
        self.details: dict[str, Any] = dict(facts.get("details") or {})
        self.cause = facts.get("cause")
        if self.cause is not None:
            self.__cause__ = self.cause

    def facts(self) -> Facts:
        """Give what the error knows beside reason and message, without the cause."""
        return Facts(
            provider=self.provider,
            status=self.status,
            retry_after=self.retry_after,
            request_id=self.request_id,
            provider_request_id=self.provider_request_id,
            code=self.code,
            details=self.details,
        )

    def __repr__(self) -> str:
        """Show class, reason and the facts that are known."""
        known = "".join(f", {name}={value!r}" for name, value in self.facts().items() if value not in (None, {}))
        return f"{type(self).__name__}({self.reason!r}, {self.message!r}{known})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by value, so that an error crosses a process border whole (its cause stays behind)."""
        return _rebuild, (type(self), self.reason, self.message, self.facts())


def _rebuild(cls: type[AllmError], reason: str, message: str, facts: Facts) -> AllmError:
    return cls(reason, message, **facts)


class UsageError(AllmError):
    """The calling code must change."""

    reasons = frozenset(get_args(UsageReason))

    def __init__(self, reason: UsageReason, message: str, **facts: Unpack[Facts]) -> None:
        """Make the error; see `AllmError`."""
        super().__init__(reason, message, **facts)


class EngineError(UsageError):
    """The engine is incomplete: no adapter, no model, or no key."""

    reasons = frozenset(get_args(EngineReason))

    def __init__(self, reason: EngineReason, message: str, **facts: Unpack[Facts]) -> None:
        """Make the error; see `AllmError`."""
        AllmError.__init__(self, reason, message, **facts)


class ValidationError(UsageError):
    """What was passed in is wrong; `errors` lists everything that is."""

    reasons = frozenset(get_args(ValidationReason))

    def __init__(self, reason: ValidationReason, message: str, *, errors: tuple[Issue, ...] = (), **facts: Unpack[Facts]) -> None:
        """Make the error; `details["errors"]` gives the issues when `errors` does not."""
        AllmError.__init__(self, reason, message, **facts)
        if errors:
            self.details["errors"] = [{"path": list(i.path), "code": i.code, "message": i.message} for i in errors]

    @property
    def errors(self) -> tuple[Issue, ...]:
        """All issues, with their paths and codes."""
        return tuple(Issue(tuple(i["path"]), i["code"], i["message"]) for i in self.details.get("errors", ()))

    @classmethod
    def of(cls, reason: ValidationReason, *issues: Issue) -> "ValidationError":
        """Make the error whose message tells the first issue and counts the others."""
        first = issues[0]
        where = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in first.path).lstrip(".")
        if len(where) > _LONGEST_PATH:
            where = f"{where[:_LONGEST_PATH]}..."
        more = f" (and {len(issues) - 1} more, see `errors`)" if len(issues) > 1 else ""
        return cls(reason, f"{where}: {first.message}{more}" if where else f"{first.message}{more}", errors=issues)


class SessionError(UsageError):
    """The session does not allow this operation now."""

    reasons = frozenset(get_args(SessionReason))

    def __init__(self, reason: SessionReason, message: str, **facts: Unpack[Facts]) -> None:
        """Make the error; see `AllmError`."""
        AllmError.__init__(self, reason, message, **facts)


class AdapterError(AllmError):
    """The provider, the account or the network failed."""

    reasons = frozenset(get_args(AdapterReason))

    def __init__(self, reason: AdapterReason, message: str, **facts: Unpack[Facts]) -> None:
        """Make the error; see `AllmError`."""
        super().__init__(reason, message, **facts)


class StreamError(AllmError):
    """The bytes of an answer ended early, made no sense, or were cancelled."""

    reasons = frozenset(get_args(StreamReason))

    def __init__(self, reason: StreamReason, message: str, **facts: Unpack[Facts]) -> None:
        """Make the error; see `AllmError`."""
        super().__init__(reason, message, **facts)


class ToolError(AllmError):
    """A tool call failed; the policy `on_tool_error` decides what follows."""

    reasons = frozenset(get_args(ToolReason))

    def __init__(self, reason: ToolReason, message: str, **facts: Unpack[Facts]) -> None:
        """Make the error; see `AllmError`."""
        super().__init__(reason, message, **facts)


class SubscriberError(Exception):
    """An `on_next` of the caller raised; the request was closed and `cause` is what it raised.

    It stands beside `AllmError`, so that nothing which handles failures of a call (retry, fallback, hedge) acts on it.
    """

    def __init__(self, cause: BaseException) -> None:
        """Wrap what the subscriber raised."""
        super().__init__(f"A subscriber raised {type(cause).__name__}: {cause}. The request was closed; mend its `on_next`.")
        self.cause = cause
        self.__cause__ = cause

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with the cause."""
        return SubscriberError, (self.cause,)
