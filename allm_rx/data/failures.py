"""A failure as a value: what events, results and sessions carry where a program would hold an exception."""

from typing import Literal, cast

from pydantic import Field, JsonValue, ValidationInfo, field_validator

from allm_rx import errors
from allm_rx.data.model import Data, Text, jsonable
from allm_rx.data.translation import shown

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
    message: Text
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

    @field_validator("reason")
    @classmethod
    def _reason_of_its_class(cls, reason: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        if kind is not None and reason not in (reasons := _CLASSES[kind].reasons):
            raise ValueError(f"{kind} has no reason {shown(reason)}: use one of {', '.join(sorted(reasons))}")
        return reason

    @classmethod
    def of(cls, exception: BaseException) -> "Failure":
        """Give the failure an exception stands for; a class derived from one of ours counts as that one.

        An exception that is not ours becomes an `AdapterError` of reason `unknown` that names its class.
        """
        if isinstance(exception, errors.AllmError):
            kind = next(base.__name__ for base in type(exception).__mro__ if base.__name__ in _CLASSES)
            return cls(
                kind=cast("FailureKind", kind),
                reason=exception.reason,
                message=exception.message,
                **{**exception.facts(), "details": {key: jsonable(value) for key, value in exception.details.items()}},
            )
        name = type(exception).__name__
        return cls(kind="AdapterError", reason="unknown", message=f"{name}: {_text(exception)}", details={"exception": name})

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


def _text(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception:  # noqa: BLE001 - the `__str__` of somebody else, called while an error is told
        return "(its text cannot be read)"
