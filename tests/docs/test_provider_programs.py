"""The programs that speak to any provider: the same lines, the same output, whichever name they are given."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any

import pytest

from allm_rx.data.parts import ToolCall
from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, AnyAnswer, ErrorAnswer
from allm_rx.testing.provider_server import ProviderServer
from tests.adapters.providers import BY_NAME, PROVIDERS
from tests.adapters.wire_calls import hold_together, steps
from tests.docs.pages import ROOT, blocks

MODELS = {provider.name: f"{provider.name}:{provider.model}" for provider in PROVIDERS}
TIDE = ToolCall(id="call_1", name="tide", arguments={"port": "Bergen"})

ADDRESSES = {
    "ANTHROPIC_BASE_URL": "anthropic",
    "GOOGLE_GEMINI_BASE_URL": "gemini",
    "OPENAI_BASE_URL": "openai",
}
"""The variables that lead a vendor's programs elsewhere, and the protocol spoken there."""

KEYS = dict.fromkeys(("ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY"), "none-is-needed")


def world(server: ProviderServer) -> dict[str, str]:
    """What a user with all keys has, whose requests a server of ours answers."""
    return {**KEYS, **{name: server.base_url(protocol) for name, protocol in ADDRESSES.items()}, "NO_PROXY": "127.0.0.1"}


def printed(server: ProviderServer, program: str, *arguments: str) -> list[str]:
    """Run a program to its end and give the lines it printed."""
    command = [sys.executable, "-W", "error", str(ROOT / "docs" / "examples" / program), *arguments]
    environment = {**os.environ, **world(server)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", MODELS)
def test_ten_lines_are_the_same_everywhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program of the page prints the same with any other name in it."""
    (block, *_) = blocks(ROOT / "docs" / "providers.md")
    code = block.code.replace("openai-chat:gpt-5.1", MODELS[name])
    call = ToolCall(id="call_1", name="weather", arguments={"city": "Oslo"})
    with ProviderServer([Answer("Hei!"), Answer(tool_calls=[call]), Answer("I was told: 7 degrees in Oslo")]) as server:
        for variable, value in world(server).items():
            monkeypatch.setenv(variable, value)

        assert replace(block, code=code).run({"__name__": "__main__"}) == block.expected

    assert MODELS[name] in code
    assert len([line for line in code.splitlines() if line.strip() and not line.startswith("#>")]) <= 10


@dataclass(frozen=True)
class Run:
    """What one program printed, and what it sent."""

    name: str
    lines: list[str]
    bodies: list[dict[str, Any]]


@pytest.fixture(scope="module", params=MODELS)
def ran(request: pytest.FixtureRequest) -> Run:
    """The program that uses everything, once per provider."""
    script: list[AnyAnswer] = [
        Answer("Rivers carry salt.", reasoning="Think of rivers."),
        Answer('{"colour": "black", "width": 1}'),
        Answer(tool_calls=[TIDE], usage=Usage(input_tokens=30, output_tokens=5)),
        Answer("High tide is at six.", usage=Usage(input_tokens=40, output_tokens=7)),
        ErrorAnswer(404),
    ]
    with ProviderServer(script) as server:
        lines = printed(server, "any_provider.py", MODELS[request.param])
        bodies = [one.body for one in server.requests]
    return Run(request.param, lines, bodies)


def test_program_prints_the_same_everywhere(ran: Run) -> None:
    """Text, reasoning, a picture, structure, a tool, usage and an error: one program, one output."""
    assert ran.lines == [
        "text: Rivers carry salt.",
        "reasoning: Think of rivers.",
        "structure: colour='black' width=1",
        "tool: High tide is at six. (2 steps)",
        "usage: 70 in, 12 out",
        "error: not_found",
    ]


def test_requests_of_the_program_are_the_vendors_own(ran: Run) -> None:
    """What it sends is what the vendor's package would take, with thoughts, picture, schema and tool."""
    for body in ran.bodies:
        BY_NAME[ran.name].accepted(body)
        hold_together(ran.name, body)

    assert [kind for kind, _ in steps(ran.name, ran.bodies[3])] == ["call", "result"]
    assert "iVBORw0KGgo" in str(ran.bodies[1])


def test_conversation_travels_between_providers() -> None:
    """Begun at one, continued at the others: each is asked in its own protocol, with all that was said before."""
    script: list[AnyAnswer] = [
        Answer(reasoning="Ask the port.", tool_calls=[TIDE]),
        Answer("At six.", reasoning="Six it is."),
        Answer("At noon.", reasoning="Six hours later."),
        Answer("At five."),
    ]
    names = ("anthropic", "gemini", "openai")
    with ProviderServer(script) as server:
        lines = printed(server, "cross_provider.py", *(MODELS[name] for name in names))
        asked: list[Any] = [request.body for request in server.requests]

    assert [line.rpartition(": ")[2] for line in lines] == ["At six.", "At noon.", "At five.", "8 messages, completed"]
    for name, body in zip(("anthropic", *names), asked, strict=True):
        BY_NAME[name].accepted(body)
        hold_together(name, body)
    assert all(word in str(asked[3]) for word in ("Bergen", "high at six", "At six.", "At noon.", "So when do I sail?"))
    assert "Ask the port." not in str(asked[2:])
