"""The demonstration, run as a user runs it."""

import re
import signal
import sys

import pytest

from tests.cli.command import environment, read_until, run, start


def test_the_demo_tells_what_it_measured() -> None:
    """Two turns and a stop: chunks, times, rates, bytes, and when the server saw the connection close."""
    done = run("demo", "--pace", "1", env=environment(), model=())

    assert (done.returncode, done.stderr) == (0, "")
    assert len(re.findall(r"\d+ chunks, the first after \d+\.\d ms, [\d,]+ tokens/s, [\d,]+ bytes", done.stdout)) == 2
    assert re.search(r"left after 12 chunks; \d+\.\d ms later the server saw the connection close", done.stdout)


def test_the_second_turn_carries_the_first() -> None:
    """The provider tells how many messages the second request brought."""
    done = run("demo", "--pace", "0", env=environment(), model=())

    assert "this request brought 3 messages" in " ".join(done.stdout.split())


def test_the_demo_reads_well_in_a_log() -> None:
    """Off a terminal there is no escape sequence, no line beyond 80 columns, and no trailing space."""
    done = run("demo", "--pace", "0", env=environment(), model=())

    lines = done.stdout.splitlines()
    assert [line for line in lines if "\x1b" in line or len(line) > 80 or line != line.rstrip()] == []


def test_the_demo_needs_no_way_around_a_proxy() -> None:
    """A proxy in the environment does not come between the demo and its server."""
    done = run("demo", "--pace", "0", env=environment() | {"HTTP_PROXY": "http://127.0.0.1:9"}, model=())

    assert done.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_the_demo_can_be_interrupted() -> None:
    """Ctrl-C ends it with code 130 and without a traceback."""
    process = start("demo", "--pace", "20", env=environment())
    assert process.stdout
    read_until(process.stdout, b"A recipe.")

    process.send_signal(signal.SIGINT)

    rest, complaints = process.communicate()
    assert (process.returncode, rest[-1:], complaints) == (130, b"\n", b"")
