"""A failure as a value: what events, results and sessions carry where a program would hold an exception."""

from typing import Any, Literal, cast

from pydantic import Field, JsonValue
from pydantic_core import to_jsonable_python

from allm_rx import errors
from allm_rx.data.model import Data

FailureKind = Literal[
    "UsageError",
    "EngineError",
    "ValidationError",
    "SessionError",
    "AdapterError",
    "StreamError",
    "ToolError",
]

_CLASSES: dict[str, type[errors.AllmError]] = {
    "UsageError": errors.UsageError,
    "EngineError": errors.EngineError,
    "ValidationError": errors.ValidationError,
    "SessionError": errors.SessionError,
    "AdapterError": errors.AdapterError,
    "StreamError": errors.StreamError,
    "ToolError": errors.ToolError,
}


class Failure(Data):
    """An error of ours in a form that survives JSON exactly."""

    kind: FailureKind
    """Class of the exception it stands for: who has to act."""
    reason: str
    """One of the class's reasons, see the guide on errors."""
    message: str
    """What, with which value, and what to do."""
    provider: str | None = None
    status: int | None = None
    """HTTP status of the answer that failed."""
    retry_after: float | None = None
    """Seconds to wait, when the provider said so."""
    request_id: str | None = None
    provider_request_id: str | None = None
    code: str | None = None
    """The provider's own word for the error."""
    details: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])

    @classmethod
    def of(cls, exception: BaseException) -> "Failure":
        """Give the failure an exception stands for.

        An exception that is not ours becomes an `AdapterError` of reason `unknown` that names its class.
        """
        if isinstance(exception, errors.AllmError):
            facts = exception.facts()
            details: dict[str, Any] = to_jsonable_python(exception.details, fallback=repr)
            return cls(
                kind=cast("FailureKind", type(exception).__name__),
                reason=exception.reason,
                message=exception.message,
                **{**facts, "details": details},
            )
        name = type(exception).__name__
        return cls(kind="AdapterError", reason="unknown", message=f"{name}: {exception}", details={"exception": name})

    def exception(self) -> errors.AllmError:
        """Give the exception this failure stands for, ready to be raised."""
        return _CLASSES[self.kind](
            self.reason,
            self.message,
            provider=self.provider,
            status=self.status,
            retry_after=self.retry_after,
            request_id=self.request_id,
            provider_request_id=self.provider_request_id,
            code=self.code,
            details=self.details,
        )
