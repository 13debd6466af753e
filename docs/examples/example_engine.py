"""The engine of the examples: `--model vendor:model` asks a real provider, and without it one on this machine answers.

Your own program needs one line: `engine = Engine.from_model("openai-chat:gpt-4.1-mini")`.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from allm_rx import Engine, ToolCall
from allm_rx.adapters import OpenAIChat
from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer

SAID = {
    "Why is the sky blue?": "Because air scatters blue light more than red.",
    "Write a haiku about rain.": "Rain on the tin roof,\na thousand small drums at once,\nthen only the drip.",
    "My name is Ada.": "Nice to meet you, Ada.",
    "What is my name?": "Your name is Ada.",
    "A quick supper, please.": '{"name": "Omelette", "minutes": 10, "ingredients": ["eggs", "butter", "chives"]}',
    "Count as far as you can.": "1 2 3 4 5 6 7 8 9 10 11 12",
}
WANTED = {
    "How is the weather in Oslo?": [ToolCall(id="c1", name="weather", arguments={"city": "Oslo"})],
    "Compare Oslo and Rome.": [
        ToolCall(id="c1", name="weather", arguments={"city": "Oslo"}),
        ToolCall(id="c2", name="weather", arguments={"city": "Rome"}),
    ],
    "Delete the old reports.": [ToolCall(id="c1", name="delete_files", arguments={"pattern": "report-2019-*"})],
    "Book me a table.": [ToolCall(id="c1", name="book", arguments={"people": 2})],
}


def answer(body: dict, index: int) -> Answer:
    """Say what the examples are about."""
    last = body["messages"][-1]
    if last["role"] != "tool":
        return Answer(SAID.get(last["content"], ""), tool_calls=WANTED.get(last["content"], ()))
    results = [message["content"] for message in body["messages"] if message["role"] == "tool"]
    return Answer(" ".join(result if result.endswith(".") else f"I was told: {result}." for result in results))


@contextmanager
def example_engine(description: str) -> Iterator[Engine]:
    """Give the engine that the command line asks for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", help="such as anthropic:claude-sonnet-4-5; the key is read from the vendor's variable")
    model = parser.parse_args().model
    if model is not None:
        yield Engine.from_model(model)
        return
    with ProviderServer(answer) as server:
        yield Engine(adapter=OpenAIChat(base_url=server.base_url("openai-chat"), api_key="none"), model="on-this-machine")
