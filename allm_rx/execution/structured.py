"""Structured finalize: tools first, then one call without them whose answer fits the schema.

For models that cannot have tools and a response format in one request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from allm_rx.data.messages import user
from allm_rx.data.requests import JsonSchema

if TYPE_CHECKING:
    from allm_rx.data.threads import Thread
    from allm_rx.execution.resolve import Resolved

NUDGE = "Now provide your final structured response."
"""The user message before the second pass; an empty `structured_finalize_nudge` leaves it out."""

_GATES = frozenset({"completed", "max_turns", "halt_when"})
"""Ends of the first pass that the second follows."""


@dataclass(frozen=True, slots=True)
class Passes:
    """The one or two ways a chat asks."""

    first: Resolved
    second: Resolved | None
    nudge: str = ""

    @property
    def last(self) -> Resolved:
        """How the last call asks."""
        return self.second or self.first

    def finalizes(self, halted: str) -> bool:
        """Tell whether a first pass that ended so is followed by the second."""
        return self.second is not None and halted in _GATES

    def nudged(self, thread: Thread) -> Thread:
        """Give the thread for the second pass."""
        return thread.append(user(self.nudge)) if self.nudge else thread


def passes(resolved: Resolved) -> Passes:
    """Give the passes of a chat: two when they were asked for, or when the adapter says it cannot combine.

    An adapter says so by `combines_tools_and_format(request) -> bool`, where it can tell from the request's model.
    """
    request, options = resolved.request, resolved.orchestration
    if not isinstance(request.response_format, JsonSchema):
        return Passes(resolved, None)
    wanted = options.get("structured_finalize")
    if wanted is None:
        combines = getattr(resolved.adapter, "combines_tools_and_format", None)
        wanted = bool(request.tools) and combines is not None and not combines(request)
    if not wanted:
        return Passes(resolved, None)
    first = resolved.with_request(request.model_copy(update={"response_format": None}))
    second = request.model_copy(update={"tools": (), "tool_choice": None})
    nudge = options.get("structured_finalize_nudge", NUDGE)
    return Passes(first, replace(resolved.with_request(second), tools=()), nudge)
