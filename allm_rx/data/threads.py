"""A conversation as data: its messages in order."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import Field, JsonValue

from allm_rx.data.messages import Message
from allm_rx.data.model import Data
from allm_rx.data.parts import ToolCall


class Thread(Data):
    """The messages of a conversation. Adding one gives a new thread."""

    invalid = "invalid_thread"

    messages: tuple[Message, ...] = ()
    metadata: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """The application's own notes; never sent."""

    if TYPE_CHECKING:

        def __init__(self, *, messages: Iterable[Message] = (), metadata: dict[str, JsonValue] = ...) -> None: ...

    def append(self, *messages: Message) -> "Thread":
        """Give the thread with messages added at its end.

        Raises:
            ValidationError: what is added is no message.
        """
        added = Thread(messages=messages).messages  # only the new ones are checked, so that a long thread grows cheaply
        return self.model_copy(update={"messages": (*self.messages, *added)})

    @property
    def unanswered_calls(self) -> tuple[ToolCall, ...]:
        """Calls of the model that no later tool message answers, in order."""
        return tuple(call for _, call in unanswered(self.messages))


def unanswered(messages: Sequence[Message]) -> Iterator[tuple[int, ToolCall]]:
    """Give each call that no tool message answers, with the position of its message.

    Call ids are scoped by answer, because some servers count from one in each: results belong to the assistant message
    before them. Of two calls of one message with the same id, one result answers one.
    """
    open_calls: list[tuple[int, ToolCall]] = []
    for position, message in enumerate(messages):
        if message.role == "assistant":
            yield from open_calls
            open_calls = [(position, call) for call in message.tool_calls]
        elif message.role == "tool":
            for result in message.tool_results:
                for index, (_, call) in enumerate(open_calls):
                    if call.id == result.id:
                        del open_calls[index]
                        break
    yield from open_calls
