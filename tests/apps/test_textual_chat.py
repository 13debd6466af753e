"""The chat in the terminal, used as its users do: by keys and clicks, and in a terminal that writes down what reaches it."""

import asyncio
import importlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from reactivex.subject import Subject

from allm_rx import Engine, tool
from allm_rx.adapters import OpenAIChat
from allm_rx.data.events import Event, TextDelta
from allm_rx.data.parts import ToolCall
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import Fault, Flood, Stall
from allm_rx.testing.provider_server import ProviderServer, Script
from allm_rx.testing.small_talk import SmallTalk
from tests.apps import browser as browsers
from tests.apps.test_web_chat import IMAGES, QUESTIONS, ROOT, SHOTS, shown

pytest.importorskip("textual", reason="Textual is not installed")

APPS = ROOT / "docs" / "examples" / "apps"
PROGRAM = APPS / "textual_chat.py"
PATIENCE = 20.0
STORY = Answer("Once upon a time", faults=[Stall(after=3)])


class Chat:
    """The program on a screen that nobody sees, by what a user sees of it."""

    def __init__(self, app: Any, pilot: Any, server: ProviderServer) -> None:
        self.app = app
        self.pilot = pilot
        self.server = server

    async def send(self, text: str) -> None:
        asked = len(self.all(".question"))
        self.app.prompt.insert(text)
        await self.pilot.press("enter")
        await self.until(lambda: len(self.all(".question")) > asked)

    async def until(self, happened: Callable[[], object]) -> None:
        """Let the program go on until something has happened."""
        async with asyncio.timeout(PATIENCE):
            while not happened():
                await self.pilot.pause()

    async def finish(self) -> None:
        await self.until(lambda: not self.app.answering and self.all("Answer .foot, Answer .error"))

    async def asked(self, count: int) -> list[str]:
        """Wait for so many requests, and give what was said in the last."""
        received = await asyncio.to_thread(self.server.wait_requests, count)
        return [message["content"] for message in received[-1].body["messages"]]

    def all(self, css: str) -> list[Any]:
        return list(self.app.query(css))

    def texts(self, css: str) -> list[str]:
        return [str(widget.content) for widget in self.app.query(css)]

    @property
    def answer(self) -> str:
        return "\n".join(self.texts("Answer > .text, Answer > .code"))


@asynccontextmanager
async def chatting(script: Script, look: str = "dark") -> AsyncGenerator[Chat]:
    """Run the program with a provider that answers as scripted."""
    program = importlib.import_module("textual_chat")
    with ProviderServer(script) as server:
        adapter = OpenAIChat(base_url=server.base_url("openai-chat"), api_key="none-is-needed")
        app = program.TextualChat(Engine(adapter=adapter, model="small-talk").with_tools(weather), look)
        async with app.run_test(size=(100, 40)) as pilot:
            yield Chat(app, pilot, server)


@tool
def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"{len(city) + 3} degrees and {'rain' if len(city) % 2 == 0 else 'sun'} in {city}."


@pytest.fixture(autouse=True)
def programs_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Import the program from where it is."""
    monkeypatch.setattr(sys, "path", [str(APPS), *sys.path])


def used(script: Script, use: Callable[[Chat], Awaitable[None]]) -> None:
    """Use the program in some way."""

    async def main() -> None:
        async with chatting(script) as chat:
            await use(chat)

    asyncio.run(main())


def test_an_answer_streams_onto_the_screen() -> None:
    """The beginning is shown while the provider still writes."""

    async def use(chat: Chat) -> None:
        await chat.send("Tell me a story")
        await chat.until(lambda: chat.answer.startswith("Once"))

        assert (chat.app.answering, chat.server.answering) == (True, 1)

    used(STORY, use)


def test_a_conversation_goes_on() -> None:
    """The second request holds what was said before."""

    async def use(chat: Chat) -> None:
        await chat.send("Hi")
        await chat.finish()
        await chat.send("How are you?")
        said = await chat.asked(2)
        await chat.finish()

        assert said == ["Hi", "Hello.", "How are you?"]
        assert (chat.texts(".question Static"), chat.answer) == (["Hi", "How are you?"], "Hello.\nFine.")

    used([Answer("Hello."), Answer("Fine.")], use)


@pytest.mark.parametrize("by", ["button", "escape"])
def test_stop_closes_the_providers_connection(by: str) -> None:
    """The button and the key end what is paid for, and keep what was read."""

    async def use(chat: Chat) -> None:
        await chat.send("Tell me a story")
        await chat.until(lambda: chat.answer.startswith("Once"))

        assert await (chat.pilot.click("#stop") if by == "button" else chat.pilot.press("escape")) in (True, None)
        closed = await asyncio.to_thread(chat.server.wait_closed)
        await chat.finish()

        assert closed[0].request == 0
        assert chat.answer.startswith("Once")
        assert chat.texts(".remark") == ["Stopped"]
        assert chat.app.focused is chat.app.prompt

    used(STORY, use)


def test_a_failure_can_be_tried_again() -> None:
    """The program says what is wrong and asks once more, with the same question."""

    async def use(chat: Chat) -> None:
        await chat.send("Hi")
        await chat.finish()
        assert "key" in chat.texts(".error Static")[0]

        await chat.pilot.click(".retry")
        said = await chat.asked(2)
        await chat.until(lambda: chat.answer == "Better." and not chat.app.answering)

        assert (said, chat.texts(".question Static"), chat.all(".error")) == (["Hi"], ["Hi"], [])

    used([ErrorAnswer(401), Answer("Better.")], use)


def test_tools_are_shown_with_their_results() -> None:
    """A call stands above the words that were made of it."""

    async def use(chat: Chat) -> None:
        await chat.send("How is the weather in Oslo?")
        await chat.finish()

        assert chat.texts(".tool") == ['⚙ weather(city: "Oslo")  7 degrees and rain in Oslo.']
        assert chat.texts("Answer > Static")[1].startswith("Here is what I was told: 7 degrees")

    used(SmallTalk(), use)


def test_the_answer_is_copied() -> None:
    """The button puts the answer's own text on the clipboard."""

    async def use(chat: Chat) -> None:
        await chat.send("Hi")
        await chat.finish()

        await chat.pilot.click(".copy")

        assert chat.app.clipboard == "It is **raining**.\n\nStill."

    used(Answer("It is **raining**.\n\nStill."), use)


def test_a_new_conversation_is_empty() -> None:
    """Nothing of the old one is shown or sent, and an answer under way is left."""

    async def use(chat: Chat) -> None:
        await chat.send("Tell me a story")
        await chat.until(lambda: chat.answer)

        await chat.pilot.press("ctrl+n")
        await asyncio.to_thread(chat.server.wait_closed)
        assert chat.all("Answer, .question") == []
        await chat.send("How are you?")

        assert await chat.asked(2) == ["How are you?"]

    used([STORY, Answer("Fine.")], use)


def test_the_program_stays_alive_while_the_provider_is_silent() -> None:
    """One can write the next question, begin a line, and change the look."""

    async def use(chat: Chat) -> None:
        await chat.send("Tell me a story")
        await chat.until(lambda: chat.answer)

        await chat.pilot.press("H", "i", "ctrl+j", "y", "o", "u", "ctrl+t")

        assert (chat.app.prompt.text, chat.app.theme, chat.app.answering) == ("Hi\nyou", "light", True)

    used(STORY, use)


def test_what_is_read_stays_where_it_is() -> None:
    """Who scrolled up is not pulled down by what comes."""

    async def use(chat: Chat) -> None:
        await chat.send("Count")
        await chat.until(lambda: "word100" in chat.answer)
        assert chat.app.log_view.scroll_y == chat.app.log_view.max_scroll_y > 0

        await chat.pilot.press("pageup")
        await chat.until(lambda: not chat.app.log_view.is_vertical_scroll_end)
        place = chat.app.log_view.scroll_target_y
        await chat.until(lambda: "word200" in chat.answer)

        assert chat.app.log_view.scroll_target_y == place < chat.app.log_view.max_scroll_y

    used(Answer("\n".join(f"word{number}" for number in range(2000)), pace=0.005), use)


def test_what_a_model_writes_is_text() -> None:
    """Markup of the web, of Textual and of links is shown and does nothing."""
    wicked = "<b>Hi</b> [bold]you[/bold] [here](https://example.org) ![](https://example.org/x.png)"

    async def use(chat: Chat) -> None:
        await chat.send("Hi")
        await chat.finish()

        assert chat.answer == wicked

    used(Answer(wicked), use)


LIGHT_MARKDOWN = "One **bold**\nline.\n\n\nA `code` and **\n```python\nx = 1\n\ny = 2\n```\nAfter ``` it.\n```\nopen"
BLOCKS = [
    ("text", "One bold\nline.\n\n\nA code and **"),
    ("code", "x = 1\n\ny = 2"),
    ("text", "After ``` it."),
    ("code", "open"),
]


def test_an_answer_looks_the_same_however_it_is_cut() -> None:
    """A fence, a sign or an empty line may come in two pieces, with a painting in between."""

    async def use(chat: Chat) -> None:
        for cut in range(len(LIGHT_MARKDOWN) + 1):
            assert await blocks_of(chat, LIGHT_MARKDOWN[:cut], LIGHT_MARKDOWN[cut:]) == BLOCKS, cut

    used(Answer(), use)


@pytest.mark.parametrize("fence", ["", "```\n"], ids=["a list", "code"])
def test_a_long_block_goes_on_in_another_widget(fence: str) -> None:
    """What is laid out anew when more comes does not grow with the answer, and no line of it is lost."""
    lines = [f"- line {number} of many" if number % 2 else "" for number in range(1, 2000)]
    pieces = [f"{fence}{lines[0]}", *(f"\n{line}" for line in lines[1:])]

    async def use(chat: Chat) -> None:
        shown = await blocks_of(chat, *pieces)

        assert "\n".join(text for _, text in shown).split("\n") == lines
        assert {kind for kind, _ in shown} == {"code" if fence else "text"}
        assert max(len(text) for _, text in shown) < 4100

    used(Answer(), use)


def test_a_long_block_that_has_ended_does_not_go_on() -> None:
    """What comes below long code is no code."""
    code = "x = 1\n" * 1000

    async def use(chat: Chat) -> None:
        assert await blocks_of(chat, f"```\n{code}```\n", "After") == [("code", code.rstrip()), ("text", "After")]

    used(Answer(), use)


async def blocks_of(chat: Chat, *pieces: str) -> list[tuple[str, str]]:
    """Give the blocks, each with its kind, of an answer that is painted after each piece."""
    answer = importlib.import_module("textual_answer")
    source: Subject[Event] = Subject()
    view = answer.Answer(source)
    await chat.app.lines.mount(view)
    for piece in filter(None, pieces):
        source.on_next(TextDelta(id="0", delta=piece))
        view.paint()
    view.settle()
    await chat.pilot.pause()
    blocks = [("code" if block.has_class("code") else "text", str(block.content)) for block in view.query("Static")]
    await view.remove()
    return blocks[:-1]


@pytest.mark.parametrize("look", ["light", "dark"])
def test_it_is_pleasant_to_look_at(look: str, tmp_path: Path) -> None:
    """A finished conversation in either look."""

    async def main() -> tuple[str, str]:
        async with chatting(shown, look) as chat:
            for count, question in enumerate(QUESTIONS, 1):
                await chat.send(question)
                await chat.until(lambda count=count: len(chat.all(".foot")) == count and not chat.app.answering)
            await chat.pilot.pause(0.2)
            return chat.app.export_screenshot(), chat.app.screen.styles.background.hex

    picture, ground = asyncio.run(main())

    if SHOTS in os.environ and not browsers.missing():
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / f"textual_chat_{look}.png").write_bytes(drawn(picture, tmp_path))
    assert ground == {"light": "#FBFAF8", "dark": "#171816"}[look]


def drawn(svg: str, folder: Path) -> bytes:
    """Draw the picture of a terminal, with a font of this machine in place of one from the network."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    # A little larger than the lines are high: so the lines of boxes meet.
    svg = svg.replace("Fira Code, monospace", "DejaVu Sans Mono, monospace").replace("font-size: 20px", "font-size: 21px")
    page = folder / "picture.html"
    page.write_text(f'<meta charset="utf-8"><body style="margin: 0">{svg}</body>', "utf-8")
    match = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert match is not None
    width, height = (int(float(side)) for side in match.groups())
    with browsers.browsing(folder / "profile") as browser:
        browser.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        browser.command("Emulation.setDefaultBackgroundColorOverride", color={"r": 0, "g": 0, "b": 0, "a": 0})
        browser.driver.get(page.as_uri())
        return browser.driver.get_screenshot_as_png()


class Terminal:
    """A terminal of the system, as the program in it writes to it: every byte is kept."""

    def __init__(self, own: int, program: "subprocess.Popen[bytes]") -> None:
        self._own = own
        self._program = program
        self.written = b""

    def until(self, text: bytes) -> None:
        """Read until the program has written something; it is an error when it ends before."""
        while text not in self.written:
            assert self._read(), self.written[-2000:]

    def type(self, keys: bytes) -> None:
        os.write(self._own, keys)

    def end(self) -> int:
        """Read to the end, and give how the program ended."""
        while self._read():
            pass
        return self._program.wait(PATIENCE)

    def _read(self) -> bytes:
        try:
            more = os.read(self._own, 65536)
        except OSError:  # Linux says so when the program has ended
            more = b""
        self.written += more
        return more


@contextmanager
def terminal(provider: ProviderServer) -> Generator[Terminal]:
    """Run the program in a terminal, and wait until one can type."""
    import pty  # noqa: PLC0415 - only where there are such terminals

    where = {"OPENAI_BASE_URL": provider.base_url("openai-chat"), "OPENAI_API_KEY": "none-is-needed"}
    size = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    own, other = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-W", "error", str(PROGRAM), "--model", "openai-chat:small-talk"],
        env={**os.environ, **where, **size, "NO_PROXY": "127.0.0.1"},
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
    ) as program:
        os.close(other)
        try:
            opened = Terminal(own, program)
            opened.until(b"sk something")  # its first letter is under the cursor
            yield opened
        finally:
            program.kill()
            os.close(own)


with_terminals = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
QUIT = b"\x11"


@with_terminals
@pytest.mark.parametrize("fault", [Stall(after=3), Flood(" upon")], ids=["silent", "in full flow"])
def test_leaving_in_mid_answer_closes_the_connection(fault: Fault) -> None:
    """The program ends well, and what it asked for is no longer paid for."""
    with ProviderServer(Answer("Once upon a time", faults=[fault])) as server, terminal(server) as screen:
        screen.type(b"Tell me a story\r")
        screen.until(b"upon")

        screen.type(QUIT)

        assert server.wait_closed()[0].request == 0
        assert screen.end() == 0
    assert not re.search(rb"Traceback|Warning|Error", screen.written)


WICKED = "\x1b]52;c;cHduZWQ=\x1b\\ \x1b[2J \x9b31m &#27;[31m \x1b]0;taken\x07 \x1b[6n"


@with_terminals
def test_no_control_sequence_of_a_model_reaches_the_terminal() -> None:
    """Neither in an answer, nor in code, a tool's name and arguments, or the message of an error."""
    call = ToolCall(id="c1", name="weather", arguments={"city": WICKED})
    answers = [
        Answer(tool_calls=[call]),
        Answer(reasoning=WICKED, text=f"{WICKED}\n```{WICKED}\n{WICKED}\n```\nanswered"),
        ErrorAnswer(400, {"error": {"message": f"{WICKED} refused"}}),
    ]
    with ProviderServer(answers) as server, terminal(server) as screen:
        screen.type(b"Go\r")
        screen.until(b"answered")
        screen.until("small-talk · ".encode())  # it is counted when the answer is over
        screen.type(b"On\r")
        screen.until(b"refused")
        screen.type(QUIT)
        assert screen.end() == 0

    assert b"]52;c;cHduZWQ=" in screen.written
    for sequence in (b"\x1b]52", b"\x1b[2J", b"\x1b]0;taken", b"\x1b[6n", "\x9b".encode()):
        assert sequence not in screen.written
