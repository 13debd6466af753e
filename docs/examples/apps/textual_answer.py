"""An answer on the screen: the widget that subscribes to it.

Rule 1: the subscription lives as long as the widget is on the screen; Textual runs on asyncio, so it needs no scheduler.
Rule 2: what a model says is text: `**bold**`, `code` and blocks of code are all that is read in it, and nothing in it
reaches the terminal as a control sequence.
Rule 3: only the last block is laid out again when more comes, and at most every `PAINT` seconds: Textual's own `Markdown`
mounts a whole list anew for every piece of it, which took more than twenty times as long for one of 6 KB.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from reactivex.disposable import SerialDisposable
from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from allm_rx import ChatResult, events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reactivex import Observable
    from textual.app import ComposeResult

PAINT = 0.05
"""Seconds between two paintings: what comes in between is laid out once."""
LONG = 4000
"""Characters after which a block goes on in a widget of its own."""
CURSOR = Content.styled("▍", "$primary")
NOTHING = Content()
QUIET = "$foreground 60%"
NO_CONTROLS = dict.fromkeys(code for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t")
BLOCK = re.compile(
    r"^ *```[^\n]*\n(?P<code>.*?)(?:^ *```[^\n]*(?:\n+|\Z)|\Z)"  # its end may not have come yet
    r"|(?P<prose>.+?)(?:\n(?= *```)|\Z)",
    re.MULTILINE | re.DOTALL,
)
SPAN = re.compile(r"`(?P<code>[^`\n]+)`|\*\*(?P<bold>[^*\n]+)\*\*")


def plain(text: str) -> str:
    """Give a text without control characters: Textual passes them on, and a terminal does what they say."""
    return text.translate(NO_CONTROLS)


def spans(text: str) -> Iterator[Content]:
    """Give prose with its **bold** words and its `code`; all else that a model writes is text."""
    end = 0
    for found in SPAN.finditer(text):
        yield Content(text[end : found.start()])
        yield Content.styled(found["code"], "$primary") if found["code"] else Content.styled(found["bold"], "bold")
        end = found.end()
    yield Content(text[end:])


class Answer(Vertical):
    """One answer: subscribed when it comes onto the screen, and left when it goes, however it does."""

    class Ended(Message):
        """Nothing more comes."""

        def __init__(self, result: ChatResult | None) -> None:
            super().__init__()
            self.result = result

    def __init__(self, source: Observable[events.Event]) -> None:
        super().__init__()
        self.source = source
        self.subscription = SerialDisposable()
        self.said: list[str] = []
        self.writing = ("text", "")
        """Kind and id of the block that comes in."""
        self.tail = Static(CURSOR)
        """Where it is shown; what stands above is not touched again, so a long answer stays fluent."""
        self.rest = ""
        """What the tail shows, or will at the next painting."""
        self.painting = False
        self.tools: dict[str, tuple[Static, Content]] = {}

    def compose(self) -> ComposeResult:
        yield self.tail

    def on_mount(self) -> None:
        self.subscription.disposable = self.source.subscribe(self.show, self.fail)

    def on_unmount(self) -> None:
        self.subscription.dispose()  # closes the request

    def show(self, event: events.Event) -> None:
        match event:
            case events.MessageStarted():
                self.settle()
                self.writing = ("text", "")  # another message counts its blocks anew
            case events.TextDelta(id=block, delta=delta):
                self.write("text", block, delta)
            case events.ReasoningDelta(id=block, delta=delta):
                self.write("thinking", block, delta)
            case events.ToolExecutionStarted(id=call, name=name, arguments=arguments):
                self.call(call, name, arguments)
            case events.ToolExecutionCompleted(id=call, outcome=outcome):
                self.result(call, outcome.failure.message if outcome.failure else outcome.value)
            case events.ChatCompleted(result=result):
                self.end(result)
            case _:
                pass

    def write(self, kind: str, block: str, delta: str) -> None:
        if self.writing != (kind, block):
            self.settle()
            self.writing = (kind, block)
        if kind == "text":
            self.said.append(delta)
        self.rest += plain(delta)
        if not self.painting:
            self.painting = True
            self.set_timer(PAINT, self.paint)

    def paint(self, cursor: Content = CURSOR) -> None:
        """Show what has come: only the last block can still change."""
        self.painting = False
        blocks = list(BLOCK.finditer(self.rest.lstrip("\n")))
        for block in blocks:
            if block is not blocks[0]:
                self.begin()
            self.rest = block[0]
            self.draw(block, cursor if block is blocks[-1] else NOTHING)
        if len(self.rest) > LONG:
            self.cut()

    def draw(self, block: re.Match[str], cursor: Content, end: str = "\n") -> None:
        code = block["code"] is not None
        text = (block["code"] if code else block["prose"]).rstrip(end)
        self.tail.set_class(code, "code").set_class(not code, self.writing[0])
        self.tail.update(Content.assemble(*([text] if code else spans(text)), cursor))

    def cut(self) -> None:
        """Go on below with a block that is long, as if it were another."""
        done, _, line = self.rest.rpartition("\n")
        block = BLOCK.match(done)
        if block is not None and line:
            self.draw(block, NOTHING, end="")
            self.tail.add_class("cut")
            self.begin()
            self.tail.add_class("went-on")
            self.rest = line if block["code"] is None else f"```\n{line}"

    def begin(self) -> None:
        self.rest = ""
        self.tail = Static(CURSOR)
        self.mount(self.tail)

    def settle(self) -> None:
        """Leave the block as it is: what comes now stands below it."""
        self.paint(NOTHING)
        if self.rest:
            self.begin()
            if self.writing[0] == "text":
                self.said.append("\n\n")

    def call(self, call: str, name: str, arguments: dict[str, Any]) -> None:
        self.settle()
        given = ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in arguments.items())
        asked = Content.assemble(("⚙ ", "$primary"), plain(f"{name}({given})"), "  ")
        chip = Static(Content.assemble(asked, ("running", QUIET)), classes="tool")
        self.tools[call] = (chip, asked)
        self.mount(chip, before=self.tail)

    def result(self, call: str, value: object) -> None:
        chip, asked = self.tools[call]
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        chip.update(Content.assemble(asked, (plain(told), QUIET)))

    def end(self, result: ChatResult) -> None:
        self.settle()
        self.tail.remove()
        tokens = result.usage.output_tokens
        remark = "Stopped" if result.halted_reason == "cancelled" else f"{tokens} tokens" if tokens else ""
        if self.text or remark:
            copy = [Button("Copy", compact=True, classes="copy")] if self.text else []
            self.mount(Horizontal(*copy, Static(remark, classes="remark"), classes="foot"))
        if result.error is not None:
            self.mount(failure(result.error.message))
        self.post_message(self.Ended(result))

    def fail(self, error: Exception) -> None:
        self.settle()
        self.tail.remove()
        self.mount(failure(str(error)))
        self.post_message(self.Ended(None))

    @property
    def text(self) -> str:
        return plain("".join(self.said).strip())

    @on(Button.Pressed, ".copy")
    def copy(self, event: Button.Pressed) -> None:
        self.app.copy_to_clipboard(self.text)  # asks the terminal (OSC 52), so it works through ssh as well
        event.button.label = "Copied"
        self.set_timer(1.5, lambda: setattr(event.button, "label", "Copy"))


def failure(message: str) -> Horizontal:
    """Give the box that tells what went wrong."""
    retry = Button("Try again", compact=True, classes="retry")
    return Horizontal(Static(Content(plain(message))), retry, classes="error")
