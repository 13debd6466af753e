"""A chat in a window of Tk: `python docs/examples/apps/tk_chat.py`.

Without a key it talks to a small provider that it starts on this machine; with one, name a model:

    python docs/examples/apps/tk_chat.py --model anthropic:claude-sonnet-4-5
"""

from __future__ import annotations

import time
import tkinter as tk
from tkinter import ttk
from typing import TYPE_CHECKING, Any

from app_engine import app_engine, parser
from conversation import Conversation
from reactivex.disposable import Disposable
from reactivex.scheduler.mainloop import TkinterScheduler
from tk_answer import Answer
from tk_log import Log
from tk_look import DARK, LIGHT, Look

from allm_rx import Engine, errors, events

if TYPE_CHECKING:
    from reactivex.abc import DisposableBase

EXAMPLES = ("How is the weather in Oslo and Lima?", "Tell me about streams")
LINES = 8
"""The most lines that the prompt grows to."""


class Chat:
    """The window, with one conversation at a time."""

    def __init__(self, root: tk.Tk, engine: Engine, palette: dict[str, str] = LIGHT) -> None:
        self.root = root
        self.engine = engine
        self.look = Look(root, palette)
        self.conversation = Conversation(engine)
        self.answer: Answer
        """The latest one."""
        self.busy = False
        """Whether an answer is under way."""
        self.subscription: DisposableBase = Disposable()
        self._taken: list[events.Event] = []
        self._pause = 0
        """Milliseconds until what was taken is shown."""
        self.scheduler = TkinterScheduler(root)
        self._build()
        self.begin()

    def begin(self) -> None:
        """Begin a new conversation; an answer under way is left, and its request closed."""
        self.subscription.dispose()
        self._taken.clear()
        self.conversation = Conversation(self.engine)
        self.log.clear()
        self.welcome.place(in_=self.log.text, relx=0.5, rely=0.45, anchor="center")
        self._settle(busy=False)

    def send(self, text: str) -> None:
        """Ask what was typed, unless an answer is under way."""
        if not self.busy and text.strip():
            self.prompt.delete("1.0", "end")
            self.welcome.place_forget()
            self.log.add_question(text.strip())
            self.ask(text.strip())

    def ask(self, text: str | None = None) -> None:
        """Ask the model; without a text, ask once more what was not answered."""
        with self.log.writing():
            if text is None:
                self.log.remove_answer()
            self.answer = Answer(self.log, try_again=self.ask)
        self._settle(busy=True)
        try:
            answer = self.conversation.ask(text)
        except errors.UsageError as error:  # found before anything was sent, such as a missing key
            self.fail(error)
            return
        # The request lives on the library's I/O thread; the scheduler brings its events here, where widgets may be touched.
        self.subscription = answer.subscribe(self._take, self.fail, scheduler=self.scheduler)

    def _take(self, event: events.Event) -> None:
        """Take an event of the answer; what comes until Tk is idle again is shown together."""
        self._taken.append(event)
        if len(self._taken) == 1:
            self.root.after(self._pause, self._draw)

    def _draw(self) -> None:
        taken, self._taken = self._taken, []
        if not taken:  # a new conversation was begun meanwhile
            return
        begun = time.perf_counter()
        with self.log.writing():
            self.answer.show(taken)
        self.root.update_idletasks()
        # Tk lays out all of a paragraph when some of it changes, 40 ms for one of 2,000 words; the user's turn is longer.
        self._pause = min(int(2000 * (time.perf_counter() - begun)), 500)
        if isinstance(taken[-1], events.ChatCompleted):
            self._settle(busy=False)

    def fail(self, error: Exception) -> None:
        """Show what is wrong, with a button to ask again."""
        with self.log.writing():
            self.answer.fail(str(error))
        self._settle(busy=False)

    def stop(self) -> None:
        """Close the request; what was read of the answer stays, and its last event says that it was stopped."""
        self.conversation.stop()

    def close(self) -> None:
        """Close the window, and with it the request of an answer under way."""
        self.subscription.dispose()
        self.root.destroy()

    def wear(self, palette: dict[str, str]) -> None:
        """Change the colours. Which ones the user's system has, Tk cannot tell; so there is a button."""
        self.look.wear(palette)
        self._offer_other()

    def _offer_other(self) -> None:
        other, icon = (LIGHT, "sun") if self.look.palette is DARK else (DARK, "moon")
        self.mode.configure(image=self.look.icon(icon, "text", "raised"), command=lambda: self.wear(other))

    def _settle(self, *, busy: bool) -> None:
        self.busy = busy
        self.prompt.focus_set()
        self._prompt_changed()

    def _prompt_changed(self) -> None:
        """Let the prompt grow, and its button be what can be done now."""
        empty = not self.text.strip()
        lines = int(self.root.tk.call(self.prompt, "count", "-displaylines", "1.0", "end"))
        self.prompt.configure(height=min(max(lines, 1), LINES))
        if self.text:
            self.hint.place_forget()
        else:
            self.hint.place(in_=self.prompt, x=0, y=0)
        if self.busy:
            self.button.configure(image=self.square, command=self.stop, state="normal")
        else:
            image = (self.up, "disabled", self.up_off)
            self.button.configure(image=image, command=lambda: self.send(self.text), state="disabled" if empty else "normal")

    @property
    def text(self) -> str:
        """What stands in the prompt."""
        return self.prompt.get("1.0", "end-1c")

    def _build(self) -> None:
        look, root, px = self.look, self.root, self.look.px
        root.title("allm_rx chat")
        root.geometry(f"{px(900)}x{px(680)}")
        root.minsize(px(420), px(320))
        root.columnconfigure(0, weight=1)
        root.rowconfigure(2, weight=1)
        self._build_header(ttk.Frame(root, padding=(px(20), px(10))))
        ttk.Frame(root, style="Line.TFrame", height=max(1, px(1))).grid(row=1, sticky="ew")
        self.log = Log(root, look, self.engine.model)
        self.log.grid(row=2, sticky="nsew")
        self._build_welcome(ttk.Frame(self.log.text))
        self._build_prompt(look.frame(root, "Prompt"))
        root.protocol("WM_DELETE_WINDOW", self.close)
        root.bind("<Escape>", lambda _: self.stop())
        for key, pages in (("<Prior>", -1), ("<Next>", 1)):
            self.prompt.bind(key, lambda _, pages=pages: self.log.scroll("scroll", pages, "pages"))

    def _build_header(self, header: ttk.Frame) -> None:
        look, gap = self.look, self.look.px(10)
        self.mode = ttk.Button(header, style="Tool.TButton")
        self._offer_other()
        self.new = new = ttk.Button(header, style="Tool.TButton", text=" New conversation", compound="left", command=self.begin)
        new.configure(image=look.icon("plus", "text", "raised"))
        mark = ttk.Label(header, image=look.icon("wave", "on accent", "page", 27, fill="accent", radius=9))
        title = ttk.Label(header, text="allm_rx chat", style="Title.TLabel")
        model = ttk.Label(header, text=self.engine.model, style="Pill.TLabel")
        for widget in (mark, title, model):
            widget.pack(side="left", padx=(0, gap))
        for widget in (new, self.mode):
            widget.pack(side="right", padx=(gap, 0))
        header.grid(row=0, sticky="ew")

    def _build_welcome(self, welcome: ttk.Frame) -> None:
        look, gap = self.look, self.look.px(10)
        self.welcome = welcome
        mark = look.icon("wave", "on accent", "page", 48, fill="accent", radius=16)
        ttk.Label(welcome, image=mark).pack()
        ttk.Label(welcome, text="What would you like to know?", style="Large.TLabel").pack(pady=gap)
        for example in EXAMPLES:
            choice = ttk.Button(welcome, text=example, style="Tool.TButton", command=lambda text=example: self.send(text))
            choice.pack(pady=gap // 2)

    def _build_prompt(self, box: ttk.Frame) -> None:
        look, px = self.look, self.look.px
        self.prompt = look.text(box, "raised", height=1, width=1, wrap="word", undo=True, font=look.fonts["body"])
        self.hint = ttk.Label(box, text="Ask something", style="Hint.TLabel", cursor="xterm")
        self.up, self.up_off = look.icon("up", "on accent", "accent", 20), look.icon("up", "quiet", "sunken", 20)
        self.square = look.icon("square", "on accent", "accent", 20)
        self.button = ttk.Button(box, style="Act.TButton")
        self.prompt.pack(side="left", fill="x", expand=True, pady=px(4))
        self.button.pack(side="right", anchor="s", padx=(px(8), 0))
        box.grid(row=3, sticky="ew", pady=(px(4), 0))
        self.log.fit(box, lambda: box.grid(padx=max(self.log.side - px(20), 0)))
        note = ttk.Label(self.root, text="Enter sends, Shift+Enter begins a line. A model may be wrong.", style="Quiet.TLabel")
        note.grid(row=4, pady=(px(6), px(10)))
        self.hint.bind("<Button-1>", lambda _: self.prompt.focus_set())
        self.prompt.bind("<FocusIn>", lambda _: box.state(["focus"]))
        self.prompt.bind("<FocusOut>", lambda _: box.state(["!focus"]))
        self.prompt.bind("<<Modified>>", lambda _: self._modified())
        for key in ("<Return>", "<KP_Enter>"):
            self.prompt.bind(key, self._enter)
        self.prompt.bind("<<Copy>>", self._copy)
        self.prompt.bind("<Tab>", self._leave)

    def _modified(self) -> None:
        self.prompt.edit_modified(arg=False)  # or the event would come once and never again
        self._prompt_changed()

    def _enter(self, event: tk.Event[Any]) -> str | None:
        if int(event.state) & 1:  # Shift
            return None
        self.send(self.text)
        return "break"

    def _copy(self, _: object) -> str | None:
        """Copy what is selected in the log, where the keys never go."""
        if not self.log.selected:
            return None
        self.root.clipboard_clear()
        self.root.clipboard_append(self.log.selected)
        return "break"

    def _leave(self, event: tk.Event[Any]) -> str:
        event.widget.tk_focusNext().focus_set()
        return "break"


def main() -> None:
    reader = parser("A chat in a window.")
    reader.add_argument("--dark", action="store_true", help="begin with the dark colours")
    options = reader.parse_args()
    with app_engine(options.model) as engine:
        root = tk.Tk(className="allm_rx")
        Chat(root, engine, DARK if options.dark else LIGHT)
        root.mainloop()


if __name__ == "__main__":
    main()
