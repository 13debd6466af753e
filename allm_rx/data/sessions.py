"""A conversation that survives a restart, as data."""

from typing import Annotated, Literal, cast

from pydantic import Discriminator, Field, JsonValue, Tag

from allm_rx.data.failures import Failure
from allm_rx.data.model import Data
from allm_rx.data.parts import ToolCall
from allm_rx.data.results import ChatResult, PendingQuestion, StepResult
from allm_rx.data.threads import Thread

SessionStatus = Literal["idle", "awaiting_user", "awaiting_tools", "completed", "cancelled", "error"]


class LastHalt(Data):
    """Why the last run of a session ended."""

    reason: str
    failure: Failure | None = None


class Session(Data):
    """A conversation and where it stands; save it with `model_dump_json` at any point and go on elsewhere."""

    invalid = "invalid_session"

    id: str
    thread: Thread = Field(default_factory=Thread)
    status: SessionStatus = "idle"
    pending_tool_calls: tuple[ToolCall, ...] = ()
    """Calls the application has to answer, in status `awaiting_tools`."""
    pending_questions: tuple[PendingQuestion, ...] = ()
    """Questions the user has to answer, in status `awaiting_user`."""
    context: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Values for the tools' handlers; never sent to a provider."""
    metadata: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """The application's own notes; runs never write here."""
    last_halt: LastHalt | None = None


def _result_class(value: object) -> str:
    """Tell which result it is meant to be, so that what is wrong with it is told for that class only."""
    names = cast("dict[str, object]", value) if isinstance(value, dict) else vars(value) if isinstance(value, Data) else {}
    return StepResult.__name__ if "response" in names else ChatResult.__name__


class Turn(Data):
    """A session after an operation, and what the operation gave."""

    session: Session
    result: Annotated[
        Annotated[ChatResult, Tag("ChatResult")] | Annotated[StepResult, Tag("StepResult")], Discriminator(_result_class)
    ]
