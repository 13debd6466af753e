"""What a model or a provider says is data: it reads no file, runs no handler it may not, fills no memory, and moves no cursor."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from allm_rx import Engine, Message, Request, ToolCall, chat, stream_generate, tool, user
from allm_rx.adapters import Fake
from allm_rx.data.events import Error
from allm_rx.data.parts import FilePart, ImagePart
from allm_rx.errors import AllmError
from allm_rx.testing.answers import Answer, ErrorAnswer, Recording
from allm_rx.testing.faults import ContentType, Flood, Gzip, HugeRecord
from allm_rx.testing.provider_server import ProviderServer
from tests.adapters.providers import BY_NAME, PROVIDERS, Provider
from tests.cli import command
from tests.loopback import everything
from tests.security.secrets import KEY

NAMES = [provider.name for provider in PROVIDERS]
MIB = 2**20
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x1bP+q\x1b\\\x08\x08\rSafe."
_opened: list[str] | None = None


def _hook(event: str, arguments: Any) -> None:
    if _opened is not None and event == "open":
        _opened.append(str(arguments[0]))


sys.addaudithook(_hook)


@contextmanager
def opened() -> Generator[list[str]]:
    """Give the files that are opened, as the interpreter itself tells."""
    global _opened
    _opened = found = []
    try:
        yield found
    finally:
        _opened = None


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
@pytest.mark.parametrize("part", ["image", "file"])
@pytest.mark.parametrize("spelling", ["path", "file URL"])
def test_no_part_reads_a_file(provider: Provider, part: str, spelling: str, tmp_path: Path) -> None:
    """A path in what was loaded or said is an address like any other: sent or refused, never opened."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(KEY.encode())
    url = str(secret) if spelling == "path" else secret.as_uri()
    kind: Any = {"image": ImagePart, "file": FilePart}[part]

    sent: Any = None
    with opened() as files:
        try:
            loaded = Message.model_validate_json(user([kind(url=url, media_type="image/png")]).model_dump_json())
            sent = provider.sent(Request(messages=(loaded,)))
        except (AllmError, ValueError):
            sent = None

    assert [name for name in files if "secret.png" in name] == []
    assert KEY not in repr(sent)


ARGUMENTS = [
    '{"count": "many"}',
    '{"count": 1, "more": 2}',
    "{}",
    '{"count":',
    "[1]",
    '"1"',
    '{"count": 1e999}',
    "null",
    "{" * 10_000,
]


@pytest.mark.parametrize("raw", ARGUMENTS, ids=lambda raw: raw[:20])
@pytest.mark.parametrize("protocol", NAMES)
def test_a_handler_gets_what_its_types_say_or_nothing(protocol: str, raw: str) -> None:
    """Arguments that do not fit never reach it; the model is told, and the answer goes on."""
    ran: list[object] = []

    @tool
    def repeat(count: int) -> str:
        """Repeat."""
        ran.append(count)
        return "done"

    calls = [ToolCall(id="c", name="repeat", arguments={}, raw_arguments=raw)]
    with ProviderServer([Answer(tool_calls=calls), Answer("Well.")]) as server:
        adapter = BY_NAME[protocol].adapter(base_url=server.base_url(protocol), api_key=KEY)
        result = chat(Engine(adapter=adapter, model="m", tools=(repeat,), retry=False), "Hi").run()

    assert ran == []
    assert result.halted_reason in ("completed", "error")


def test_a_tool_that_was_not_offered_is_not_run() -> None:
    """A name is looked up among the tools of the call, nowhere else."""
    script = [[ToolCall(id="c", name="os.system", arguments={"command": "true"})], ["Well."]]

    result = chat(Engine(adapter=Fake(scripts=script), model="m", tools=(_noop,)), "Hi").run()

    assert result.halted_reason == "completed"
    assert "unknown_tool" in result.thread.messages[2].model_dump_json()


@tool
def _noop(text: str) -> str:
    """Do nothing."""
    return text


def ending(protocol: str, *faults: Any, answer: Any = None, **options: Any) -> tuple[Any, int]:
    """Give how an answer ends, and how many bytes of it were sent."""
    with ProviderServer(answer or Answer("Hi"), faults=faults) as server:
        adapter = BY_NAME[protocol].adapter(base_url=server.base_url(protocol), api_key=KEY, **options)
        last = everything(stream_generate(Engine(adapter=adapter, model="m", retry=False), "Hi"))[-1]
        server.wait_until(lambda seen: seen.answering == 0)
        return last, server.bytes_sent


def test_a_record_has_a_limit() -> None:
    """64 MiB, also when it comes as a few compressed kilobytes."""
    last, sent = ending("openai-chat", HugeRecord(70 * MIB), Gzip())

    assert isinstance(last, Error)
    assert (last.failure.reason, sent < 2 * MIB) == ("record_too_large", True)


def test_a_whole_body_has_a_limit() -> None:
    """As a record has."""
    last, _ = ending("openai-chat", HugeRecord(70 * MIB), Gzip(), ContentType("application/json"))

    assert isinstance(last, Error)
    assert last.failure.reason == "record_too_large"


@pytest.mark.parametrize("protocol", NAMES)
def test_a_whole_answer_has_a_limit(protocol: str) -> None:
    """However small its records are, a stream without an end fills no memory."""
    last, _ = ending(protocol, Flood(), answer_limit=MIB)

    assert isinstance(last, Error)
    assert last.failure.reason == "record_too_large"


@pytest.mark.parametrize("protocol", NAMES)
def test_the_body_of_a_refusal_has_a_limit(protocol: str) -> None:
    """A megabyte says enough; the rest is not read, though it had no end, and what is told of it is short."""
    last, _ = ending(protocol, answer=Recording(b"no\n\n", status=500, faults=[Flood()]))

    assert isinstance(last, Error)
    assert (last.failure.status, len(last.failure.message) < 3000) == (500, True)


def test_an_error_does_not_control_the_terminal() -> None:
    """Neither the words of a provider, nor its code, move the cursor or name the window."""
    answer = ErrorAnswer(400, {"error": {"message": f"No. {EVIL}", "type": EVIL, "code": EVIL}}, {"x-request-id": "r"})
    with ProviderServer(answer) as server:
        done = command.run("Hi", env=command.environment(server))

    assert "Safe." in done.stderr
    assert [char for char in done.stderr + done.stdout if (char < " " and char != "\n") or "\x7f" <= char <= "\x9f"] == []


@pytest.mark.parametrize("protocol", NAMES)
def test_an_error_holds_no_control_characters(protocol: str) -> None:
    """Whoever logs it is as safe."""
    for answer in (ErrorAnswer(400, {"error": {"message": EVIL, "type": EVIL}}), ErrorAnswer(502, f"<title>{EVIL}</title>")):
        last, _ = ending(protocol, answer=answer)

        assert isinstance(last, Error)
        told = f"{last.failure.message}{last.failure.code}{last.failure.details}"
        assert [char for char in told if (char < " " and char not in "\n\t") or "\x7f" <= char <= "\x9f"] == []
