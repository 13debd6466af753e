import re
import sys
import tracemalloc
from collections.abc import Callable, Iterable
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allm_rx.wire.sse import RecordTooLarge, SseDecoder, SseRecord
from tests.wire.event_streams import Pair, by_the_book, reads_do_not_matter, standard_is_obeyed

RECORDINGS: dict[str, tuple[bytes, list[Pair]]] = {
    "openai": (
        b": OPENROUTER PROCESSING\n\n"
        b": OPENROUTER PROCESSING\n\n"
        b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
        b'data: {"choices":[{"delta":{"content":"\xf0\x9f\x98\x80 \xe2\x80\xa8"}}]}\n\n'
        b"data: [DONE]\n\n",
        [
            ("", b'{"choices":[{"delta":{"content":"Hi"}}]}'),
            ("", '{"choices":[{"delta":{"content":"😀 \u2028"}}]}'.encode()),
            ("", b"[DONE]"),
        ],
    ),
    "anthropic": (
        b'event: message_start\ndata: {"type":"message_start"}\n\n'
        b'event: ping\ndata: {"type": "ping"}\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta"}    \n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta"}\n\n'
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
        [
            ("message_start", b'{"type":"message_start"}'),
            ("ping", b'{"type": "ping"}'),
            ("content_block_delta", b'{"type":"content_block_delta"}    '),
            ("content_block_delta", b'{"type":"content_block_delta"}'),
            ("message_stop", b'{"type":"message_stop"}'),
        ],
    ),
    "gemini that runs out of quota": (
        b'data: {"candidates": [1]}\r\n\r\ndata: {"candidates": [2]}\r\n\r\n'
        b'{\n  "error": {\n    "code": 429,\n\n    "message": "} \\"{"\n  }\n}\n',
        [
            ("", b'{"candidates": [1]}'),
            ("", b'{"candidates": [2]}'),
            ("bare", b'{\n  "error": {\n    "code": 429,\n    "message": "} \\"{"\n  }\n}'),
        ],
    ),
    "llama.cpp that fails": (
        b'data: {"n":1}\n\nerror: {"message":"failed to decode"}\n\n',
        [("", b'{"n":1}'), ("error", b'{"message":"failed to decode"}')],
    ),
    "a proxy with every line end, a mark and no last blank line": (
        b"\xef\xbb\xbfdata:one\rid: 7\rdata: two\r\r"
        b"retry:10\r\n: quiet\r\nevent:late\r\ndata:three\r\n\r\n"
        b"\n\n\r\revent: last\ndata\ndata: four",
        [("", b"one\ntwo"), ("late", b"three"), ("last", b"\nfour")],
    ),
}

VECTORS: dict[str, tuple[bytes, list[Pair]]] = {
    "one line": (b"data: a\n\n", [("", b"a")]),
    "the standard's first example": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("", b"YHOO\n+2\n10")]),
    "the standard's second example": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [("", b"first event"), ("", b"second event"), ("", b" third event")],
    ),
    "the standard's third example": (b"data\n\ndata\ndata\n\n", [("", b""), ("", b"\n")]),
    "the standard's fourth example": (b"data:test\n\ndata: test\n\n", [("", b"test"), ("", b"test")]),
    "lines join with LF": (b"data:a\ndata: b\ndata:c\n\n", [("", b"a\nb\nc")]),
    "one space goes, the next stays": (b"data:  a\n\n", [("", b" a")]),
    "a tab is no space": (b"data:\ta\rdata: \ndata:b\n\n", [("", b"\ta\n\nb")]),
    "trailing space stays": (b"data: a \n\n", [("", b"a ")]),
    "a colon in the data": (b"data: a: b:\n\n", [("", b"a: b:")]),
    "empty data": (b"data:\n\ndata: \n\n", [("", b""), ("", b"")]),
    "no colon": (b"data\n\ndata\ndata\n\ndata:test\n\n", [("", b""), ("", b"\n"), ("", b"test")]),
    "LF": (b"data:a\ndata:b\n\n", [("", b"a\nb")]),
    "CR": (b"data:a\rdata:b\r\rdata:c\r\r", [("", b"a\nb"), ("", b"c")]),
    "CRLF": (b"data:a\r\ndata:b\r\n\r\ndata:c\r\n\r\n", [("", b"a\nb"), ("", b"c")]),
    "line ends mixed": (b"data:a\r\ndata\ndata:b\r\n\rdata:c\n\r\n", [("", b"a\n\nb"), ("", b"c")]),
    "other separators are data": (
        b"data:a\x0bb\x0cc\x1cd\xc2\x85e\xe2\x80\xa9f\n\n",
        [("", "a\vb\fc\x1cd\x85e\u2029f".encode())],
    ),
    "NUL is data": (b"data:\0\n\n", [("", b"\0")]),
    "bytes that are no UTF-8": (b"data: \xff\xfe\n\n", [("", b"\xff\xfe")]),
    "comments": (b"data:1\r:\0\n:\r\ndata:2\n:data:no\rdata:3\n: \n\n", [("", b"1\n2\n3")]),
    "comments are no records": (b":\n\n: ping\n\n:\n\n", []),
    "case matters": (b"Data:a\nDATA:b\n\ndata:c\n\n", [("", b"c")]),
    "white space before a field": (b" data:a\n\n\tdata:b\n\ndata:c\n\n", [("", b"c")]),
    "unknown fields": (
        b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:yay\ndata:test\n\n",
        [("", b"test\n\ntest")],
    ),
    "fields that are nearly data": (b"data:1\nda-ta:2\ndata_3\ndata\0:4\n\0data:5\ndata:6\n\n", [("", b"1\n6")]),
    "a space before the colon": (b"data : a\n\ndata:b\n\n", [("", b"b")]),
    "a field name that is no UTF-8": (b"d\xffta:a\n\ndata:b\n\n", [("", b"b")]),
    "a line of white space is not blank": (b"data:a\n \n\t\ndata:b\n\n", [("", b"a\nb")]),
    "id and retry": (b"id: 1\nretry: 10\ndata: a\nid\n\nid: 2\n\n", [("", b"a")]),
    "id with NUL": (b"id: 1\0\ndata: a\nid:\0\n\n", [("", b"a")]),
    "retry that is no number": (b"retry: 1x\nretry: -1\nretry: 1.5\nretry\ndata: a\nretry:\n\n", [("", b"a")]),
    "event": (b"event: x\ndata: a\n\n", [("x", b"a")]),
    "event after data": (b"data: a\nevent:x\n\n", [("x", b"a")]),
    "the last event counts": (b"event: x\nevent: y\ndata: a\n\n", [("y", b"a")]),
    "event without a name": (b"event: x\nevent\ndata: a\n\n", [("", b"a")]),
    "event with white space": (b"event:  x \ndata: a\n\n", [(" x ", b"a")]),
    "event with a colon and NUL": (b"event: x:y\0\ndata: a\n\n", [("x:y\0", b"a")]),
    "event with empty data": (b"event: x\ndata\n\n", [("x", b"")]),
    "event is for one record": (b"event: x\ndata: a\n\ndata: b\n\n", [("x", b"a"), ("", b"b")]),
    "event without data": (b"event: x\n\ndata: a\n\nevent: x\n\ndata: b\n\n", [("", b"a"), ("", b"b")]),
    "event of several lines": (b"event: x\ndata: a\ndata: b\n\nevent: x\ndata: c\n\n", [("x", b"a\nb"), ("x", b"c")]),
    "event that is no UTF-8": (b"event: \xffx\ndata: a\n\n", [("\ufffdx", b"a")]),
    "a mark at the start": (b"\xef\xbb\xbfdata:1\n\n\xef\xbb\xbfdata:2\n\ndata:3\n\n", [("", b"1"), ("", b"3")]),
    "a second mark": (b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\n", [("", b"2")]),
    "half a mark": (b"\xef\xbbdata:1\n\ndata:2\n\n", [("", b"2")]),
    "a mark alone": (b"\xef\xbb\xbf", []),
    "blank lines": (b"\n\n\r\r\n\n", []),
    "nothing": (b"", []),
}

ADDITIONS: dict[str, tuple[bytes, list[Pair]]] = {
    "what the standard would discard": (b"data\n\ndata\ndata\n\ndata:", [("", b""), ("", b"\n"), ("", b"")]),
    "no blank line at the end": (b"data: a\n\ndata: b\n", [("", b"a"), ("", b"b")]),
    "no line end at the end": (b"event: x\ndata: a\ndata: b", [("x", b"a\nb")]),
    "an event name is no record": (b"data: a\n\nevent: x\n", [("", b"a")]),
    "an error field": (b"error: {}\n\n", [("error", b"{}")]),
    "an error field is a record at once": (b"data: a\nerror: b\ndata: c\n\n", [("", b"a"), ("error", b"b"), ("", b"c")]),
    "an error field has its own event": (b"event: x\nerror:a\n\ndata: b\n\n", [("error", b"a"), ("", b"b")]),
    "an error field without a value": (b"error\nerror:\ndata: a\n\n", [("", b"a")]),
    "a JSON line": (b'{"a":[1]}\n', [("bare", b'{"a":[1]}')]),
    "a JSON body": (b'[{"a": "]"},\r\n {"b": 1}\r\n]', [("bare", b'[{"a": "]"},\n {"b": 1}\n]')]),
    "JSON after white space": (b"\n\n  {\n}\n", [("bare", b"  {\n}")]),
    "JSON in an open record": (b"event: x\ndata: a\n{}\ndata: b\n\n", [("x", b"a"), ("bare", b"{}"), ("", b"b")]),
    "JSON cut by a field": (b'{"a":\n: ping\nevent: x\ndata: b\n\n', [("bare", b'{"a":'), ("x", b"b")]),
    "JSON cut by an error": (b'{"a":\nerror: b\n\n', [("bare", b'{"a":'), ("error", b"b")]),
    "JSON with a string cut by a line end": (b'{"a": "}\n}\n', [("bare", b'{"a": "}\n}')]),
    "JSON with escapes": (b'{"\\\\": "\\\\\\"}{",\n"a": {\n}}\n', [("bare", b'{"\\\\": "\\\\\\"}{",\n"a": {\n}}')]),
    "brackets that close too much": (b"{}}\n{}\n", [("bare", b"{}}"), ("bare", b"{}")]),
    "a page is no record": (b"<html>\n<p>502 Bad Gateway {}</p>\n</html>\n", []),
}


def decode(chunks: Iterable[bytes], limit: int = 2**20) -> list[Pair]:
    decoder = SseDecoder(limit)
    records = [record for chunk in chunks for record in decoder.feed(chunk)]
    return [(record.event, record.data) for record in [*records, *decoder.finish()]]


def single_bytes(wire: bytes) -> list[bytes]:
    return [wire[at : at + 1] for at in range(len(wire))]


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_gives_its_records(name: str) -> None:
    """What providers send is read as meant."""
    wire, expected = RECORDINGS[name]

    assert decode([wire]) == expected


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_may_be_cut_at_every_byte(name: str) -> None:
    """The border of two reads means nothing."""
    wire, expected = RECORDINGS[name]

    assert [cut for cut in range(len(wire) + 1) if decode([wire[:cut], wire[cut:]]) != expected] == []


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_may_come_byte_by_byte(name: str) -> None:
    """The smallest reads give the same records, with empty reads in between as well."""
    wire, expected = RECORDINGS[name]

    assert decode(single_bytes(wire)) == expected
    assert decode([piece for byte in single_bytes(wire) for piece in (b"", byte)]) == expected


@pytest.mark.parametrize("name", ["openai", "anthropic", "llama.cpp that fails"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\n", b"\r\n"),
        (b"\n", b"\r"),
        (b": ", b":"),
        (b"\n\n", b"\n\n\n\n"),
        (b"data: ", b": ping\ndata: "),
        (b"data: ", b"id: 1\nretry: 2\nx: 3\ndata: "),
        (b"event: ", b":\n\nevent: "),
        (re.compile(rb"\A"), b"\xef\xbb\xbf"),
        (re.compile(rb"\n+\Z"), b"\n"),
        (re.compile(rb"\n+\Z"), b""),
    ],
)
def test_framing_does_not_matter(name: str, old: bytes | re.Pattern[bytes], new: bytes) -> None:
    """Line ends, spaces, marks, comments, ids and a missing end change no record."""
    wire, expected = RECORDINGS[name]
    wire = wire.replace(old, new) if isinstance(old, bytes) else old.sub(new, wire)
    squeezed = [(event, data.replace(b": ", b":") if new == b":" else data) for event, data in expected]

    assert decode([wire]) == squeezed
    assert decode(single_bytes(wire)) == squeezed


@pytest.mark.parametrize("name", VECTORS)
def test_the_standard_is_obeyed(name: str) -> None:
    """The event stream of the WHATWG, whole and byte by byte."""
    wire, expected = VECTORS[name]

    assert decode([wire]) == expected
    assert decode(single_bytes(wire)) == expected


@pytest.mark.parametrize("name", VECTORS)
def test_the_table_is_what_the_standards_algorithm_gives(name: str) -> None:
    """The expectations above, and the algorithm that whole streams are compared with, say the same."""
    wire, expected = VECTORS[name]

    assert by_the_book(wire) == expected


@pytest.mark.parametrize("name", ADDITIONS)
def test_what_model_servers_add_is_read(name: str) -> None:
    """Beyond the standard: streams without an end, error fields, bare JSON."""
    wire, expected = ADDITIONS[name]

    assert decode([wire]) == expected
    assert decode(single_bytes(wire)) == expected


def test_a_record_comes_with_its_blank_line() -> None:
    """No record waits for the next one, also when CR ends the line."""
    decoder = SseDecoder()

    assert [list(decoder.feed(read)) for read in (b"data: a\n", b"\n", b"data: b\r", b"\r", b"\n", b"error: c\n")] == [
        [],
        [SseRecord(b"a")],
        [],
        [SseRecord(b"b")],
        [],
        [SseRecord(b"c", "error")],
    ]


@pytest.mark.parametrize(
    ("wire", "cut"),
    [
        (b"data: a\n\n", []),
        (b"data: a\n", [False]),
        (b"data: a", [True]),
        (b"data: a\ndat", [True]),
        (b"data: a\n\ndata: b", [True]),
        (b"error: {", [True]),
        (b'{"a"\ndata: b', [False, True]),
        (b'{"a":\n', [True]),
        (b'{"a":1}', [True]),
        (b"event: x", []),
    ],
)
def test_a_record_knows_that_it_was_cut(wire: bytes, cut: list[bool]) -> None:
    """Data that may lack its end is marked, so that it is not called malformed."""
    decoder = SseDecoder()
    list(decoder.feed(wire[:-1]))
    list(decoder.feed(wire[-1:]))

    assert [record.cut for record in decoder.finish()] == cut


def test_a_cut_leaves_the_same_record() -> None:
    """The mark is not part of what the record says."""
    assert SseRecord(b"a", "x", cut=True) == SseRecord(b"a", "x")


@pytest.mark.parametrize(
    ("wire", "size"),
    [
        (b"data: 67890" + b"\n\n", 11),
        (b"12345678901" + b"\n\n", 11),
        (b":2345678901", 11),
        (b"data: 78\ndata: 456\n\n", 2 + 9),
        (b"event: 1234\n\n", 11),
        (b"event: 123\ndata:678\n\n", 3 + 8),
        (b"data: 78\ndata\ndata\ndata\ndata\ndata\ndata\n", 7 + 4),
        (b'{"a":\n"bcde"\n}', 5 + 6),
    ],
)
def test_a_record_beyond_the_limit_is_refused(wire: bytes, size: int) -> None:
    """The data of the record, its event and the line being read count; whole or byte by byte, the verdict is the same."""
    with pytest.raises(RecordTooLarge) as whole:
        decode([wire], limit=10)
    with pytest.raises(RecordTooLarge) as slow:
        decode(single_bytes(wire), limit=10)

    assert (whole.value.limit, whole.value.size) == (10, size)
    assert (slow.value.limit, slow.value.size) == (10, 11)


def test_a_refusal_says_what_to_do() -> None:
    """The message names both numbers and the way out."""
    with pytest.raises(RecordTooLarge, match="has 11 bytes so far, but at most 10 are allowed: raise the limit"):
        decode([b"data: 67890"], limit=10)


def test_many_records_together_may_exceed_the_limit() -> None:
    """Only one record counts, however much comes in one read, and comments count only while they are read."""
    wire = b": ping\n" * 5 + b"data: 7890\n\n" * 5 + b": ping\n" * 5

    assert decode([wire], limit=10) == [("", b"7890")] * 5


def test_records_before_the_one_too_large_arrive() -> None:
    """What was whole is given before the error, and nothing after it."""
    decoder = SseDecoder(10)
    records: list[SseRecord] = []

    with pytest.raises(RecordTooLarge):
        records.extend(decoder.feed(b"data: 1\n\ndata: 2\n\ndata: 67890\n\ndata: 3\n\n"))
    assert records == [SseRecord(b"1"), SseRecord(b"2")]
    with pytest.raises(RecordTooLarge):
        decoder.feed(b"data: 4\n\n")
    with pytest.raises(RecordTooLarge):
        decoder.finish()


def scanned(run: Callable[[], object]) -> int:
    """Bytes that a method was called on while running, plus one per call."""
    total = 0

    def note(frame: FrameType, event: str, called: object) -> None:
        nonlocal total
        receiver = getattr(called, "__self__", None)
        if event == "c_call" and isinstance(receiver, bytes | bytearray):
            total += len(receiver)
        total += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return total


def allocated(decoder: SseDecoder, reads: Iterable[bytes]) -> int:
    """Bytes that were newly taken from memory, summed over the reads."""
    total = 0
    for read in reads:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        list(decoder.feed(read))
        total += tracemalloc.get_traced_memory()[1] - before
    return total


LONG_LINE = b"data: " + b"x" * 600_000 + b"\n\n"
LONG_RECORD = b"data: x\n" * 60_000 + b"\n"
LONG_JSON = b"{\n" + b'"a": [1],\n' * 60_000 + b"}\n"


@pytest.mark.parametrize("wire", [LONG_LINE, LONG_RECORD, LONG_JSON])
@pytest.mark.parametrize("size", [100, 6_000])
def test_growing_costs_linear_work(wire: bytes, size: int) -> None:
    """A record that grows by small reads is neither searched again nor copied again; quadratic would be 50 to 3000 times."""
    reads = [wire[at : at + size] for at in range(0, len(wire), size)]
    searcher = SseDecoder()
    grower = SseDecoder()

    assert scanned(lambda: [list(searcher.feed(read)) for read in reads]) < 12 * len(wire)
    tracemalloc.start()
    try:
        assert allocated(grower, reads) < 12 * len(wire) + 2_000 * len(reads)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("piece", [b"x", b"xx", b":" * 500, b"data: x\n", b"data:\n", b"event: x\ndata: xy\n", b"[\n"])
def test_memory_is_bounded_by_the_limit(piece: bytes) -> None:
    """What is held between two reads is the limit and an eighth, in whatever pieces it came."""
    decoder = SseDecoder(50_000)
    held: list[int] = []

    def fill() -> None:
        before, _ = tracemalloc.get_traced_memory()
        held.append(0)
        for _ in range(60_000):
            list(decoder.feed(piece))
            held[0] = max(held[0], tracemalloc.get_traced_memory()[0] - before)

    tracemalloc.start()
    try:
        with pytest.raises(RecordTooLarge):
            fill()
    finally:
        tracemalloc.stop()

    assert 40_000 < held[0] < 1.15 * 50_000 + 5_000


def test_nothing_is_kept_of_a_record_too_large() -> None:
    """Once refused, the record's memory is free, though its stream may stay open."""
    decoder = SseDecoder(200_000)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        list(decoder.feed(b"data: " + b"x" * 100_000 + b"\n"))
        with pytest.raises(RecordTooLarge):
            list(decoder.feed(b": " + b"x" * 150_000))
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert held < 20_000


def test_made_up_event_names_do_not_fill_the_memory() -> None:
    """Names are remembered for speed, and only so many of them."""
    tracemalloc.start()
    try:
        decoder = SseDecoder()
        before, _ = tracemalloc.get_traced_memory()
        for number in range(5_000):
            list(decoder.feed(b"event: %d\ndata: x\n\n" % number))
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert held < 30_000


PIECES = st.sampled_from(
    [
        *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b":", b" ", b"\xef\xbb\xbf", b"\xef", b"\xbb", b"\0"),
        *(b"data", b"data:", b"data: ", b"data: a\n\n", b"event: x\n", b"event", b"id: 1", b"retry:", b"x", "é😀\u2028".encode()),
    ]
)
MORE_PIECES = st.one_of(PIECES, st.sampled_from([b"error: ", b"error", b"{", b"}", b"[", b"]", b'"', b"\\", b'{"a":\n1}\n']))


def cut(wire: bytes, cuts: Iterable[int]) -> list[bytes]:
    edges = sorted({0, len(wire), *(at % (len(wire) + 1) for at in cuts)})
    return [wire[start:end] for start, end in pairwise(edges)]


@given(st.lists(MORE_PIECES, max_size=60).map(b"".join), st.lists(st.integers(0, 300)), st.sampled_from([5, 12, 30, 1000]))
@example(b"data: a\n\ndata: b\r\n\r\n{", [3, 9, 17], 5)
@example(b'{"a":\n"bcd"\n\n', [9], 10)
def test_any_bytes_in_any_reads_give_the_same(wire: bytes, cuts: list[int], limit: int) -> None:
    """Records and verdict depend on the bytes alone."""
    reads_do_not_matter(wire, cut(wire, cuts), limit)
    reads_do_not_matter(wire, single_bytes(wire), limit)


@given(st.lists(PIECES, max_size=60).map(b"".join), st.lists(st.integers(0, 300)))
def test_the_standard_is_obeyed_by_any_stream(wire: bytes, cuts: list[int]) -> None:
    """The fast way gives what the standard's algorithm gives."""
    standard_is_obeyed(cut(wire, cuts))
