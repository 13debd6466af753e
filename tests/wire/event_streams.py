"""What holds of the records of any bytes at all, each property once."""

import re
from collections.abc import Iterable

from allm_rx.wire.sse import RecordTooLarge, SseDecoder, SseRecord

Pair = tuple[str, bytes]
"""The event and the data of a record."""


def by_the_book(wire: bytes) -> list[Pair]:
    """The standard's own algorithm, on a whole stream; of its events, those that a blank line ended."""
    records: list[Pair] = []
    data = b""
    event = ""
    for line in re.split(rb"\r\n|\r|\n", wire.removeprefix(b"\xef\xbb\xbf"))[:-1]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            if data:
                records.append((event, data[:-1]))
            data, event = b"", ""
        elif field == b"data":
            data += value + b"\n"
        elif field == b"event":
            event = value.decode(errors="replace")
    return records


def outcome(reads: Iterable[bytes], limit: int) -> tuple[list[SseRecord], bool]:
    """The records of a stream, and whether one was too large."""
    decoder = SseDecoder(limit)
    records: list[SseRecord] = []
    try:
        for read in reads:
            records.extend(decoder.feed(read))
        records.extend(decoder.finish())
    except RecordTooLarge:
        return records, True
    return records, False


def reads_do_not_matter(wire: bytes, reads: Iterable[bytes], limit: int) -> None:
    """Records and verdict depend on the bytes alone."""
    assert outcome(reads, limit) == outcome([wire], limit)


def standard_is_obeyed(reads: Iterable[bytes]) -> None:
    """Without what model servers add, the fast way gives what the standard's algorithm gives."""
    decoder, wire = SseDecoder(), bytearray()
    records: list[SseRecord] = []
    for read in reads:
        records += decoder.feed(read)
        wire += read

    assert [(record.event, record.data) for record in records] == by_the_book(bytes(wire))
