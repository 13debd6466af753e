"""The command against a provider on loopback, as a process of its own."""

import json
import os
import signal
import sys

import pytest

from allm_rx.data import events
from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import ErrorFrame, Flood, Stall
from allm_rx.testing.provider_server import ProviderServer
from tests.cli.command import MODEL, environment, read_until, run, start

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX")


def test_the_answer_is_printed() -> None:
    """The text of the answer goes to stdout, with a newline at its end, and nothing goes to stderr."""
    with ProviderServer(Answer("Hello, world.")) as server:
        done = run("Say hello.", env=environment(server))

    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello, world.\n", "")


def test_the_answer_appears_while_it_is_written() -> None:
    """The first words can be read while the provider still holds back the rest."""
    with ProviderServer(Answer("Hello and more", faults=[Stall(after=2)])) as server:
        process = start("Say hello.", *MODEL, env=environment(server))
        assert process.stdout

        seen = read_until(process.stdout, b"Hello")

        process.kill()
        process.communicate()
    assert seen == b"Hello"


def test_options_reach_the_provider() -> None:
    """System text, temperature, limit and reasoning effort are sent."""
    with ProviderServer(Answer("Yes.")) as server:
        options = ("--system", "Be brief.", "--temperature", "0.5", "--max-tokens", "9", "--reasoning", "low")
        run("Really?", *options, env=environment(server))

        (request,) = server.requests
    assert request.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Really?"},
    ]
    assert (request.body["model"], request.body["temperature"], request.body["reasoning_effort"]) == ("small", 0.5, "low")
    assert 9 in request.body.values()


def test_the_usual_model_comes_from_the_environment() -> None:
    """Without `-m`, `ALLM_RX_MODEL` says who answers."""
    with ProviderServer(Answer("Yes.")) as server:
        run("Really?", env=environment(server) | {"ALLM_RX_MODEL": "openai-chat:usual"}, model=())

        assert server.requests[0].body["model"] == "usual"


def test_the_base_url_option_wins() -> None:
    """`--base-url` leads to the given server, whatever the environment says, and one on loopback needs no key."""
    with ProviderServer(Answer("Here.")) as server:
        elsewhere = environment() | {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
        done = run("Where?", "--base-url", server.base_url("openai-chat"), env=elsewhere)

    assert (done.returncode, done.stdout) == (0, "Here.\n")


def test_piped_text_follows_the_prompt() -> None:
    """The prompt, an empty line, and what was piped in make one message."""
    with ProviderServer(Answer("A fox.")) as server:
        run("What is it?", env=environment(server), piped="red, bushy\n… quick\n".encode())

        assert server.requests[0].body["messages"] == [{"role": "user", "content": "What is it?\n\nred, bushy\n… quick"}]


def test_piped_text_can_be_the_prompt() -> None:
    """Without a prompt, what was piped in is it."""
    with ProviderServer(Answer("Hello.")) as server:
        run(env=environment(server), piped=b"Say hello.\n")

        assert server.requests[0].body["messages"] == [{"role": "user", "content": "Say hello."}]


def test_piped_bytes_that_are_no_text_are_refused() -> None:
    """Bytes that are not UTF-8 are a mistake of the caller, and nothing is sent."""
    with ProviderServer(Answer("Hello.")) as server:
        done = run("What is it?", env=environment(server), piped=b"\xff\xfe")

        assert (done.returncode, server.requests) == (2, ())
    assert "not UTF-8" in done.stderr


def test_json_prints_the_events() -> None:
    """Every line of `--json` is an event that loads again, from the first to the terminal."""
    with ProviderServer(Answer("Hello there.")) as server:
        done = run("Say hello.", "--json", env=environment(server))

    kinds = [events.loads(line).type for line in done.stdout.splitlines()]
    assert kinds == ["message_started", "text_delta", "text_delta", "text_completed", "raw_chunk", "message_completed"]


def test_usage_goes_to_stderr() -> None:
    """`--usage` tells the tokens at the end, out of the way of the answer."""
    usage = Usage(input_tokens=12, cached_input_tokens=4, output_tokens=34, reasoning_tokens=10, total_tokens=46)
    with ProviderServer(Answer("Hello.", usage=usage)) as server:
        done = run("Say hello.", "--usage", env=environment(server))

    assert done.stdout == "Hello.\n"
    assert done.stderr == "usage: input 12 (4 from the cache), output 34 (10 for reasoning), total 46 tokens\n"


def test_reasoning_is_not_mixed_into_piped_output() -> None:
    """Off a terminal only the answer itself is printed."""
    with ProviderServer(Answer("Yes.", reasoning="Hm, let me see.")) as server:
        done = run("Really?", env=environment(server))

    assert done.stdout == "Yes.\n"


def test_a_refusal_says_what_to_do() -> None:
    """A refused key is a failure of the provider: code 1, and stderr names cause, advice and request."""
    with ProviderServer(ErrorAnswer(401)) as server:
        done = run("Say hello.", env=environment(server))

    assert (done.returncode, done.stdout) == (1, "")
    assert "Check the API key" in done.stderr
    assert "(reason authentication_failed, status 401, request req_0)" in done.stderr
    assert "sk-of-the-test" not in done.stderr


def test_a_failure_midway_keeps_the_text() -> None:
    """What was answered before the failure stays on stdout."""
    with ProviderServer(Answer("Hello and more", faults=[ErrorFrame(after=2)])) as server:
        done = run("Say hello.", env=environment(server))

    assert (done.returncode, done.stdout) == (1, "Hello\n")


def test_a_cut_answer_is_remarked() -> None:
    """An answer that reached its limit is an answer, and stderr says that it is not whole."""
    with ProviderServer(Answer("Once upon", finish_reason="length")) as server:
        done = run("Tell me a story.", env=environment(server))

    assert (done.returncode, done.stdout) == (0, "Once upon\n")
    assert "--max-tokens" in done.stderr


@POSIX
def test_interrupt_closes_the_request() -> None:
    """Ctrl-C ends with code 130 and a newline; the text stays, and the server sees the connection close."""
    with ProviderServer(Answer("Hello and more", faults=[Stall(after=2)])) as server:
        process = start("Say hello.", *MODEL, env=environment(server))
        assert process.stdout
        seen = read_until(process.stdout, b"Hello")

        process.send_signal(signal.SIGINT)

        rest, complaints = process.communicate()
        assert server.wait_closed()[0].request == 0
    assert (process.returncode, seen + rest, complaints) == (130, b"Hello\n", b"")


@POSIX
def test_interrupt_before_the_answer_closes_the_request() -> None:
    """Ctrl-C works while nothing has come yet."""
    with ProviderServer(Answer("Never", faults=[Stall(after=0)])) as server:
        process = start("Say hello.", *MODEL, env=environment(server))
        server.wait_requests()

        process.send_signal(signal.SIGINT)

        assert process.communicate() == (b"", b"")
        server.wait_closed()
    assert process.returncode == 130


@POSIX
def test_a_reader_that_leaves_closes_the_request() -> None:
    """`| head -1` ends an endless answer quietly."""
    with ProviderServer(Answer(faults=[Flood("and so on\n")])) as server:
        process = start("Go on.", *MODEL, env=environment(server))
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"and so on\n"

        process.stdout.close()

        assert process.stderr.read() == b""
        assert process.wait() == 0
        process.stderr.close()
        server.wait_closed()


@POSIX
def test_interrupt_while_the_reader_sleeps() -> None:
    """Ctrl-C also ends a command whose output nobody takes, without a crash of the interpreter."""
    reading, writing = os.pipe()
    with ProviderServer(Answer(faults=[Flood()])) as server, os.fdopen(writing, "wb") as out:
        process = start("Go on.", *MODEL, env=environment(server), stdout=out)
        server.wait_blocked()

        process.send_signal(signal.SIGINT)

        assert process.communicate()[1] == b""
        server.wait_closed()
    os.close(reading)
    assert process.returncode == 130


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("Say hello.", "-m", "openai-chat:small"), "OPENAI_API_KEY"),
        (("Say hello.", "-m", "opnai-chat:small"), "did you mean 'openai-chat:'?"),
        (("Say hello.", "-m", "openai-chat:small", "--temperature", "9"), "temperature"),
        (("-m", "openai-chat:small"), "nothing to ask"),
        (("Say hello.", "--reasoning", "some"), "--reasoning"),
    ],
    ids=["no key", "unknown vendor", "impossible value", "no prompt", "unknown effort"],
)
def test_a_mistake_of_the_caller_is_code_2(arguments: tuple[str, ...], advice: str) -> None:
    """What the command line has to change ends with code 2, and stderr says what."""
    done = run(*arguments, env=environment(), model=())

    assert (done.returncode, done.stdout) == (2, "")
    assert advice in done.stderr


def test_without_a_model_and_a_key_it_says_what_to_set() -> None:
    """The message names the option, the variables, and what works without a key."""
    done = run("Say hello.", env=environment(), model=())

    assert done.returncode == 2
    assert all(hint in done.stderr for hint in ("-m vendor:model", "ALLM_RX_MODEL", "OPENAI_API_KEY", "allm-rx demo"))


def test_without_a_model_it_names_the_vendors_whose_keys_are_set() -> None:
    """A key that is there leads to its vendor, and to no other."""
    done = run("Say hello.", env=environment() | {"GROQ_API_KEY": "gsk"}, model=())

    assert done.returncode == 2
    assert "-m groq:MODEL" in done.stderr
    assert "-m openai-chat:" not in done.stderr
    assert "gsk" not in done.stderr


def test_list_names_vendors_and_their_variables() -> None:
    """`--list` tells for each vendor what it needs and whether it is there."""
    done = run("--list", env=environment() | {"GROQ_API_KEY": "gsk"}, model=())

    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (rows["groq"], rows["mistral"], rows["ollama"]) == ("GROQ_API_KEY (set)", "MISTRAL_API_KEY", "no key needed")


@POSIX
def test_a_list_that_nobody_reads_is_no_error() -> None:
    """`--list | true` is quiet, too."""
    reading, writing = os.pipe()
    os.close(reading)

    process = start("--list", env=environment(), stdout=writing)

    os.close(writing)
    assert (process.communicate()[1], process.returncode) == (b"", 0)


def test_version_is_the_installed_one() -> None:
    """`--version` prints name and version."""
    done = run("--version", env=environment(), model=())

    assert (done.returncode, done.stdout.split()[0]) == (0, "allm-rx")


def test_json_keeps_text_whole_off_a_terminal() -> None:
    """What is piped on is not edited: controls of a text are still there after loading."""
    with ProviderServer(Answer(chunks=["\x1b[31mred\x85"])) as server:
        done = run("Say red.", "--json", env=environment(server))

    deltas = [json.loads(line)["delta"] for line in done.stdout.split("\n") if '"text_delta"' in line]
    assert deltas == ["\x1b[31mred\x85"]


def test_stdin_of_a_terminal_is_not_awaited() -> None:
    """On a terminal a prompt is enough; nothing is read from the keyboard."""
    pty = pytest.importorskip("pty", reason="terminals of POSIX")
    master, slave = pty.openpty()
    with ProviderServer(Answer("Hello.")) as server:
        process = start("Say hello.", *MODEL, env=environment(server), stdin=slave)
        out, _ = process.communicate()

    os.close(master)
    os.close(slave)
    assert (process.returncode, out) == (0, b"Hello.\n")
