"""What was said, in one text widget that follows its end.

Rule 1: whoever sees the end goes on seeing it; whoever scrolled up is left in peace.
Rule 2: text is appended at the mark `here`, before the cursor of the answer, and nothing before it is written anew.
"""

from __future__ import annotations

import tkinter as tk
from contextlib import contextmanager
from tkinter import ttk
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tk_look import Look

Widget = TypeVar("Widget", bound=tk.Misc)

COLUMN = 712
"""The width of what is said, however wide the window is."""


def shortened(text: str) -> str:
    """Give text that a widget of its own can hold: no window of X is higher than 32767 pixels."""
    lines = text[:5000].splitlines()
    short = "\n".join(lines[:100])
    return short if len(short) >= len(text) - 1 else f"{short} ..."


class Log(ttk.Frame):
    """The text widget and its scrollbar."""

    def __init__(self, root: tk.Misc, look: Look, speaker: str) -> None:
        super().__init__(root)
        self.look = look
        self._speaker = speaker
        self.text = look.text(self, "page", font=look.fonts["body"], width=1, height=1)
        self.bar = ttk.Scrollbar(self, command=self.scroll)
        self.text.configure(state="disabled", wrap="word", cursor="arrow", takefocus=False)
        self.text.configure(spacing2=look.px(5), spacing3=look.px(5), yscrollcommand=self._moved)
        self.bar.pack(side="right", fill="y")
        self.text.pack(side="left", fill="both", expand=True)
        self.side = 0
        """The space beside the column."""
        self.column = 0
        self._line_begun = False
        self.at_end = True
        """Whether the user sees the end, and wants to go on seeing it."""
        self._fitted: list[tuple[tk.Misc, Callable[[], object]]] = []
        self._define_tags()
        self.text.bind("<Configure>", lambda event: self._resize(event.width))
        self.text.bind("<<ThemeChanged>>", lambda _: self._define_tags(), add=True)
        for event, units in (("<Button-4>", -3), ("<Button-5>", 3)):
            self.bind_class("Wheel", event, lambda _, units=units: self.scroll("scroll", units, "units"))
        self.bind_class("Wheel", "<MouseWheel>", lambda event: self.scroll("scroll", -2 if event.delta > 0 else 2, "units"))
        self.with_wheel(self.text)
        self.text.bind("<ButtonPress-1>", lambda _: self._hold(held=True))
        self.text.bind("<ButtonRelease-1>", lambda _: self._hold(held=False))

    def clear(self) -> None:
        """Forget everything."""
        self.at_end = True
        with self.writing():
            self.text.delete("1.0", "end")

    def add_question(self, said: str) -> None:
        """Show what the user said, at the right."""
        bubble = ttk.Label(self.text, text=shortened(said), style="Bubble.TLabel")
        self.at_end = True
        with self.writing():
            self.text.window_create("end", window=self.with_wheel(bubble))
            self.text.tag_add("mine", "end-2c")
            self.text.insert("end", "\n", "mine")
        self.fit(bubble, lambda: bubble.configure(wraplength=self.column * 4 // 5))

    def begin_answer(self) -> None:
        """Write who answers, and the cursor before which the answer is written."""
        self.text.mark_set("answer", "end-1c")
        self.text.mark_gravity("answer", "left")
        self.text.image_create("end-1c", image=self.look.icon("wave", "on accent", "page", 24, fill="accent", radius=8))
        self.text.insert("end-1c", f"  {self._speaker}\n")
        self.text.tag_add("name", "answer", "end-1c")
        self.text.image_create("end-1c", image=self.look.icon("cursor", "accent", "page", 17), align="center")
        self.text.mark_set("here", "end-2c")
        self._line_begun = False

    def end_answer(self) -> None:
        """Remove the cursor."""
        self.text.delete("here")

    def remove_answer(self) -> None:
        """Remove all of the latest answer."""
        self.text.delete("answer", "end-1c")

    def write(self, said: str, *tags: str) -> None:
        """Append to the answer."""
        self.text.insert("here", said, tags)
        self._line_begun = not said.endswith("\n")

    def end_line(self) -> None:
        """Begin a line, unless one just began."""
        if self._line_begun:
            self.write("\n")

    def add(self, widget: tk.Widget, tag: str = "chip") -> None:
        """Append a widget, on a line of its own."""
        self.end_line()
        self.text.window_create("here", window=self.with_wheel(widget))
        self.text.tag_add(tag, "here-1c")
        self.write("\n", tag)

    def add_strip(self, style: str) -> None:
        """Append the upper or the lower end of a block of code."""
        strip = ttk.Frame(self.text, style=f"{style}.TFrame", height=self.look.px(10))
        self.add(strip, "strip")
        self.fit(strip, lambda: strip.configure(width=self.column))

    @contextmanager
    def writing(self) -> Generator[None]:
        """Allow changes; after them the end is in sight, unless the user scrolled up."""
        self.text.configure(state="normal")
        yield
        self.text.configure(state="disabled")
        if self.at_end:
            self.text.yview_moveto(1)

    @property
    def selected(self) -> str:
        """The text that is selected."""
        return self.text.get("sel.first", "sel.last") if self.text.tag_ranges("sel") else ""

    def scroll(self, *how: Any) -> str:
        """Scroll as the user wants, who says thereby whether the end is to be followed."""
        self.text.yview(*how)
        self.at_end = self.text.yview()[1] == 1
        return "break"

    def with_wheel(self, widget: Widget) -> Widget:
        """Let the mouse wheel over a widget scroll the text."""
        for part in (widget, *widget.winfo_children()):
            part.bindtags(("Wheel", *part.bindtags()))
        return widget

    def fit(self, widget: tk.Misc, fit: Callable[[], object]) -> None:
        """Call a function now, and when the width of the column changes for as long as a widget lives."""
        self._fitted.append((widget, fit))
        fit()

    def _hold(self, *, held: bool) -> None:
        """Let who selects text have it stand still."""
        self.at_end = not held and self.text.yview()[1] == 1

    def _moved(self, first: str, last: str) -> None:
        """Follow the end when it moves otherwise: what was just added has its height only later."""
        self.bar.set(first, last)
        if self.at_end and float(last) < 1:
            self.text.after(1, lambda: self.at_end and self.text.yview_moveto(1))

    def _resize(self, width: int) -> None:
        self.side = max(self.look.px(24), (width - self.look.px(COLUMN)) // 2)
        self.column = width - 2 * self.side
        self.text.configure(padx=self.side)
        self._fitted = [(widget, fit) for widget, fit in self._fitted if widget.winfo_exists()]
        for _, fit in self._fitted:
            fit()

    def _define_tags(self) -> None:
        text, fonts, colours, px = self.text, self.look.fonts, self.look.palette, self.look.px
        code = colours["code"]
        text.tag_configure("mine", justify="right", spacing1=px(20), spacing3=px(14))
        text.tag_configure("name", font=fonts["name"], spacing3=px(6))
        text.tag_configure("chip", spacing1=px(2), spacing3=px(8))
        text.tag_configure("gap", font=fonts["gap"])
        text.tag_configure("bold", font=fonts["bold"])
        text.tag_configure("code", font=fonts["mono"], background=colours["sunken"])
        text.tag_configure("thinking", font=fonts["small"], foreground=colours["quiet"])
        text.tag_configure("strip", font=fonts["strip"], spacing1=0, spacing3=0)
        text.tag_configure("block", font=fonts["mono"], background=code, wrap="char", spacing2=px(4), spacing3=px(4))
        text.tag_configure("block", lmargin1=px(16), lmargin2=px(16), rmargin=px(16), lmargincolor=code, rmargincolor=code)
        text.tag_raise("sel")
