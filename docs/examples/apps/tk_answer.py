"""An answer as it is written, at the end of a log."""

from __future__ import annotations

import json
from tkinter import ttk
from typing import TYPE_CHECKING, Any

from tk_log import Log, shortened
from tk_markdown import Markdown

from allm_rx import events

if TYPE_CHECKING:
    from collections.abc import Callable


class Answer:
    """What a model says to one question: text, what it thought, and the tools it called."""

    def __init__(self, log: Log, try_again: Callable[[], object]) -> None:
        self.log = log
        self._try_again = try_again
        self._said: dict[str, list[str]] = {}
        self._unwritten: list[str] = []
        self._block = ""
        self._step = 0
        self._tokens = 0
        self._chips: dict[str, Chip] = {}
        log.begin_answer()
        self._writer = Markdown(log)

    @property
    def said(self) -> str:
        """The text so far, as the model wrote it."""
        return "\n\n".join("".join(pieces) for block, pieces in self._said.items() if block.endswith("text"))

    def show(self, taken: list[events.Event]) -> None:
        """Write what some events bring; pieces of one text are written as one."""
        for event in taken:
            match event:
                case events.MessageStarted():
                    self._step += 1
                case events.TextDelta(id=block, delta=delta):
                    self._say(f"{self._step} {block} text", delta)
                case events.ReasoningDelta(id=block, delta=delta):
                    self._say(f"{self._step} {block} thinking", delta)
                case events.ToolExecutionStarted(id=call, name=name, arguments=arguments):
                    self._end_block()
                    self._chips[call] = Chip(self.log, name, arguments)
                case events.ToolExecutionCompleted(id=call, outcome=outcome):
                    self._chips[call].show(outcome.failure.message if outcome.failure else outcome.value)
                case events.RawChunk(kind="usage", data=usage):
                    self._tokens += usage.output_tokens or 0
                case events.ChatCompleted(result=result):
                    stopped = result.halted_reason == "cancelled"
                    self._end("Stopped" if stopped else f"{self._tokens} tokens" if self._tokens else "")
                    if result.error is not None:
                        self._fail(result.error.message)
                case _:
                    pass
        self._write()

    def fail(self, message: str) -> None:
        """Show that there is no answer, and why."""
        self._end("")
        self._fail(message)

    def _say(self, block: str, delta: str) -> None:
        if block != self._block:
            self._end_block()
            self._block = block
        self._said.setdefault(block, []).append(delta)
        self._unwritten.append(delta)

    def _write(self) -> None:
        text = "".join(self._unwritten)
        self._unwritten.clear()
        if self._block.endswith("text"):
            self._writer.feed(text)
        elif text:
            self.log.write(text, "thinking")

    def _end_block(self) -> None:
        self._write()
        self._writer.finish()
        self._writer = Markdown(self.log)
        self._block = ""
        self.log.end_line()

    def _end(self, remark: str) -> None:
        self._end_block()
        self.log.end_answer()
        foot = ttk.Frame(self.log.text)
        if self.said:
            icon = self.log.look.icon("sheets", "quiet", "page", 14)
            copy = ttk.Button(foot, text=" Copy", image=icon, compound="left", style="Link.TButton")
            copy.configure(command=lambda: self._copy(copy))
            copy.pack(side="left")
        if remark:
            ttk.Label(foot, text=remark, style="Quiet.TLabel").pack(side="left", padx=self.log.look.px(8))
        if foot.winfo_children():
            self.log.add(foot)

    def _copy(self, button: ttk.Button) -> None:
        button.clipboard_clear()
        button.clipboard_append(self.said)
        button.configure(text=" Copied")
        button.after(1500, lambda: button.winfo_exists() and button.configure(text=" Copy"))

    def _fail(self, message: str) -> None:
        box = self.log.look.frame(self.log.text, "Error")
        says = ttk.Label(box, text=shortened(message), style="Failure.TLabel")
        says.pack(side="left")
        again = ttk.Button(box, text="Try again", style="Retry.TButton", command=self._try_again)
        again.pack(side="right", padx=(self.log.look.px(12), 0))
        self.log.add(box)
        self.log.fit(box, lambda: says.configure(wraplength=self.log.column - self.log.look.px(180)))


class Chip:
    """A call of a tool, and what came of it."""

    def __init__(self, log: Log, name: str, arguments: dict[str, Any]) -> None:
        given = ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in arguments.items())
        chip = log.look.frame(log.text, "Chip")
        ttk.Label(chip, image=log.look.icon("wrench", "accent", "raised", 15), style="Call.TLabel").grid(row=0, column=0)
        call = ttk.Label(chip, text=shortened(f"{name}({given})"), style="Call.TLabel")
        call.grid(row=0, column=1, padx=log.look.px(8), sticky="w")
        self._result = ttk.Label(chip, text="running", style="Result.TLabel")
        self._result.grid(row=0, column=2)
        log.add(chip)
        self._log, self._call, self._chip = log, call, chip

    def show(self, value: object) -> None:
        """Show what the tool gave."""
        self._result.configure(text=shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
        self._log.fit(self._chip, self._fit)

    def _fit(self) -> None:
        """Put the result under the call where the line is too short for both."""
        room = self._log.column - self._log.look.px(70)
        for label in (self._call, self._result):
            label.configure(wraplength=room)
        fits = self._call.winfo_reqwidth() + self._result.winfo_reqwidth() < room
        where = {"row": 0, "column": 2, "padx": 0} if fits else {"row": 1, "column": 1, "padx": self._log.look.px(8)}
        self._result.grid(**where, sticky="w")
