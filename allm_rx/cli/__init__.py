"""The command `allm-rx`: ask a model from a shell, and watch the library work.

| exit code | means |
|---|---|
| 0 | answered, or whoever read the answer had enough |
| 1 | the provider failed, or the answer could not be written; stderr says why |
| 2 | the command must change; stderr says how |
| 130 | interrupted; the request was closed |
"""

# What the command does is imported inside of `main`, so that `--help` answers at once and Ctrl-C is quiet from the start.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code.

    Raises:
        SystemExit: an argument is wrong (code 2), or only help or version was asked for (code 0).
    """
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()  # here, where a reader that left is no error
        return code
    except KeyboardInterrupt:
        # A second Ctrl-C ends the process on the spot, should closing the connection take its time.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        return _INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return 0
    except OSError as error:
        print(f"allm-rx: Reading the prompt or writing the answer failed: {error}.", file=sys.stderr)
        return 1


def _run(arguments: Sequence[str]) -> int:
    from allm_rx.cli.arguments import model_of, parsed, parsed_demo, prompt_of

    if arguments[:1] == ["demo"]:
        from allm_rx.cli.demo import demo

        return demo(pace=parsed_demo(arguments[1:]).pace / 1000)
    options = parsed(arguments)
    if options.list:
        from allm_rx.cli.vendors import listing

        print(listing())
        return 0
    from allm_rx.cli.ask import MISUSED, ask, complain

    try:
        prompt = prompt_of(options.prompt)
    except UnicodeDecodeError as error:
        complain(f"What is piped in is not UTF-8 text ({error.reason} at byte {error.start}): convert it first.")
        return MISUSED
    if not prompt.strip():
        complain('There is nothing to ask: write a prompt (`allm-rx "..." -m vendor:model`), or pipe text in.')
        return MISUSED
    model = model_of(options)
    if model is None:
        from allm_rx.cli.vendors import advice

        complain(advice())
        return MISUSED
    return ask(options, model, prompt)


def _forget_output() -> None:
    """Send what is left to nowhere, so that the interpreter's last flush does not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
