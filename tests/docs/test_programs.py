"""The example programs: complete, run without a key, and print what they are about."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer
from tests.docs.pages import ROOT

EXAMPLES = ROOT / "docs" / "examples"
MOST_LINES = 60

PRINTED: dict[str, tuple[str, str]] = {
    "one_shot": ("", "Because air scatters blue light more than red.\n(stop, 8 tokens)\n"),
    "streaming": ("", "Rain on the tin roof,\na thousand small drums at once,\nthen only the drip.\n(15 words)\n"),
    "single_tool": (
        "",
        "user: How is the weather in Oslo?\n"
        "assistant: weather({'city': 'Oslo'})\n"
        "tool: In Oslo it is 7 degrees and raining.\n"
        "assistant: In Oslo it is 7 degrees and raining.\n"
        "(completed after 2 steps)\n",
    ),
    "parallel_tools": (
        "",
        "asked: Oslo\nasked: Rome\n"
        "done:  In Rome it is 21 degrees.\ndone:  In Oslo it is 7 degrees.\n"
        "in order: In Oslo it is 7 degrees. In Rome it is 21 degrees.\n",
    ),
    "multi_turn": (
        "",
        "you: My name is Ada.\nmodel: Nice to meet you, Ada.\nyou: What is my name?\nmodel: Your name is Ada.\n(5 messages)\n",
    ),
    "structured_output": ("", "Omelette, 10 minutes\n- eggs\n- butter\n- chives\n"),
    "manual_tools": (
        "yes\n",
        "The model wants delete_files({'pattern': 'report-2019-*'}). Agreed? \nDeleted 3 files.\n",
    ),
    "ask_user": ("19:30\n", "When shall the table for 2 be free? (HH:MM) \nI was told: 19:30.\n"),
    "session_save_and_load": ("", "model: Nice to meet you, Ada.\nmodel: Your name is Ada.\n(completed, 4 messages)\n"),
    "cancel": ("", "1 2 3 4 5\n(cancelled; kept: '1 2 3 4 5')\n"),
}
"""What each program is told, and what it prints."""


def printed(program: str, *arguments: str, said: str = "", **variables: str) -> str:
    """Run a program to its end, warnings being errors, and give what it printed."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{program}.py"), *arguments]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", **variables}
    done = subprocess.run(
        command, env=environment, input=said, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("program", PRINTED)
def test_a_program_prints_what_it_is_about(program: str) -> None:
    """Without a key, on this machine."""
    said, expected = PRINTED[program]

    assert printed(program, said=said) == expected


def test_a_program_asks_whom_it_is_told_to() -> None:
    """With `--model`, a real provider; its address and key come from the vendor's variables."""
    with ProviderServer(Answer("It just is.")) as server:
        variables = {"OPENAI_BASE_URL": server.base_url("openai-chat"), "OPENAI_API_KEY": "none-is-needed"}
        shown = printed("one_shot", "--model", "openai-chat:gpt-4.1-mini", **variables)
        [request] = server.requests

    assert shown.splitlines()[0] == "It just is."
    assert request.body["model"] == "gpt-4.1-mini"


@pytest.mark.parametrize("program", PRINTED)
def test_a_program_is_small_and_complete(program: str) -> None:
    """It fits on a page, says what it shows, and does nothing when it is imported."""
    text = Path(EXAMPLES / f"{program}.py").read_text("utf-8")
    tree = ast.parse(text)

    assert len(text.splitlines()) <= MOST_LINES
    assert ast.get_docstring(tree)
    assert 'if __name__ == "__main__":' in text.splitlines()[-5:]
