"""A user of the chat in Tk: `python -m tests.apps.tk_user PROGRAM`, which prints what was seen as JSON.

Keys and clicks come through the X server, so that a window whose loop does not turn would not hear them.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.gui.sources import deliveries

APPS = Path(__file__).resolve().parent.parent.parent / "docs" / "examples" / "apps"
PATIENCE = 20_000
"""Milliseconds until something that should have happened counts as not happening."""


class User:
    """Who sits before the window."""

    def __init__(self, chat: Any) -> None:
        self.chat = chat
        self.root = chat.root
        self.log = chat.log.text

    def until(self, happened: Callable[[], object]) -> None:
        """Let the window's own loop turn until something happened."""
        gave_up: list[bool] = []

        def look() -> None:
            if happened() or gave_up:
                self.root.quit()
            else:
                self.root.after(5, look)

        giving_up = self.root.after(PATIENCE, lambda: gave_up.append(True))
        self.root.after(0, look)
        self.root.mainloop()
        self.root.after_cancel(giving_up)
        assert not gave_up, f"nothing happened; shown is {self.log.get('1.0', 'end')!r}"

    def xdotool(self, *arguments: object) -> None:
        """Send real input, while the window's loop turns."""
        with subprocess.Popen(["xdotool", *map(str, arguments)]) as tool:
            self.until(lambda: tool.poll() is not None)
        assert tool.returncode == 0

    def click(self, widget: Any, button: int = 1) -> None:
        """Click in the middle of a widget, once it is shown."""
        self.until(widget.winfo_ismapped)
        x, y = widget.winfo_rootx() + widget.winfo_width() // 2, widget.winfo_rooty() + widget.winfo_height() // 2
        self.xdotool("mousemove", x, y, "click", button)

    def type(self, text: str) -> None:
        """Type into the prompt, where the focus is."""
        self.xdotool("type", "--delay", "2", text)

    def press(self, key: str) -> None:
        """Press a key."""
        self.xdotool("key", key)

    def ask(self, text: str) -> None:
        """Put a question."""
        self.type(text)
        self.press("Return")
        self.until(lambda: self.chat.busy or self.widgets("Quiet.TLabel", "Failure.TLabel"))

    def finish(self) -> None:
        """Wait for the end of the answer."""
        self.until(lambda: not self.chat.busy)

    @property
    def answer(self) -> str:
        """The text of the latest answer, without the line that says whose it is."""
        return self.log.get("answer", "end-1c").partition("\n")[2].strip()

    @property
    def prompt(self) -> str:
        """What stands in the prompt."""
        return self.chat.prompt.get("1.0", "end-1c")

    def widgets(self, *styles: str) -> list[Any]:
        """All widgets of some styles in the log, from its top."""
        windows = sorted(self.log.window_names(), key=lambda name: float(self.log.index(name)))
        found = [part for name in windows for part in tree(self.root.nametowidget(name))]
        return [part for part in found if part.cget("style") in styles]

    def texts(self, style: str) -> list[str]:
        """The texts of all widgets of a style in the log."""
        return [str(part.cget("text")).strip() for part in self.widgets(style)]


def tree(widget: Any) -> list[Any]:
    """Give a widget and all in it."""
    return [widget, *(part for child in widget.winfo_children() for part in tree(child))]


def main(program: str, size: str, *arguments: str) -> None:
    """Open the chat as its program does, and use it."""
    sys.path.insert(0, str(APPS))
    tkinter, app_engine, tk_chat, tk_look = map(importlib.import_module, ("tkinter", "app_engine", "tk_chat", "tk_look"))
    use = getattr(importlib.import_module("tests.apps.tk_uses"), program)
    with app_engine.app_engine("openai-chat:small-talk") as engine:
        root = tkinter.Tk(className="allm_rx")
        chat = tk_chat.Chat(root, engine, tk_look.LIGHT)
        root.geometry(f"{size}+0+0")
        user = User(chat)
        user.until(chat.button.winfo_ismapped)
        user.click(chat.prompt)  # without a window manager, keys go where the pointer is
        seen = use(user, *arguments)
        chat.close()
        assert deliveries() == 0, "a closed window leaves nothing subscribed"
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
