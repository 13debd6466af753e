"""A chat in the terminal: `python docs/examples/apps/textual_chat.py`.

Without a key it talks to a small provider that it starts on this machine; with one, name a model:

    python docs/examples/apps/textual_chat.py --model anthropic:claude-sonnet-4-5
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from app_engine import app_engine, parser
from conversation import Conversation
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.theme import Theme
from textual.widgets import Button, Footer, Static, TextArea
from textual_answer import Answer, plain

from allm_rx import Engine, errors

if TYPE_CHECKING:
    from textual.events import Key

QUESTIONS = ("How is the weather in Oslo and Lima?", "What is a cold observable?", "Tell me a story")
LOOKS = (
    Theme(
        "light",
        primary="#0f6b5c",
        error="#a4262c",
        foreground="#23221f",
        background="#fbfaf8",
        surface="#ffffff",
        panel="#f1efeb",
        dark=False,
    ),
    Theme(
        "dark",
        primary="#5cc7b2",
        error="#f1908c",
        foreground="#e8e6e0",
        background="#171816",
        surface="#1f211f",
        panel="#262826",
    ),
)


class Prompt(TextArea):
    """Where the question is written."""

    BINDINGS: ClassVar = [
        Binding("shift+enter,ctrl+j", "new_line", "New line", key_display="shift+⏎"),
        Binding("pageup", "app.page(-1)", show=False, priority=True),
        Binding("pagedown", "app.page(1)", show=False, priority=True),
    ]

    async def on_key(self, event: Key) -> None:
        # Here, in the order of the keys: the action of a binding may overtake the letters typed before it.
        action = {"enter": "app.send", "shift+enter": "new_line", "ctrl+j": "new_line"}.get(event.key)
        if action is not None:
            event.stop().prevent_default()
            await self.run_action(action)

    def action_new_line(self) -> None:
        self.insert("\n")


class TextualChat(App[None]):
    """The program: one conversation, and at most one answer under way."""

    TITLE = "allm_rx chat"
    CSS_PATH = "textual_chat.tcss"
    BINDINGS: ClassVar = [
        Binding("escape", "stop", "Stop"),
        Binding("ctrl+n", "new", "New"),
        Binding("ctrl+t", "look", "Light/dark"),
    ]
    answering = reactive(default=False, bindings=True)
    tokens = reactive(0)

    def __init__(self, engine: Engine, look: str = "dark") -> None:
        super().__init__()
        self.engine = engine
        self.conversation = Conversation(engine)
        for theme in LOOKS:
            self.register_theme(theme)
        self.theme = look

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static(Content.assemble(("∿ ", "bold $primary"), ("allm_rx chat", "bold")), id="title")
            yield Button("+ New conversation", id="new", compact=True)
        with VerticalScroll(id="log"):
            yield Vertical(id="lines")
        with Vertical(id="below"):
            with Horizontal(id="ask"):
                yield Prompt(placeholder="Ask something", compact=True, highlight_cursor_line=False)
                yield Button("↑ Send", id="send", compact=True)
                yield Button("■ Stop", id="stop", compact=True)
            with Horizontal(id="status"):
                yield Footer(compact=True)
                yield Static(id="model")

    def on_mount(self) -> None:
        self.log_view.anchor()
        self.action_new()

    @property
    def log_view(self) -> VerticalScroll:
        return self.query_one("#log", VerticalScroll)

    @property
    def lines(self) -> Vertical:
        return self.query_one("#lines", Vertical)

    @property
    def prompt(self) -> Prompt:
        return self.query_one(Prompt)

    @on(Button.Pressed, "#new")
    def action_new(self) -> None:
        self.conversation = Conversation(self.engine)
        self.answering, self.tokens = False, 0
        self.lines.remove_children()  # an answer under way is left
        asked = (Button(question, compact=True, classes="example") for question in QUESTIONS)
        self.lines.mount(Vertical(Static("What is on your mind?"), *asked, id="welcome"))
        self.prompt.focus()

    @on(Button.Pressed, ".example")
    def example(self, event: Button.Pressed) -> None:
        self.prompt.text = str(event.button.label)
        self.action_send()

    @on(Button.Pressed, "#send")
    def action_send(self) -> None:
        text = self.prompt.text.strip()
        if text and not self.answering:
            self.ask(text)

    @on(Button.Pressed, ".retry")
    def retry(self) -> None:
        self.ask(None)

    def ask(self, text: str | None) -> None:
        """Show the answer to a text; without one, to the question that was not answered."""
        try:
            answer = self.conversation.ask(text)
        except errors.UsageError as error:  # found before anything was sent, such as a missing key
            self.notify(plain(error.message), severity="error", markup=False)
            return
        if text is None:
            self.query(Answer).last().remove()
        else:
            self.query("#welcome").remove()
            self.lines.mount(Horizontal(Static(Content(plain(text))), classes="question"))
            self.prompt.clear()
        self.answering = True
        self.lines.mount(Answer(answer))
        self.log_view.anchor()
        self.prompt.focus()

    @on(Button.Pressed, "#stop")
    def action_stop(self) -> None:
        self.conversation.stop()

    def on_answer_ended(self, event: Answer.Ended) -> None:
        self.answering = False
        if event.result is not None:
            self.tokens += event.result.usage.output_tokens or 0
        self.prompt.focus()

    def watch_answering(self) -> None:
        self.screen.set_class(self.answering, "answering")

    def watch_tokens(self) -> None:
        tokens = f" · {self.tokens} tokens" if self.tokens else ""
        self.query_one("#model", Static).update(Content(plain(f"{self.engine.model}{tokens}")))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.answering if action == "stop" else True

    def action_look(self) -> None:
        self.theme = "light" if self.current_theme.dark else "dark"

    def action_page(self, pages: int) -> None:
        scroll = self.log_view.scroll_page_up if pages < 0 else self.log_view.scroll_page_down
        scroll()


def main() -> None:
    reader = parser("A chat in the terminal.")
    reader.add_argument("--look", choices=[theme.name for theme in LOOKS], default="dark")
    options = reader.parse_args()
    with app_engine(options.model) as engine:
        TextualChat(engine, options.look).run()


if __name__ == "__main__":
    main()
