"""The engine of the applications: `--model vendor:model` asks a real provider, and without it one on this machine answers.

Your own program needs one line: `engine = Engine.from_model("anthropic:claude-sonnet-4-5")`.
"""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from typing import TYPE_CHECKING

from allm_rx import Engine, tool
from allm_rx.adapters import OpenAIChat
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.testing.small_talk import SmallTalk

if TYPE_CHECKING:
    from collections.abc import Iterator

PACE = 0.04
"""Seconds between two words of the provider on this machine."""


@tool
def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"{len(city) + 3} degrees and {'rain' if len(city) % 2 == 0 else 'sun'} in {city}."


def parser(description: str) -> argparse.ArgumentParser:
    """Give what reads the command line, to which an application may add its own options."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--model", help="vendor:model, its key in the vendor's variable; without one a provider here answers")
    return made


@contextmanager
def app_engine(model: str | None) -> Iterator[Engine]:
    """Give the engine that was asked for, with the tool of the applications."""
    if model is not None:
        yield Engine.from_model(model).with_tools(weather)
        return
    with ProviderServer(SmallTalk(pace=PACE)) as provider:
        adapter = OpenAIChat(base_url=provider.base_url("openai-chat"), api_key="none-is-needed")
        yield Engine(adapter=adapter, model="small-talk").with_tools(weather)
