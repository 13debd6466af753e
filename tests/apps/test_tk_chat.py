"""The chat in Tk, used as its users do: a real window on a display of its own, real keys and clicks, a provider of ours."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import Stall
from allm_rx.testing.provider_server import ProviderServer, Script
from allm_rx.testing.small_talk import SmallTalk
from tests.apps.test_web_chat import QUESTIONS, SHOTS
from tests.apps.test_web_chat import shown as pleasant
from tests.gui.display import ROOT, display, missing, shown
from tests.needed import need

PROGRAM = ROOT / "docs" / "examples" / "apps" / "tk_chat.py"
IMAGES = ROOT / "docs" / "images"
STORY = Answer("Once upon a time", faults=[Stall(after=3)])


@pytest.fixture(autouse=True)
def keys() -> None:
    """What presses them."""
    need("" if shutil.which("xdotool") else "there is no xdotool to press keys with")


def environment(server: ProviderServer) -> dict[str, str]:
    return {"OPENAI_BASE_URL": server.base_url("openai-chat"), "OPENAI_API_KEY": "none-is-needed", "NO_PROXY": "127.0.0.1"}


def used(use: str, script: Script, *arguments: str, size: str = "640x480") -> tuple[Any, ProviderServer]:
    """Let a user of `tests.apps.tk_uses` use the chat with a provider that answers as scripted, and close the window."""
    return used_with(ProviderServer(script), use, *arguments, size=size)


def used_with(provider: ProviderServer, use: str, *arguments: str, size: str = "640x480") -> tuple[Any, ProviderServer]:
    with provider as server:
        command = ["-m", "tests.apps.tk_user", use, size, *arguments]
        seen = json.loads(shown("tk", command, ROOT, size, **environment(server)))
        if server.answering:
            server.wait_closed()
        return seen, server


def contents(server: ProviderServer, request: int) -> list[str]:
    """What the messages of a request say."""
    return [message["content"] for message in server.requests[request].body["messages"]]


def test_an_answer_streams_into_the_window_and_ends_with_it() -> None:
    """The beginning is shown while the provider still writes; closing the window closes the connection."""
    seen, server = used("leave_in_mid_answer", STORY)

    assert seen["busy"]
    assert seen["answer"].startswith("Once")
    assert len(server.closed_by_client) == 1


def test_a_conversation_goes_on() -> None:
    """The second request holds what was said before; under an answer stand its tokens."""
    seen, server = used("talk", [Answer("Hello."), Answer("Fine.")])

    assert contents(server, 1) == ["Hi", "Hello.", "How are you?"]
    assert (seen["questions"], seen["answer"]) == (["Hi", "How are you?"], "Fine.")
    assert [remark.split()[1] for remark in seen["remarks"]] == ["tokens", "tokens"]


def test_shift_enter_begins_a_line() -> None:
    """Enter alone sends, and empties the prompt."""
    seen, server = used("write_lines", Answer("Good."))

    assert seen == {"prompt": "One\ntwo", "then": "", "questions": ["One\ntwo"]}
    assert contents(server, 0) == ["One\ntwo"]


@pytest.mark.parametrize("how", ["click", "escape"])
def test_a_waiting_window_is_alive_and_can_stop(how: str) -> None:
    """While the provider stalls, keys are heard; the button or Escape closes the connection, and what was read stays."""
    seen, server = used("stop", STORY, how)

    assert seen["answer"].startswith("Once")
    assert (seen["remarks"], seen["prompt"]) == (["Stopped"], "still alive")
    assert [closed.request for closed in server.closed_by_client] == [0]


def test_a_failure_can_be_tried_again() -> None:
    """The window says what is wrong and asks once more, with the same question."""
    seen, server = used("try_again", [ErrorAnswer(401), Answer("Better.")])

    assert "key" in seen["failed"][0]
    assert (seen["now"], seen["questions"]) == ([], ["Hi"])
    assert contents(server, 1) == ["Hi"]


def test_the_answer_is_copied() -> None:
    """The button puts the answer's own text on the clipboard."""
    seen, _ = used("copy", Answer("It is **raining**."))

    assert seen == {"shown": "It is raining.", "copied": "It is **raining**."}


def test_a_new_conversation_is_empty() -> None:
    """Nothing of the old one is shown or sent, and its answer under way is left."""

    def answer(body: dict[str, Any], index: int) -> Answer:
        return Answer(f"{len(server.closed_by_client)} was closed.") if index else STORY

    server = ProviderServer(answer)

    seen, _ = used_with(server, "begin_anew")

    assert seen == {"left": "", "questions": ["How are you?"], "answer": "1 was closed."}
    assert contents(server, 1) == ["How are you?"]


def test_tools_are_shown_with_what_they_gave() -> None:
    """Both calls stand there with their results, and the answer follows."""
    seen, _ = used("use_tools", SmallTalk())

    assert [text for text in seen["calls"] if text] == ['weather(city: "Oslo")', 'weather(city: "Lima")']
    assert seen["results"] == ["7 degrees and rain in Oslo.", "7 degrees and rain in Lima."]
    assert "Here is what I was told" in seen["answer"]


def test_what_a_model_thought_is_told_from_what_it_says() -> None:
    """Reasoning stands before the answer, in a voice of its own."""
    seen, _ = used("read", Answer("It is **four**.", reasoning="Two and two **are** added."))

    assert seen["thinking"] == ["Two and two **are** added."]
    assert (seen["answer"].splitlines()[-1], seen["bold"]) == ("It is four.", ["four"])


def test_what_a_model_writes_is_text() -> None:
    """Neither the markup of others nor a command of Tcl is read in it."""
    wicked = "<b>bold</b> [exit] $root {unbalanced \\ \x1b[31mred"

    seen, _ = used("read", Answer(wicked))

    assert seen["answer"] == wicked


def test_markdown_is_the_same_however_it_is_cut() -> None:
    """Bold, code and blocks of code are found at every cut; what is not closed, or stands for itself, is left as it was."""
    text = "A **b `c` d** e, 2**3 and 4 ** 5, **open\n`open\n\n```py\nx = a**b\n\n`y`\n```\nEnd `**` *"

    (answer, styles), wrong = used("cut", Answer("unused"), text)[0]

    assert wrong == []
    assert answer == "A b c d e, 2**3 and 4 ** 5, **open\n`open\n\n\ufffc\nx = a**b\n\n`y`\n\ufffc\nEnd ** *".replace(
        "\ufffc", ""
    )
    assert styles["bold"] == ["b c d"]
    assert styles["code"] == ["c", "**"]
    assert styles["block"] == ["x = a**b\n\n`y`\n"]


def test_who_scrolled_up_is_left_in_peace() -> None:
    """A growing answer is followed to its end, but not away from a user who turned the wheel."""
    seen, _ = used("scroll_up", Answer("word " * 800, pace=0.002))

    assert seen == {"followed": 1.0, "stood still": True}


def test_more_than_a_window_of_x_can_hold_is_shown() -> None:
    """A question and a block of code that are higher than 32767 pixels do not end the program."""
    seen, _ = used("show_much", Answer("```\n" + "x = 1\n" * 5000 + "```\nDone."))

    assert seen == {"lines of code": 5000, "blocks": 1, "end is shown": True}


def test_the_colours_can_be_changed() -> None:
    """The button in the header changes dark and light, in widgets of both kinds."""
    light, dark = ["#fbfaf8", "#fbfaf8", "#ffffff"], ["#171816", "#171816", "#1f211f"]

    assert used("switch", Answer("Hello."))[0] == [light, dark, light]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_pleasant_to_look_at(scheme: str, tmp_path: Path) -> None:
    """A finished conversation is shown in the colours that were asked for."""
    picture = IMAGES / f"tk_chat_{scheme}.png" if SHOTS in os.environ else ""

    seen, _ = used("look", pleasant, scheme, json.dumps(QUESTIONS), str(picture), size="1100x760")

    assert seen == {"ground": {"light": "#fbfaf8", "dark": "#171816"}[scheme], "blocks": 1, "calls": 2}


def test_the_program_needs_nothing_but_a_question() -> None:
    """Started as its page says, it shows a window that takes a question and Enter."""
    if reason := missing("tk"):
        pytest.skip(reason)
    with ProviderServer(Answer("Hello.")) as server, display("1100x760") as unseen:
        variables = {**unseen, **environment(server)}
        command = [sys.executable, "-W", "error", str(PROGRAM), "--model", "openai-chat:small-talk"]
        with subprocess.Popen(command, env=variables) as program:
            try:
                window = ["search", "--sync", "--onlyvisible", "--name", "allm_rx chat"]
                for keys in ([*window, "mousemove", "450", "640", "click", "1", "type", "Hi"], ["key", "Return"]):
                    subprocess.run(["xdotool", *keys], env=variables, timeout=20, check=True)
                server.wait_requests(timeout=20)
            finally:
                program.terminate()

    assert contents(server, 0) == ["Hi"]
