"""Recorded answers of providers, and what must hold of every decoder that reads one; the same for all protocols.

The recordings are not part of the package. `ALLM_RX_FIXTURES` names their folder; without it there are no cases.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from allm_rx.abc.decoder import Decoder
from allm_rx.data.events import (
    CONTENT_EVENTS,
    Error,
    Event,
    MessageCompleted,
    MessageStarted,
    RawChunk,
    ToolCallCompleted,
    ToolCallStarted,
    dumps,
    loads,
)
from allm_rx.data.parts import SourcePart, TextPart
from allm_rx.data.responses import Response
from allm_rx.reducers.response import ResponseFold
from allm_rx.wire.http import ResponseHead
from allm_rx.wire.redaction import redact
from allm_rx.wire.sse import SseDecoder

CATEGORIES: dict[str, set[str]] = {
    "authentication_failed": {"authentication"},
    "permission_denied": {"permission"},
    "quota_exceeded": {"permission", "rate_limit"},
    "not_found": {"not_found"},
    "rate_limited": {"rate_limit"},
    "overloaded": {"overloaded"},
    "invalid_request": {"invalid_request"},
    "context_length_exceeded": {"context_length_exceeded"},
    "content_filter": {"content_filter"},
    "timeout": {"timeout"},
    "server_error": {"server_error"},
}
"""Our reasons in the recordings' words."""

USAGE = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cached_input_tokens",
    "cache_write_tokens": "cache_write_input_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "total_tokens": "total_tokens",
}
"""The recordings' names of usage, and ours."""

REPORTS = {"anthropic": 2}
"""How often an answer reports usage, where that is more than once: at its start, and at its end."""

MakeDecoder = Callable[[ResponseHead], Decoder]


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded answer."""

    protocol: str
    name: str
    form: str
    """`sse`, `json` (an answer that came whole) or `error` (a refusal)."""
    head: ResponseHead
    body: bytes
    expect: dict[str, Any]
    request: dict[str, Any] | None
    """The body of the request, where it was kept."""

    def __str__(self) -> str:
        return f"{self.protocol}/{self.name}"


def load_cases(*protocols: str) -> list[Case]:
    """Give the cases of some protocols; none when there are no recordings."""
    root = os.environ.get("ALLM_RX_FIXTURES")
    return [case for protocol in protocols for case in _folder(Path(root) / protocol)] if root else []


def _folder(folder: Path) -> Iterator[Case]:
    for case in json.loads((folder / "index.json").read_text("utf-8"))["cases"]:
        request = case.get("request")
        yield Case(
            protocol=folder.name,
            name=case["name"],
            form=case["form"],
            head=ResponseHead(case["http"]["status"], case["http"]["headers"]),
            body=(folder / case["file"]).read_bytes(),
            expect=case["expect"],
            request=json.loads((folder / request).read_text("utf-8")) if request else None,
        )


# Reading.


def decode(case: Case, make: MakeDecoder, pieces: Iterable[bytes] | None = None) -> list[Event]:
    """Give the events of an answer whose body comes in pieces, by default in one."""
    decoder = make(case.head)
    pieces = (case.body,) if pieces is None else pieces
    if case.form == "error":
        return list(decoder.refuse(case.head, b"".join(pieces)))
    if case.form == "json":
        return list(decoder.whole(b"".join(pieces)))
    sse = SseDecoder()
    events: list[Event] = []
    for piece in pieces:
        for record in sse.feed(piece):
            events += decoder.feed(record)
    for record in sse.finish():
        events += decoder.feed(record)
    return [*events, *decoder.finish()]


def fold(events: Iterable[Event]) -> Response:
    """Give what events add up to."""
    state = ResponseFold()
    for event in events:
        state.apply(event)
    return state.response()


def bytewise(body: bytes) -> Iterator[bytes]:
    """Give a body byte by byte."""
    return (body[at : at + 1] for at in range(len(body)))


def record_ends(body: bytes) -> list[int]:
    """Give the places where records of a stream end, but for the last."""
    return [found.end() for found in re.finditer(rb"\r\n\r\n|\n\n|\r\r", body)][:-1]


def reframings(body: bytes) -> dict[str, bytes]:
    """Give the same stream in other frames; none of them changes what it says."""
    lines = body.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    noise = b': note\nid: 7\nretry: 10\nunknown: x\n\nevent: ping\ndata: {"type": "ping"}\n\n'
    return {
        "lf": lines,
        "crlf": lines.replace(b"\n", b"\r\n"),
        "cr": lines.replace(b"\n", b"\r"),
        "no-space": re.sub(rb"(?m)^(\w+): ", rb"\1:", lines),
        "bom": b"\xef\xbb\xbf" + lines,
        "noise": noise + lines.replace(b"\n\n", b"\n\n" + noise),
        "no-done": re.sub(rb"(?m)^data: ?\[DONE\]\n*", b"", lines),
        "no-final-blank-line": lines.rstrip(b"\n"),
    }


# Facts.


def check(case: Case, events: Sequence[Event]) -> None:
    """Hold events and what they add up to against every fact of a case."""
    check_grammar(events, reports=REPORTS.get(case.protocol, 1))
    response, expect = fold(events), case.expect
    assert response.finish_reason in expect["finish_reason_accept"]
    if expect.get("error"):
        check_error(response, expect["error"])
    elif expect.get("incomplete"):
        assert response.error is not None
        assert response.error.reason == "stream_interrupted"
    elif response.error is not None and "error" in expect["finish_reason_accept"]:  # its finish reason is the error
        assert response.error.code == expect["raw_finish_reason"]
    else:
        assert response.error is None
        assert response.raw_finish_reason == expect["raw_finish_reason"]
    if case.form != "error":
        check_content(response, expect)
        check_usage(response, expect)


def check_content(response: Response, expect: dict[str, Any]) -> None:
    """Hold what was said against the facts."""
    assert text_of(response) == expect["text"]
    assert response.reasoning == expect["reasoning"]
    assert refusal_of(response) == expect["refusal"]
    assert calls_of(response) == [(call["name"], call["arguments"] or {}) for call in expect["tool_calls"]]
    for call, told in zip(response.tool_calls, expect["tool_calls"], strict=True):
        assert call.id
        assert (call.error is None) == told["arguments_valid"]
        assert told["id"] in (None, call.id)
        assert told.get("arguments_text") in (None, call.raw_arguments)
    assert unique(cited(source) for source in response.sources) == expect["citations"]
    assert expect.get("model") in (None, response.model)
    assert expect.get("response_id") in (None, response.id)
    hashes = {hashlib.sha256(text.encode()).hexdigest() for text in kept_texts(response.message.model_dump())}
    for value in expect["opaque"]:
        assert {value["sha256"], value.get("sha256_also")} & hashes


def check_usage(response: Response, expect: dict[str, Any]) -> None:
    """Hold what was consumed against the facts."""
    told: dict[str, Any] = expect["usage"] or {}
    accepted: dict[str, list[int]] = expect.get("usage_accept", {})
    for theirs, ours in USAGE.items():
        assert getattr(response.usage, ours) in (told.get(theirs), *accepted.get(theirs, ())), ours


def check_error(response: Response, told: dict[str, Any]) -> None:
    """Hold a failure against the facts."""
    failure = response.error
    assert failure is not None
    assert CATEGORIES[failure.reason] & set(told["category_accept"])
    assert failure.status == told["status"]
    assert plain(redact(told["message"] or "")) in plain(failure.message)
    assert told["code"] is None or failure.code == str(told["code"])
    assert told.get("request_id") in (None, failure.provider_request_id)
    assert told.get("retry_after_s") in (None, failure.retry_after)


def check_prefix(case: Case, events: Sequence[Event], whole: Response) -> None:
    """Hold the events of a body that was cut against the whole: less of the same, and never a success too early."""
    check_grammar(events, reports=REPORTS.get(case.protocol, 1))
    response = fold(events)
    assert whole.output_text.startswith(response.output_text)
    assert whole.reasoning.startswith(response.reasoning)
    assert len(response.tool_calls) <= len(whole.tool_calls)
    if response.error is None:
        assert response.finish_reason in case.expect["finish_reason_accept"]
        assert response.output_text == whole.output_text
        assert calls_of(response) == calls_of(whole)
    elif whole.error is None:
        assert response.error.reason == "stream_interrupted"


def check_grammar(events: Sequence[Event], *, reports: int = 1) -> None:
    """Hold events against the grammar of one attempt, with at most so many reports of usage, and against their own JSON."""
    kinds = [type(event) for event in events]
    assert kinds.count(MessageStarted) <= 1
    assert [kind for kind in kinds if kind in (MessageCompleted, Error)] == kinds[-1:]
    if any(kind in CONTENT_EVENTS for kind in kinds):
        assert kinds[0] is MessageStarted
    assert sum(isinstance(event, RawChunk) and event.kind == "usage" for event in events) <= reports
    started = [event.id for event in events if isinstance(event, ToolCallStarted)]
    completed = [event.id for event in events if isinstance(event, ToolCallCompleted)]
    assert len(set(started)) == len(started)
    assert set(completed) <= set(started)
    assert [loads(dumps(event)) for event in events] == list(events)


def text_of(response: Response) -> str:
    """Give the text without refusals."""
    return "".join(part.text for part in _texts(response) if not _is_refusal(part))


def refusal_of(response: Response) -> str:
    """Give the text of refusals."""
    return "".join(part.text for part in _texts(response) if _is_refusal(part))


def _texts(response: Response) -> list[TextPart]:
    return [part for part in response.message.content if isinstance(part, TextPart)]


def _is_refusal(part: TextPart) -> bool:
    return any(isinstance(kept, dict) and kept.get("refusal") for kept in part.provider_data.values())


def calls_of(response: Response) -> list[tuple[str, dict[str, Any]]]:
    """Give the calls without their ids, which may be made up."""
    return [(call.name, dict(call.arguments)) for call in response.tool_calls]


def kept_texts(value: Any) -> Iterator[str]:
    """Give every text in JSON data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in cast("list[Any]", value):
            yield from kept_texts(item)
    elif isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            yield from kept_texts(item)


def cited(source: SourcePart) -> str | None:
    """Give what the recordings name a source by; a document whose place among others is all that is known, by its words."""
    document = source.document_id
    return source.url or (source.quote if document is None or document.isdecimal() else document) or source.title


def unique(values: Iterable[Any]) -> list[Any]:
    """Give values in order, each once."""
    return list(dict.fromkeys(values))


def plain(text: str) -> str:
    """Give a text with single spaces."""
    return " ".join(text.split())
