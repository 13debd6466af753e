"""The chat in the browser, used as its users do: the program runs, a browser shows it, a provider of ours answers."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from allm_rx.data.parts import ToolCall
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import Stall
from allm_rx.testing.provider_server import ProviderServer, Script
from allm_rx.testing.small_talk import SmallTalk
from tests.apps import browser as browsers
from tests.apps.browser import Browser
from tests.needed import need

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "docs" / "examples" / "apps" / "web_chat.py"
IMAGES = ROOT / "docs" / "images"
SHOTS = "ALLM_RX_SCREENSHOTS"
"""Set it to write the pictures of the documentation again."""

PATIENCE = 20.0
LONG = " ".join(f"word{number}" for number in range(150))


class Page:
    """The page, by what a user sees of it."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        browser.driver.get(url)

    def send(self, text: str) -> None:
        self.browser.driver.find_element(By.ID, "prompt").send_keys(text, Keys.ENTER)

    def click(self, css: str) -> None:
        self.until(lambda: bool(self.all(css)))
        self.browser.driver.find_element(By.CSS_SELECTOR, css).click()

    def all(self, css: str) -> list[str]:
        """The texts of all that match."""
        script = "return [...document.querySelectorAll(arguments[0])].map(found => found.innerText)"
        return self.browser.script(script, css)

    @property
    def answer(self) -> str:
        return "".join(self.all(".assistant:last-child .text"))

    @property
    def state(self) -> str:
        return self.browser.script("return document.body.dataset.state")

    def until(self, happened: Callable[[], bool]) -> None:
        WebDriverWait(self.browser.driver, PATIENCE, 0.02).until(lambda driver: happened())

    def finish(self) -> None:
        """Wait for the end of the answer."""
        self.until(lambda: self.state == "idle" and bool(self.all(".assistant:last-child :is(.foot, .error)")))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all."""
    need(browsers.missing())
    with browsers.browsing(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@contextmanager
def running(provider: ProviderServer | None) -> Generator[str]:
    """Run the program, and give its address; without a provider it starts its own."""
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    arguments: list[str] = []
    if provider is not None:
        environment |= {"OPENAI_BASE_URL": provider.base_url("openai-chat"), "OPENAI_API_KEY": "none-is-needed"}
        arguments = ["--model", "openai-chat:small-talk"]
    command = [sys.executable, "-W", "error", str(PROGRAM), *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            yield program.stdout.readline().strip()
        finally:
            program.terminate()


@pytest.fixture
def chat(browser: Browser) -> Iterator[Callable[[Script], tuple[Page, ProviderServer]]]:
    """Open the page of a program whose provider answers as scripted."""
    with contextlib.ExitStack() as opened:

        def open_chat(script: Script) -> tuple[Page, ProviderServer]:
            server = opened.enter_context(ProviderServer(script))
            return Page(browser, opened.enter_context(running(server))), server

        yield open_chat


Open = Callable[[Script], tuple[Page, ProviderServer]]


def test_an_answer_streams_into_the_page(chat: Open) -> None:
    """The beginning is shown while the provider still writes."""
    page, server = chat(Answer("Once upon a time", faults=[Stall(after=3)]))

    page.send("Tell me a story")

    page.until(lambda: page.answer.startswith("Once"))
    assert (page.state, server.answering) == ("answering", 1)


def test_a_conversation_goes_on(chat: Open) -> None:
    """The second request holds what was said before."""
    page, server = chat([Answer("Hello."), Answer("Fine.")])

    page.send("Hi")
    page.finish()
    page.send("How are you?")
    page.until(lambda: len(server.requests) == 2)
    page.finish()

    assert [message["content"] for message in server.requests[1].body["messages"]] == ["Hi", "Hello.", "How are you?"]
    assert (page.all(".user"), page.answer) == (["Hi", "How are you?"], "Fine.")


def test_stop_closes_the_providers_connection(chat: Open) -> None:
    """The button ends what is paid for, and keeps what was read."""
    page, server = chat(Answer("Once upon a time", faults=[Stall(after=3)]))
    page.send("Tell me a story")
    page.until(lambda: page.answer.startswith("Once"))

    page.click("#stop")

    assert server.wait_closed()[0].request == 0
    page.finish()
    assert page.answer.startswith("Once")
    assert page.all(".remark") == ["Stopped"]


def test_a_reload_in_mid_stream_loses_and_repeats_nothing(chat: Open) -> None:
    """The page comes back to its conversation and to the answer under way, which was asked for once."""
    page, server = chat(Answer(LONG, pace=0.01))
    page.send("Count")
    page.until(lambda: "word20" in page.answer)

    page.browser.driver.refresh()

    page.until(lambda: "word1" in page.answer)
    assert page.state == "answering"
    page.finish()
    assert (page.all(".user"), page.answer) == (["Count"], LONG)
    assert (len(server.requests), len(server.closed_by_client)) == (1, 0)


def test_a_reload_after_the_end_keeps_the_conversation(chat: Open) -> None:
    """Questions, tool calls and answers are there again."""
    page, _ = chat(SmallTalk())
    page.send("How is the weather in Oslo?")
    page.finish()
    before = page.all(".message"), page.all(".tool")

    page.browser.driver.refresh()
    page.until(lambda: bool(page.answer))

    assert before[1] == page.all(".tool") == ['weather(city: "Oslo")\n7 degrees and rain in Oslo.']
    assert next(text.replace("Copy", "").split() for text in page.all(".message")) == before[0][0].split()
    assert page.answer.startswith("Here is what I was told")


def test_a_failure_can_be_tried_again(chat: Open) -> None:
    """The page says what is wrong and asks once more, with the same question."""
    page, server = chat([ErrorAnswer(401), Answer("Better.")])
    page.send("Hi")
    page.finish()
    assert "key" in page.all(".error span")[0]

    page.click(".retry")
    page.until(lambda: page.answer == "Better.")
    page.finish()

    assert page.all(".error") == []
    assert [message["content"] for message in server.requests[1].body["messages"]] == ["Hi"]


def test_the_answer_is_copied(chat: Open) -> None:
    """The button puts the answer's own text on the clipboard."""
    page, _ = chat(Answer("It is **raining**."))
    rights = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    page.browser.command("Browser.grantPermissions", permissions=rights, origin=page.url.rstrip("/"))
    page.send("Hi")
    page.finish()

    page.click(".copy")
    page.until(lambda: page.all(".copy") == ["Copied"])

    assert page.browser.script("return navigator.clipboard.readText()") == "It is **raining**."


def test_a_new_conversation_is_empty(chat: Open) -> None:
    """Nothing of the old one is shown or sent."""
    page, server = chat([Answer("Hello."), Answer("Fine.")])
    page.send("Hi")
    page.finish()

    page.click("#new")
    assert page.all(".message") == []
    page.send("How are you?")
    page.finish()

    assert [message["content"] for message in server.requests[1].body["messages"]] == ["How are you?"]


def test_what_a_model_writes_is_text(chat: Open) -> None:
    """Markup in an answer is shown and does nothing."""
    wicked = "<img src=x onerror=\"document.title='taken'\"> and `<b>`"
    page, _ = chat(Answer(wicked))

    page.send("Hi")
    page.finish()

    assert page.answer == wicked.replace("`", "")
    assert page.browser.driver.title == "allm_rx chat"


def test_the_rest_comes_after_the_last_event_id() -> None:
    """A client that lost its connection gets exactly what it has not seen."""
    with ProviderServer(Answer("One two three.")) as server, running(server) as url:
        conversation = post(f"{url}conversations", {})["id"]
        answer = f"{url}answers/{post(f'{url}conversations/{conversation}/answers', {'text': 'Count'})['answer']}"

        whole, rest = get(answer), get(answer, {"Last-Event-ID": "3"})

        assert rest == whole[4:]
        assert get(answer, {"Last-Event-ID": str(len(whole) - 1)}) == []


def test_the_pages_of_others_are_refused() -> None:
    """A site in the same browser cannot spend the user's money."""
    with running(None) as url, pytest.raises(urllib.error.HTTPError, match="403") as refused:
        post(f"{url}conversations", {}, {"Origin": "https://example.org"})
    refused.value.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_pleasant_to_look_at(browser: Browser, scheme: str) -> None:
    """A finished conversation is shown in the colours the user's system asks for."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    with ProviderServer(shown) as server, running(server) as url:
        browser.command("Emulation.setEmulatedMedia", features=features)
        browser.command("Emulation.setDeviceMetricsOverride", width=1100, height=760, deviceScaleFactor=1, mobile=False)
        page = Page(browser, url)
        for question in QUESTIONS:
            page.send(question)
            page.until(lambda asked=question: page.all(".user")[-1:] == [asked])
            page.finish()
        picture = browser.driver.get_screenshot_as_png()
        ground = browser.script("return getComputedStyle(document.body).backgroundColor")
        browser.command("Emulation.setEmulatedMedia", features=[])

    if SHOTS in os.environ:
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / f"web_chat_{scheme}.png").write_bytes(picture)
    assert ground == {"light": "rgb(251, 250, 248)", "dark": "rgb(23, 24, 22)"}[scheme]


QUESTIONS = ("How is the weather in Oslo and Lima?", "How do I stop an answer in code?")
SAID = (
    "Dispose the subscription; it may be done from **any thread**:\n\n"
    "```python\n"
    'subscription = stream_generate(engine, "Go on.").subscribe(show)\n'
    "subscription.dispose()  # the connection is closed\n"
    "```\n\n"
    "Leaving early in any other way does the same: `take(3)`, `switch_latest`, a cancelled `await`."
)


def shown(body: dict[str, Any], index: int) -> Answer:
    """What is said in the pictures."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        return Answer("Take an umbrella to **Oslo**: 7 degrees and rain. In **Lima** it is 7 degrees as well, and just as wet.")
    if "weather" in last["content"]:
        calls = [ToolCall(id=f"call_{city}", name="weather", arguments={"city": city}) for city in ("Oslo", "Lima")]
        return Answer(tool_calls=calls)
    return Answer(SAID)


def post(url: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    """Post JSON, and read JSON."""
    data = json.dumps(body).encode()
    asked = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})})
    with DIRECT.open(asked) as response:
        return json.load(response)


def get(url: str, headers: dict[str, str] | None = None) -> list[str]:
    """Read an event stream to its end, as records."""
    with DIRECT.open(urllib.request.Request(url, headers=headers or {})) as response:
        return [record for record in response.read().decode().split("\n\n") if record]


DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Straight to the server: a proxy of the environment cannot reach this machine's loopback."""
