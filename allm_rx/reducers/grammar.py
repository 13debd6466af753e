"""What order events may come in, as an automaton that reads them one by one.

    generate := attempt (message_restarted attempt)*          an attempt before a restart has no terminal
    attempt  := [message_started] (content | raw_chunk)* [terminal]
    terminal := message_completed | error
    step     := generate tool_event* step_completed
    chat     := step+ chat_completed
    session  := session_started (step | chat) session_completed

Rule 1: a stream may be of any of the four levels; which one shows by its events.
Rule 2: within a message, for one block or call: started, deltas, completed, in that order; ids are unique and not empty.
Rule 3: for one tool run: started, progress, completed, then how it came out; runs may interleave.
Rule 4: what was cancelled ends where it was: its message has no finish reason, its step and chat say `cancelled`.
Rule 5: the first violation is told; what comes after one means nothing.
"""

from typing import Literal, NamedTuple

from allm_rx.data import events as ev
from allm_rx.data.usage import Usage

Phase = Literal["answer", "terminal", "tools", "step", "chat", "session"]
"""What the stream is in, or what it has just ended."""

_KINDS: dict[type, str] = {
    ev.TextDelta: "text",
    ev.TextCompleted: "text",
    ev.ReasoningDelta: "reasoning",
    ev.ReasoningCompleted: "reasoning",
    ev.MediaCompleted: "media",
}


class Violation(NamedTuple):
    """A rule that an event, or the end of the stream, broke."""

    rule: str
    """A stable word, such as `terminal_last`."""
    message: str
    """The rule in words, and what broke it."""


class Grammar:
    """The state of one stream."""

    def __init__(self) -> None:
        """Begin with no event seen."""
        self.count = 0
        """Events seen so far."""
        self._phase: Phase = "answer"
        self._session = False
        self._steps = 0
        self._index = -1
        self._begin_message()

    def _begin_message(self) -> None:
        self._phase = "answer"
        self._attempt = 1
        self._failed = False
        self._runs: dict[str, str] = {}
        self._begin_attempt()

    def _begin_attempt(self) -> None:
        self._begun = False
        self._blocks: dict[str, str] = {}
        """Kind of each block; `completed` once it is whole."""
        self._calls: dict[str, bool] = {}
        """Whether each call is whole."""

    def apply(self, event: ev.Event) -> Violation | None:
        """Take one event into account; give the rule it breaks, or None."""
        self.count += 1
        match event:
            case ev.ToolExecutionStarted() | ev.ToolExecutionProgress() | ev.ToolExecutionCompleted() | ev.ToolResultEncoded():
                return self._tool(event, event.id)
            case ev.AskUserRequested() | ev.ToolHalt():
                return self._tool(event, event.tool_call_id)
            case ev.StepCompleted():
                return self._step(event)
            case ev.ChatCompleted():
                return self._chat(event)
            case ev.SessionStarted():
                return self._session_started()
            case ev.SessionCompleted():
                return self._session_completed()
            case _:
                return self._answer(event)

    def finish(self) -> Violation | None:
        """Give the rule that the stream breaks by ending here, or None."""
        match self._phase:
            case "answer":
                return Violation("terminal_missing", "an answer ends with message_completed or error")
            case "terminal" if not (self._steps or self._session):
                return None
            case "terminal" | "tools":
                return Violation("step_missing", "a step ends with step_completed")
            case "step" if self._steps > 1:
                return Violation("chat_missing", "a chat ends with chat_completed")
            case "step" | "chat" if self._session:
                return Violation("session_missing", "an operation of a session ends with session_completed")
            case "step" | "chat" | "session":
                return None

    # One answer.

    def _answer(self, event: ev.Event) -> Violation | None:
        if self._phase == "step":
            self._begin_message()
        elif self._phase in ("terminal", "tools"):
            return Violation("terminal_last", "nothing of an answer follows its message_completed or error")
        elif self._phase != "answer":
            return self._over()
        if type(event) is ev.MessageStarted and self._begun:
            return Violation("start_first", "message_started comes once, before everything else of its attempt")
        self._begun = True
        return self._within(event)

    def _within(self, event: ev.Event) -> Violation | None:
        match event:
            case ev.TextDelta() | ev.ReasoningDelta():
                return self._grown(event.id, _KINDS[type(event)], event.delta)
            case ev.TextCompleted() | ev.ReasoningCompleted() | ev.MediaCompleted():
                return self._whole(event.id, _KINDS[type(event)])
            case ev.ToolCallStarted() | ev.ToolCallDelta() | ev.ToolCallCompleted():
                return self._call(event)
            case ev.MessageRestarted(attempt=attempt):
                return self._restart(attempt)
            case ev.MessageCompleted():
                return self._completed(event)
            case ev.RawChunk(kind="usage") if not isinstance(event.data, Usage):
                return Violation("usage_typed", f"a raw_chunk of kind 'usage' carries a Usage, not a {type(event.data).__name__}")
            case ev.Error():
                self._failed = True
                self._phase = "terminal"
                return None
            case _:
                return None

    def _grown(self, block: str, kind: str, delta: str) -> Violation | None:
        if not delta:
            return Violation("delta_empty", f"a delta is never empty, and this one of block {block!r} is")
        return self._block(block, kind)

    def _whole(self, block: str, kind: str) -> Violation | None:
        violation = self._block(block, kind)
        self._blocks[block] = "completed"
        return violation

    def _block(self, block: str, kind: str) -> Violation | None:
        if not block:
            return Violation("id_empty", f"a block of {kind} has an id")
        known = self._blocks.setdefault(block, kind)
        return None if known == kind else self._unused(block, kind)

    def _unused(self, block: str, kind: str) -> Violation:
        known = self._blocks[block]
        if known == "completed":
            return Violation("block_order", f"nothing follows the completion of block {block!r}, and no other block has its id")
        return Violation("id_unique", f"block {block!r} is one of {known}; a block of {kind} needs an id of its own")

    def _call(self, event: ev.ToolCallStarted | ev.ToolCallDelta | ev.ToolCallCompleted) -> Violation | None:
        call = event.id
        if not call:
            return Violation("id_empty", "a tool call has an id")
        if type(event) is ev.ToolCallStarted:
            if call in self._calls:
                return Violation("id_unique", f"call {call!r} has started before; another call needs an id of its own")
            self._calls[call] = False
            return None
        if call not in self._calls:
            return Violation("block_order", f"call {call!r} begins with tool_call_started")
        if self._calls[call]:
            return Violation("block_order", f"nothing follows the completion of call {call!r}")
        if type(event) is ev.ToolCallDelta:
            if not event.arguments_delta:
                return Violation("delta_empty", f"a delta is never empty, and this one of call {call!r} is")
        else:
            self._calls[call] = True
        return None

    def _restart(self, attempt: int) -> Violation | None:
        if attempt <= self._attempt:
            return Violation("attempt_counts", f"the attempt after {self._attempt} has a higher number, not {attempt}")
        self._attempt = attempt
        self._begin_attempt()
        return None

    def _completed(self, event: ev.MessageCompleted) -> Violation | None:
        self._phase = "terminal"
        for call, whole in self._calls.items():
            if not whole and event.finish_reason is not None:
                return Violation("block_order", f"call {call!r} completes before its message does")
        return None

    # What comes after an answer.

    def _tool(self, event: ev.Event, call: str) -> Violation | None:
        if self._phase not in ("terminal", "tools") or self._failed:
            return Violation(
                "tools_after_answer", "tools run after the message_completed of their answer, and before its step ends"
            )
        self._phase = "tools"
        before = self._runs.get(call, "nothing")
        expected: tuple[str, ...]
        match event:
            case ev.ToolExecutionStarted():
                expected, after = ("nothing",), "started"
            case ev.ToolExecutionProgress():
                expected, after = ("started",), "started"
            case ev.ToolExecutionCompleted():
                expected, after = ("started",), "completed"
            case _:
                expected, after = ("completed",), "settled"
        if before not in expected:
            order = "started, progress, completed, then its result, question or halt"
            return Violation("run_order", f"a tool run is {order}; the run of {call!r} has {before} behind it")
        self._runs[call] = after
        return None

    def _step(self, event: ev.StepCompleted) -> Violation | None:
        cancelled = event.result.halted_reason == "cancelled"
        if self._phase not in ("terminal", "tools") and not (self._phase == "answer" and cancelled):
            return Violation("step_after_answer", "step_completed follows an answer and its tools")
        for call, state in self._runs.items():
            if state != "settled" and not cancelled:
                return Violation("run_order", f"the tool run of {call!r} ends before its step does")
        if self._steps and event.index != self._index + 1:
            return Violation("step_counts", f"the step after {self._index} is {self._index + 1}, not {event.index}")
        self._phase = "step"
        self._index = event.index
        self._steps += 1
        return None

    def _chat(self, event: ev.ChatCompleted) -> Violation | None:
        unbegun = self._phase == "answer" and not self._begun
        if self._phase != "step" and not (unbegun and event.result.halted_reason == "cancelled"):
            return Violation("chat_after_step", "chat_completed follows the step_completed of the last step")
        self._phase = "chat"
        return None

    def _session_started(self) -> Violation | None:
        if self.count > 1:
            return Violation("session_first", "session_started comes once, before everything else")
        self._session = True
        return None

    def _session_completed(self) -> Violation | None:
        if not self._session or not (self._phase == "chat" or (self._phase == "step" and self._steps == 1)):
            return Violation("session_last", "session_completed follows the step or the chat of a session that has started")
        self._phase = "session"
        return None

    def _over(self) -> Violation:
        return Violation(f"{self._phase}_last", f"nothing follows {self._phase}_completed but the end of what it is in")
