"""Server-sent events: bytes in, records out.

Rules:

1. A read may end anywhere: inside a character, a line end, a byte order mark. The records do not depend on it.
2. Only the bytes LF, CR and CRLF end a line; U+2028 and its like are data. Data stays bytes, a JSON parser wants nothing else.
3. The rest is the [WHATWG event stream](https://html.spec.whatwg.org/multipage/server-sent-events.html), with three additions
   for what model servers do: an `error:` field and bare JSON lines are records too, and what is left at the end of the
   stream is a record although its blank line is missing.
4. What is held between two reads is never more than the limit, however slowly it grows; growing costs linear work.
5. The plain case (`data: ` lines, each followed by a blank one, under a repeated `event: ` line or none) stays in one loop over
   `bytes.split`. Everything else leaves that loop for a single line and comes back to it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_BOM = b"\xef\xbb\xbf"

# A server that makes up a name per event must not fill the memory with them.
_NAMES = 64
_NAME = 100

# Stands in `_data` for "the data is in `_text`", told apart by identity: hence a fresh object, not an interned literal.
_GATHERED = bytes(bytearray(b"gathered"))


class RecordTooLarge(Exception):  # noqa: N818 - named for what happened; whoever reads the stream makes it a `StreamError`
    """A record is longer than the decoder may hold."""

    limit: int
    """The most bytes a record may have."""
    size: int
    """The bytes of the record seen so far."""

    def __init__(self, limit: int, size: int) -> None:
        super().__init__(
            f"A record of the stream has {size} bytes so far, but at most {limit} are allowed: "
            "raise the limit if the provider means to send that much."
        )
        self.limit = limit
        self.size = size


@dataclass(slots=True)
class SseRecord:
    """One event of an event stream. Mutable only because freezing would cost four times as much per token."""

    data: bytes
    """The data lines joined with LF; empty when the server sent an empty data field."""
    event: str = ""
    """What the `event:` line said, `error` for the field of that name, `bare` for JSON lines outside any field, else empty."""
    cut: bool = field(default=False, compare=False)
    """True when the stream ended inside this record's last line: data that is not JSON was cut, not malformed."""


class SseDecoder:
    """Cuts the bytes of one response body into records; an instance serves one stream.

    Args:
        limit: The most bytes a record may have: its data and the line being read, in bytes. A longer one is a `RecordTooLarge`.
    """

    __slots__ = (
        "_after_cr",
        "_breach",
        "_careful",
        "_data",
        "_depth",
        "_event",
        "_head",
        "_limit",
        "_line",
        "_names",
        "_room",
        "_text",
    )

    def __init__(self, limit: int = 64 * 2**20) -> None:
        self._limit = limit
        self._room = limit  # bytes that may come before a breach is possible

        self._careful = True  # any of the next three
        self._head: bytes | None = b""  # what may become a byte order mark; None once decided
        self._after_cr = False  # a CR ended the last read: an LF now belongs to it
        self._breach: RecordTooLarge | None = None

        self._line = bytearray()  # the line not yet ended
        self._data: bytes | None = None  # of the record not yet ended; `_GATHERED` when it has more than one line
        self._event = ""
        self._text = bytearray()
        self._depth = 0  # brackets open in bare JSON; such text is in `_text`

        self._names: dict[bytes, str] = {}  # of `event:` lines; a stream repeats a dozen of them thousands of times

    def feed(self, chunk: bytes) -> Iterable[SseRecord]:
        """Take the next bytes and give the records they complete.

        Raises:
            RecordTooLarge: From iterating, after the records in front of the offending one; from then on, at once.
        """
        if self._careful or b"\r" in chunk or len(chunk) > self._room:
            return self._feed_carefully(chunk)
        return self._feed_lines(chunk)

    def finish(self) -> list[SseRecord]:
        """Give what the stream left unfinished: at most a bare record and one more.

        Raises:
            RecordTooLarge: When `feed` has met one.
        """
        if self._breach is not None:
            raise self._breach
        records: list[SseRecord] = []
        cut = bool(self._line or self._depth)
        if self._line:
            line = bytes(self._line)
            self._line = bytearray()
            self._read_line(line, records)
        self._end_bare(records)
        self._end_record(records)
        if cut and records:
            records[-1].cut = True
        return records

    def _feed_carefully(self, chunk: bytes) -> Iterable[SseRecord]:
        if self._breach is not None:
            raise self._breach
        chunk = self._unify(chunk)
        self._careful = self._after_cr or self._head is not None
        if len(chunk) <= self._room:
            return self._feed_lines(chunk)

        records: list[SseRecord] = []
        lines = chunk.split(b"\n")
        last = len(lines) - 1
        for index, line in enumerate(lines):
            if line and len(line) > self._room:
                self._breach = RecordTooLarge(self._limit, self._limit - self._room + len(line))
                self._careful = True
                self._line = self._text = bytearray()
                self._data = None
                return _then_raise(records, self._breach)
            records += self._feed_lines(line + b"\n" if index < last else line)
        return records

    def _unify(self, chunk: bytes) -> bytes:
        """Take off a byte order mark and make LF the only line end."""
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                self._head = chunk
                return b""
            self._head = None
            chunk = chunk.removeprefix(_BOM)
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            end = b"\n" if chunk.endswith((b"\n", b"\r")) else b""
            chunk = b"\n".join(chunk.splitlines()) + end  # of bytes, unlike of text, it knows CR, LF and CRLF only
        return chunk

    def _feed_lines(self, chunk: bytes) -> list[SseRecord]:
        records: list[SseRecord] = []
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if lines and self._line:
            lines[0] = b"".join((self._line, lines[0]))
            self._line = bytearray()
        self._line += rest

        data = self._data
        event = self._event
        names = self._names
        for line in lines:
            if line:
                if data is None and line[:6] == b"data: ":
                    data = line[6:]
                    continue
                if line in names:
                    event = names[line]
                    continue
            elif data is None:
                event = ""
                continue
            elif data is not _GATHERED:
                records.append(SseRecord(data, event))
                data = None
                event = ""
                continue
            self._data = data
            self._event = event
            self._read_line(line, records)
            data = self._data
            event = self._event
        self._data = data
        self._event = event

        self._room = self._limit - len(self._line) - len(event)
        if data is not None:
            self._room -= len(self._text if data is _GATHERED else data)
        return records

    def _read_line(self, line: bytes, records: list[SseRecord]) -> None:
        """Read any line, by the book."""
        if not line:
            if not self._depth:  # between lines of JSON, a blank one is only white space
                self._end_record(records)
            self._event = ""
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._end_bare(records)
                self._add_data(value)
            case b"event":
                self._event = value.decode(errors="replace")
                if len(self._names) < _NAMES and len(line) < _NAME:
                    self._names[line] = self._event
            case b"error" if value:
                self._end_bare(records)
                self._end_record(records)
                records.append(SseRecord(value, "error"))
            case b"" | b"id" | b"retry":
                return  # a comment, or a field for browsers that reconnect
            case _:
                self._read_bare(line, records)

    def _add_data(self, value: bytes) -> None:
        if self._data is None:
            self._data = value
            return
        if self._data is not _GATHERED:
            self._text += self._data
            self._data = _GATHERED
        self._text += b"\n"
        self._text += value

    def _read_bare(self, line: bytes, records: list[SseRecord]) -> None:
        """Gather JSON that came without a field name, until its brackets close; any other line is an unknown field."""
        if self._depth:
            self._text += b"\n"
        elif line.lstrip()[:1] in (b"{", b"["):
            self._end_record(records)
            self._data = _GATHERED
        else:
            return
        self._text += line
        depth = self._depth + _opened(line)
        self._depth = max(depth, 1)
        if depth <= 0:
            self._end_bare(records)

    def _end_bare(self, records: list[SseRecord]) -> None:
        if self._depth:
            self._depth = 0
            records.append(SseRecord(bytes(self._text), "bare"))
            self._text = bytearray()
            self._data = None

    def _end_record(self, records: list[SseRecord]) -> None:
        data = self._data
        if data is _GATHERED:
            data = bytes(self._text)
            self._text = bytearray()
        if data is not None:
            records.append(SseRecord(data, self._event))
        self._data = None
        self._event = ""


def _opened(line: bytes) -> int:
    """Count the brackets that a line of JSON opens and does not close, without those in its strings."""
    quotes = line.replace(b"\\\\", b"").replace(b'\\"', b"")  # only those that begin and end a string
    code = b"".join(quotes.split(b'"')[::2])
    return code.count(b"{") + code.count(b"[") - code.count(b"}") - code.count(b"]")


def _then_raise(records: list[SseRecord], error: RecordTooLarge) -> Iterator[SseRecord]:
    yield from records
    raise error
