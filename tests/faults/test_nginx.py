"""What a middlebox that others wrote does to an answer comes to what the same trouble comes to without it: one more table.

A cell reads as in `test_matrix`; the requests it counts are those that the middlebox saw.
"""

import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

import pytest

from allm_rx.data.policies import Timeouts
from allm_rx.testing.answers import Answer
from allm_rx.testing.assertions import assert_no_leaks
from allm_rx.testing.faults import (
    DelayBody,
    DelayHead,
    Fault,
    KeepAlive,
    NoTerminal,
    Plan,
    ResetBeforeHead,
    Stall,
    refused,
)
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.transport.aiohttp_client import AiohttpTransport
from tests.faults.cells import HALF, KEPT, PIECES, CutBehind, answered, asking, line
from tests.faults.nginx import Middlebox, middlebox
from tests.faults.rows import FIRST, MODES, PROTOCOLS, SHORT, Mode, Row, breaks, cut_short, harmless, heals, persists, stays


@dataclass(frozen=True)
class Trouble:
    """A way through the middlebox, and what is at its end."""

    directives: str = ""
    faults: Callable[[int], tuple[Fault, ...]] = lambda _: ()
    """Those of the first answer only, given after how many records half of the text is out."""
    timeouts: Timeouts | None = None
    behind: Literal["provider", "unasked provider", "nobody"] = "provider"
    """What is at the end: a provider that sees every request, one that sees none, or a closed port."""


@dataclass(frozen=True)
class Headers:
    """The answer has more headers."""

    values: dict[str, str]

    def apply(self, plan: Plan, /) -> Plan:
        """Add them; see `Fault`."""
        return plan.with_headers(self.values)


@dataclass(frozen=True)
class Refusal:
    """The provider refuses, in its own words."""

    status: int

    def apply(self, plan: Plan, /) -> Plan:
        """Replace the answer; see `Fault`."""
        body = plan.spelling.error_body(self.status, "No.")
        refusal = plan.with_body(body, content_type="application/json", status=self.status)
        return refusal.with_headers({"retry-after": "0"})


def alone(directives: str) -> Trouble:
    """The middlebox answers by itself."""
    return Trouble(directives, behind="unasked provider")


def cut(half: int) -> tuple[Fault, ...]:
    return (CutBehind(half, "close"),)


def reset(half: int) -> tuple[Fault, ...]:
    return (CutBehind(half, "reset"),)


def stall(half: int) -> tuple[Fault, ...]:
    return (Stall(half),)


BUFFERED = "proxy_buffering on;"
ZIPPED = "gzip on; gzip_types text/event-stream; gzip_min_length 1; gzip_proxied any;"
CLOSING = "chunked_transfer_encoding off;"
OLD = "proxy_http_version 1.0;"
IMPATIENT = "proxy_read_timeout 200ms;"
FOR_REFUSALS = "proxy_intercept_errors on; error_page 401 429 /sorry;"

BEHIND = "http://127.0.0.1:$port$rest;"

INTERRUPTED = "stream_interrupted 'Hello ' x1"
STALLED = "timeout stall 'Hello ' x1"
UNREADABLE = "malformed_response '' x1"

TABLE: dict[str, Row[Trouble]] = {
    "nothing": harmless(Trouble()),
    # Late, or in pieces of another size.
    "buffered": harmless(Trouble(BUFFERED)),
    "passed on as it comes, up to a stall": breaks(Trouble("", stall, Timeouts(stall=SHORT)), STALLED),
    "too slow": heals(
        Trouble(BUFFERED, lambda _: (Headers({"x-accel-limit-rate": "1"}),), Timeouts(first=FIRST)), "timeout first"
    ),
    # Compressed: record by record, or held back until the last.
    "gzip": harmless(Trouble(ZIPPED)),
    "gzip, held back": harmless(Trouble(ZIPPED + BUFFERED)),
    "gzip, up to a stall": breaks(Trouble(ZIPPED, stall, Timeouts(stall=SHORT)), STALLED),
    "gzip, held back by a stall": heals(Trouble(ZIPPED + BUFFERED, stall, Timeouts(first=FIRST)), "timeout first"),
    "gzip, cut": breaks(Trouble(ZIPPED, cut), INTERRUPTED),
    # Cut: by a middlebox that does not wait, and by what is behind it.
    "no patience for the head": heals(Trouble(IMPATIENT, lambda _: (DelayHead(),)), "timeout"),
    "no patience for the body": heals(Trouble(IMPATIENT, lambda _: (DelayBody(),)), "stream_interrupted"),
    "no patience in mid-answer": breaks(Trouble(IMPATIENT, stall), INTERRUPTED),
    "hung up behind": breaks(Trouble("", cut), INTERRUPTED),
    "hung up behind, buffered": breaks(Trouble(BUFFERED, cut), INTERRUPTED),
    "reset behind": breaks(Trouble("", reset), INTERRUPTED),
    "reset behind before the head": heals(Trouble("", lambda _: (ResetBeforeHead(),)), "server_error"),
    "refused behind": persists(Trouble(behind="nobody"), "server_error"),
    "head too large behind": heals(
        Trouble("proxy_buffer_size 1k;", lambda _: (Headers({"x-large": "y" * 2000}),)), "server_error"
    ),
    "hung up without a word": persists(alone("return 444;"), "network_error"),
    # Bodies without a length: what ends them is the end of the connection, and a cut looks like an end.
    "closed at the end": harmless(Trouble(CLOSING)),
    "closed before the terminal": breaks(Trouble(CLOSING, lambda _: (NoTerminal(),)), "stream_interrupted 'Hello you' x1"),
    "HTTP/1.0 behind": harmless(Trouble(OLD)),
    "HTTP/1.0 behind, cut": breaks(Trouble(OLD, cut), INTERRUPTED),
    "HTTP/1.0 behind, reset": breaks(Trouble(OLD, reset), INTERRUPTED),
    # Connections that serve once.
    "no keep-alive": harmless(Trouble("keepalive_timeout 0;")),
    "no keep-alive, then a refusal": heals(Trouble("keepalive_timeout 0;", lambda _: (Refusal(500),)), "server_error"),
    # Pages of its own, in place of an answer or of a refusal.
    "request too large": stays(alone("client_max_body_size 8;"), "invalid_request '' x1"),
    "a page with 200": stays(Trouble("error_page 502 =200 /sorry;", lambda _: (ResetBeforeHead(),)), UNREADABLE),
    "a page with 503": heals(Trouble("error_page 502 =503 /sorry;", lambda _: (ResetBeforeHead(),)), "overloaded"),
    "a page for 429": heals(Trouble(FOR_REFUSALS, lambda _: (Refusal(429),)), "rate_limited"),
    "a page for 401": stays(Trouble(FOR_REFUSALS, lambda _: (Refusal(401),)), "authentication_failed '' x1"),
    "nothing with 200": persists(alone("return 200;"), "stream_interrupted"),
    "nothing with 204": persists(alone("return 204;"), "stream_interrupted"),
    "called a page": stays(Trouble("proxy_hide_header Content-Type; add_header Content-Type text/html;"), UNREADABLE),
    # Redirects lead to the provider, which would answer well: nobody goes there with a key.
    "redirect": stays(alone(f"return 307 {BEHIND}"), "not_found '' x1"),
}

PAGES = {
    400: "invalid_request",
    401: "authentication_failed",
    402: "quota_exceeded",
    403: "permission_denied",
    404: "not_found",
    405: "invalid_request",
    413: "invalid_request",
    414: "invalid_request",
    501: "server_error",
    507: "server_error",
}
RETRIED_PAGES = {
    # With this one it says nothing, and hangs up.
    408: "network_error",
    409: "invalid_request",
    429: "rate_limited",
    500: "server_error",
    502: "server_error",
    503: "overloaded",
    504: "timeout",
}
SHORT_TABLE: dict[str, Row[Trouble]] = {
    "no patience, buffered": breaks(Trouble(IMPATIENT + BUFFERED, stall), INTERRUPTED),
    # Its clock is one of whole seconds, so that each of these takes one.
    "slow": harmless(Trouble(f"{BUFFERED} limit_rate 25k;", lambda _: (KeepAlive(every=0, count=2000),))),
    **{f"redirect {status}": stays(alone(f"return {status} {BEHIND}"), "not_found '' x1") for status in (301, 302, 303, 308)},
    **{f"its page {status}": stays(alone(f"return {status};"), f"{reason} '' x1") for status, reason in PAGES.items()},
    **{f"its page {status}": persists(alone(f"return {status};"), reason) for status, reason in RETRIED_PAGES.items()},
}

IDLE = "keepalive_timeout 1ms;"
"""It closes a connection that is not used at once."""

WAYS = {
    **{name: row.trouble.directives for name, row in {**TABLE, **SHORT_TABLE}.items()},
    "closed at both ends": OLD + CLOSING,
    "closed when idle": IDLE,
}


def named(way: str) -> str:
    return way.replace(" ", "-").replace(",", "").replace("/", "-")


class Box(NamedTuple):
    """The middlebox, and a provider that is reached without it."""

    nginx: Middlebox
    other: ProviderServer


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """The middlebox, for all tests of this file, which together leave nothing behind."""
    ways = {named(name): directives for name, directives in WAYS.items()}
    started = middlebox(ways, tmp_path_factory.mktemp("nginx"))
    with assert_no_leaks(), started as nginx, ProviderServer(Answer(chunks=PIECES)) as other:
        yield Box(nginx, other)


def outcome(box: Box, way: str, protocol: str, trouble: Trouble, mode: Mode, door: str = "http", **adapter: Any) -> str:
    """Ask through the middlebox, and give in one line what came; what is behind it sees the requests that it should."""
    nginx, other = box
    script = [Answer(chunks=PIECES, faults=trouble.faults(HALF[protocol])), Answer(chunks=PIECES)]
    before, others = nginx.requests, len(other.requests)
    with ProviderServer(script) as provider, refused() as nowhere:
        url = provider.base_url(protocol)
        if trouble.behind == "nobody":
            url = url.replace(provider.url, nowhere)
        stream = asking(protocol, nginx.through(named(way), url, door), mode, timeouts=trouble.timeouts, **adapter)
        events = answered(stream, asking(protocol, other.base_url(protocol)), mode)
        requests = nginx.requests - before
        assert len(provider.requests) == (requests if trouble.behind == "provider" else 0)
        return line(events, requests, len(other.requests) - others)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", TABLE)
def test_a_middlebox_comes_to_what_the_table_says(box: Box, name: str, protocol: str, mode: Mode) -> None:
    """The outcome, the text, the requests and the restarts are those of the cell; the grammar holds."""
    row = TABLE[name]

    assert outcome(box, name, protocol, row.trouble, mode) == row.expected(mode)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", SHORT_TABLE)
def test_a_middlebox_by_itself(box: Box, name: str, protocol: str) -> None:
    """What comes of it, and whether it is asked again; what else a remedy does is the same as for its like in the table."""
    row = SHORT_TABLE[name]

    assert outcome(box, name, protocol, row.trouble, "retry") == row.retry


@pytest.mark.parametrize("mode", ["off", "restart"])
@pytest.mark.parametrize(("protocol", "after"), [(name, n) for name, kept in KEPT.items() for n in range(len(kept))])
def test_a_cut_that_looks_like_an_end(box: Box, protocol: str, after: int, mode: Mode) -> None:
    """Where no hop knows how long a body is, a cut behind any record is no success, and heals as any other."""
    row = cut_short(Trouble(faults=lambda _: (CutBehind(after, "close"),)), KEPT[protocol][after])

    assert outcome(box, "closed at both ends", protocol, row.trouble, mode) == row.expected(mode)


@cache
def trusting(nginx: Middlebox) -> AiohttpTransport:
    """What knows the middlebox's authority."""
    return AiohttpTransport(ssl=nginx.trust)


UNTRUSTED = stays(Trouble(behind="unasked provider"), "network_error '' x0")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_certificate_of_an_unknown_authority(box: Box, protocol: str, mode: Mode) -> None:
    """Nothing is sent, however often it is allowed to be."""
    assert outcome(box, "nothing", protocol, UNTRUSTED.trouble, mode, "https") == UNTRUSTED.expected(mode)


@pytest.mark.parametrize("door", ["another host", "expired"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_certificate_that_does_not_hold(box: Box, door: str, protocol: str) -> None:
    """Nothing is sent, although the authority is known: it is the same failure, for the same remedies."""
    transport = trusting(box.nginx)

    assert outcome(box, "nothing", protocol, UNTRUSTED.trouble, "retry", door, transport=transport) == UNTRUSTED.retry


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_certificate_of_a_known_authority(box: Box, protocol: str) -> None:
    """It is answered as without TLS."""
    transport = trusting(box.nginx)

    assert outcome(box, "nothing", protocol, Trouble(), "off", "https", transport=transport) == "stop 'Hello you' x1"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_tls_where_tls_is_spoken(box: Box, protocol: str) -> None:
    """The refusal is a page, with a status that nobody repeats."""
    trouble = Trouble(behind="unasked provider")

    assert outcome(box, "nothing", protocol, trouble, "retry", "https, unasked") == "invalid_request '' x1"


def test_what_our_client_asks_for_is_compressed(box: Box) -> None:
    """The rows of gzip are about answers that are compressed: it is what our client says it reads."""
    with ProviderServer(Answer(chunks=PIECES)) as provider:
        url = box.nginx.through("gzip", provider.base_url("openai-chat"))
        answered(asking("openai-chat", url), asking("openai-chat", url), "off")
        accepted = provider.requests[0].headers["accept-encoding"]
        address, _, path = url.removeprefix("http://").partition("/")
        connection = http.client.HTTPConnection(address, timeout=30)
        body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}'

        connection.request("POST", f"/{path}/chat/completions", body, {"Accept-Encoding": accepted, "Connection": "close"})
        answer = connection.getresponse()

        assert answer.getheader("Content-Encoding") == "gzip"
        assert answer.read(2) == b"\x1f\x8b"
        connection.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_that_was_closed_between_requests(box: Box, protocol: str) -> None:
    """The next request opens another one, and needs no retry for it."""
    transport, trouble = AiohttpTransport(), Trouble(IDLE)
    before = box.nginx.connections

    first = outcome(box, "closed when idle", protocol, trouble, "off", transport=transport)
    while box.nginx.connections > before:
        pass
    second = outcome(box, "closed when idle", protocol, trouble, "off", transport=transport)

    assert (first, second) == ("stop 'Hello you' x1", "stop 'Hello you' x1")
