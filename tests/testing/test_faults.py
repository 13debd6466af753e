"""What each fault does to an answer, as a client without opinions sees it."""

import gzip
import json
import urllib.error
import urllib.request

import pytest

from allm_rx.testing.answers import Answer, ErrorAnswer, Recording
from allm_rx.testing.faults import (
    ContentType,
    Cut,
    DelayBody,
    DelayHead,
    Drip,
    DuplicateTerminal,
    ErrorBody,
    ErrorFrame,
    Fault,
    Flood,
    Garbage,
    Gzip,
    HtmlPage,
    HugeRecord,
    KeepAlive,
    NoTerminal,
    Redirect,
    ResetBeforeHead,
    Stall,
    WholeBody,
    refused,
)
from allm_rx.testing.provider_server import ProviderServer
from tests.testing.plain_http import Got, dial, post, read_all, read_until

DONE = b"data: [DONE]"
BYTES = b"data: one\n\ndata: two\n\ndata: three\n\n"


def served(*faults: Fault, answer: Answer | Recording | ErrorAnswer | None = None) -> Got:
    with ProviderServer(answer or Answer("Hello you"), faults=faults) as server:
        return post(server)


@pytest.mark.parametrize("after", [0, 1, 11, 20, len(BYTES)])
@pytest.mark.parametrize("how", ["end", "close", "reset"])
def test_a_cut_sends_so_many_bytes_and_ends_as_told(after: int, how: str) -> None:
    """A cut lets the bytes before it through, and ends the body in one of three ways."""
    got = served(Cut(after, how), answer=Recording(BYTES))  # type: ignore[arg-type]

    assert (got.status, got.body, got.ending) == (200, BYTES[:after], how)


def test_a_cut_behind_the_end_changes_nothing() -> None:
    """An answer shorter than the cut ends as usual."""
    got = served(Cut(len(BYTES) + 1, "reset"), answer=Recording(BYTES))

    assert (got.body, got.ending) == (BYTES, "end")


def test_a_reset_lets_what_was_sent_before_it_arrive() -> None:
    """A reset takes nothing away of what a client's system has room for."""
    got = served(Cut(32_768, "reset"), answer=Recording(b"data: " + b"x" * 100_000))

    assert (len(got.body), got.ending) == (32_768, "reset")


def test_a_reset_before_the_head_answers_nothing() -> None:
    """The connection is reset in place of a status line."""
    with ProviderServer(faults=[ResetBeforeHead()]) as server, pytest.raises(ConnectionResetError):
        post(server)


def test_a_refused_url_refuses() -> None:
    """Nobody listens at a refused URL."""
    with refused() as url, pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url)


@pytest.mark.parametrize(("fault", "head"), [(DelayHead(), b""), (DelayBody(), b"HTTP/1.1 200 OK")])
def test_a_delay_without_end_holds_back_what_it_says(fault: Fault, head: bytes) -> None:
    """A late body leaves the head alone; a late head holds back all."""
    with ProviderServer([Answer(faults=[fault]), Answer("other")]) as server, dial(server) as client:
        server.wait_requests()
        if head:
            assert read_until(client, b"\r\n\r\n").startswith(head)
        client.settimeout(0)

        assert post(server).text == "other"  # so the server had time to do it wrong
        with pytest.raises(BlockingIOError):
            client.recv(1)


@pytest.mark.parametrize("fault", [DelayHead(0.01), DelayBody(0.01)])
def test_a_delay_with_an_end_loses_nothing(fault: Fault) -> None:
    """What was late is whole."""
    assert served(fault).text == "Hello you"


def test_a_stall_sends_so_many_records_and_no_end() -> None:
    """After a stall the connection is open and silent."""
    with ProviderServer([Recording(BYTES, faults=[Stall(2)]), Answer("other")]) as server, dial(server) as client:
        seen = read_until(client, b"two\n\n\r\n")
        client.settimeout(0)

        assert b"data: one" in seen
        assert post(server).text == "other"  # so the server had time to do it wrong
        with pytest.raises(BlockingIOError):
            client.recv(1)


def test_garbage_stands_between_records() -> None:
    """Garbage comes after so many records, and the rest after it."""
    got = served(Garbage(1, b"?\n\n"), answer=Recording(BYTES))

    assert got.records == [b"data: one", b"?", b"data: two", b"data: three"]


def test_a_huge_record_stands_between_records() -> None:
    """A huge record is one record with as much text as was said."""
    got = served(HugeRecord(3_000_000))

    assert json.loads(got.records[1][6:])["choices"][0]["delta"]["content"] == "x" * 3_000_000
    assert got.text.endswith("xHello you")


def test_an_error_frame_ends_the_stream() -> None:
    """An error inside a stream comes after so many records and is the last."""
    got = served(ErrorFrame(2, "Out of luck."))

    assert len(got.records) == 3
    assert json.loads(got.records[2][6:])["error"]["message"] == "Out of luck."


def test_a_drip_cuts_the_body_into_small_pieces() -> None:
    """Each piece of a drip is an HTTP chunk of its own."""
    with ProviderServer(Recording(b"data: one\n\n"), faults=[Drip(4, every=0.001)]) as server:
        got = read_all(server)

    assert got.endswith(b"4\r\ndata\r\n4\r\n: on\r\n3\r\ne\n\n\r\n0\r\n\r\n")


def test_a_drip_without_a_pace_sends_single_bytes() -> None:
    """`Drip()` is the case of one byte per chunk."""
    with ProviderServer(Recording(b"hi\n"), faults=[Drip()]) as server:
        got = read_all(server)

    assert got.endswith(b"1\r\nh\r\n1\r\ni\r\n1\r\n\n\r\n0\r\n\r\n")


def test_a_flood_never_ends() -> None:
    """A flood goes on for as long as it is read."""
    with ProviderServer(Answer("Hello"), faults=[Flood(" more")]) as server, dial(server) as client:
        seen = sum(len(client.recv(65536)) for _ in range(500))

        assert seen > 0
        assert server.wait_requests()[0].index == 0
        server.wait_until(lambda server: server.bytes_sent > 1_000_000)


def test_keep_alives_may_be_all_that_comes() -> None:
    """Comments without a count keep the answer away for good."""
    with ProviderServer(faults=[KeepAlive(0.001)]) as server, dial(server) as client:
        seen = read_until(client, b"e\r\n: keep-alive\n\n\r\n" * 3)

    assert b"data:" not in seen


def test_keep_alives_with_a_count_come_before_the_answer() -> None:
    """Comments with a count are followed by the whole answer."""
    got = served(KeepAlive(0.001, count=3))

    assert got.records[:3] == [b": keep-alive"] * 3
    assert got.text == "Hello you"


def test_gzip_compresses_and_says_so() -> None:
    """A compressed body unpacks to the plain one."""
    got = served(Gzip(), answer=Recording(BYTES))

    assert got.headers["content-encoding"] == "gzip"
    assert gzip.decompress(got.body) == BYTES


def test_a_wrong_content_type_leaves_the_body_alone() -> None:
    """The head lies, the body does not."""
    got = served(ContentType("application/octet-stream"), answer=Recording(BYTES))

    assert (got.headers["content-type"], got.body) == ("application/octet-stream", BYTES)


def test_a_redirect_names_its_target() -> None:
    """A redirect has a target and no body."""
    got = served(Redirect("https://elsewhere.example/v1"))

    assert (got.status, got.headers["location"], got.body) == (307, "https://elsewhere.example/v1", b"")


def test_an_html_page_comes_in_place_of_the_answer() -> None:
    """A gateway's page is HTML with the gateway's status."""
    got = served(HtmlPage())

    assert (got.status, got.headers["content-type"], got.body[:6]) == (502, "text/html", b"<html>")


def test_an_error_body_may_come_with_success() -> None:
    """The status says 200, the body that it failed."""
    got = served(ErrorBody("No."))

    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    assert got.json["error"]["message"] == "No."


def test_a_stream_request_may_get_a_whole_body() -> None:
    """A whole JSON body says what the stream would have said."""
    got = served(WholeBody())

    assert got.headers["content-type"] == "application/json"
    assert got.json["choices"][0]["message"]["content"] == "Hello you"


def test_a_recording_has_no_whole_body(caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be sent whole says so, in the answer and in the log."""
    got = served(WholeBody(), answer=Recording(BYTES))

    assert (got.status, "Only an `Answer`" in got.json["error"]["message"]) == (400, True)
    assert "failed at request 0" in caplog.text


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        (NoTerminal(), b'"content":" you"'),
        (NoTerminal(marker_only=True), b'"finish_reason":"stop"'),
        (DuplicateTerminal(), DONE),
    ],
)
def test_a_terminal_may_be_missing_or_come_twice(fault: Fault, last: bytes) -> None:
    """The body ends properly, whatever the protocol's own end does."""
    got = served(fault)

    assert got.ending == "end"
    assert last in got.records[-1]
    assert got.body.count(DONE) == (2 if isinstance(fault, DuplicateTerminal) else 0)


def test_a_recordings_last_record_is_its_terminal() -> None:
    """Where the protocol is not known, the end is the last record."""
    got = served(NoTerminal(marker_only=True), answer=Recording(BYTES))

    assert got.records == [b"data: one", b"data: two"]


def test_faults_are_applied_in_order() -> None:
    """A fault sees what the one before it left: here the cut counts compressed bytes, and garbage is counted first."""
    answer = Recording(BYTES, faults=[Garbage(0, b"?\n\n")])

    got = served(Stall(2), Cut(14, "end"), answer=answer)

    assert got.body == b"?\n\ndata: one\n\n"


def test_faults_combine_with_errors() -> None:
    """An error answer can be cut like any other."""
    got = served(Cut(5, "close"), answer=ErrorAnswer(500, {"error": "x"}))

    assert (got.status, got.body, got.ending) == (500, b'{"err', "close")


def test_a_fault_of_an_answer_is_its_own() -> None:
    """Of two answers only the faulty one goes wrong."""
    with ProviderServer([Answer("one", faults=[Cut(0, "close")]), Answer("two")]) as server:
        got = [post(server), post(server)]

    assert [(each.text, each.ending) for each in got] == [("", "close"), ("two", "end")]
