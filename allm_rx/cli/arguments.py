"""What the command line says, and what comes in by stdin."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, get_args

from allm_rx.data.requests import Effort

if TYPE_CHECKING:
    from collections.abc import Sequence

MODEL_VARIABLE = "ALLM_RX_MODEL"
"""Environment variable that holds the command's usual `vendor:model`."""

_DESCRIPTION = "Ask a language model; the answer appears as it is written."
_EPILOG = """\
Text that is piped in becomes part of the prompt, after an empty line:
    git diff | allm-rx "Write a commit message." -m openai-chat:gpt-4.1-mini

Ctrl-C stops the request. `allm-rx demo` shows a streamed conversation without a key.

Exit codes: 0 answered, 1 the provider failed, 2 the command must change, 130 interrupted.
"""


class Options(argparse.Namespace):
    """The command line, parsed."""

    prompt: str | None
    model: str | None
    system: str | None
    temperature: float | None
    max_tokens: int | None
    reasoning: Effort | None
    base_url: str | None
    json: bool
    usage: bool
    list: bool


class DemoOptions(argparse.Namespace):
    """The command line of `allm-rx demo`, parsed."""

    pace: float


def parser() -> argparse.ArgumentParser:
    """Give the parser of `allm-rx`."""
    parser = argparse.ArgumentParser(
        prog="allm-rx", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prompt", nargs="?", help="what to ask; `demo` runs the demonstration")
    parser.add_argument("-m", "--model", metavar="VENDOR:MODEL", help=f"who answers (default: ${MODEL_VARIABLE})")
    parser.add_argument("-s", "--system", metavar="TEXT", help="how the model shall behave")
    parser.add_argument("--temperature", type=float, metavar="T", help="0 to 2")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="upper limit of generated tokens")
    parser.add_argument("--reasoning", choices=get_args(Effort), metavar="EFFORT", help=f"one of {', '.join(get_args(Effort))}")
    parser.add_argument("--base-url", metavar="URL", help="another server for the vendor's protocol")
    parser.add_argument("--json", action="store_true", help="print the events, one JSON object per line")
    parser.add_argument("--usage", action="store_true", help="print tokens and cost to stderr at the end")
    parser.add_argument("--list", action="store_true", help="print the vendors and the keys they need, and stop")
    parser.add_argument("--version", action="version", version=f"allm-rx {version('allm-rx')}")
    return parser


def demo_parser() -> argparse.ArgumentParser:
    """Give the parser of `allm-rx demo`."""
    parser = argparse.ArgumentParser(
        prog="allm-rx demo", description="Stream a conversation with a provider on this machine, and measure it."
    )
    parser.add_argument("--pace", type=float, default=30.0, metavar="MS", help="milliseconds between words (default: 30)")
    return parser


def model_of(options: Options) -> str | None:
    """Give the model that was asked for, or the usual one."""
    return options.model or os.environ.get(MODEL_VARIABLE) or None


def prompt_of(prompt: str | None) -> str:
    """Give the whole prompt: what was written, and behind an empty line what was piped in.

    Raises:
        UnicodeDecodeError: what was piped in is not UTF-8.
    """
    return "\n\n".join(part for part in (prompt, _piped()) if part)


def _piped() -> str:
    if sys.stdin is None or sys.stdin.isatty():  # None under pythonw
        return ""
    return sys.stdin.buffer.read().decode("utf-8-sig").rstrip("\n")


def parsed(arguments: Sequence[str]) -> Options:
    """Parse the arguments of `allm-rx`; a mistake ends the process with code 2."""
    return parser().parse_args(arguments, Options())


def parsed_demo(arguments: Sequence[str]) -> DemoOptions:
    """Parse the arguments of `allm-rx demo`; a mistake ends the process with code 2."""
    return demo_parser().parse_args(arguments, DemoOptions())
