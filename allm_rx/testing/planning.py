"""An answer and a request become a plan of what is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from allm_rx.testing.answers import Answer, AnyAnswer, ErrorAnswer, Recording, to_json
from allm_rx.testing.faults import Frame, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allm_rx.testing.protocols import ProviderProtocol, Received

_EVENT_STREAM = "text/event-stream; charset=utf-8"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class _Bound:
    """A protocol, for the one answer to one request; see `faults.Spelling`."""

    protocol: ProviderProtocol
    request: Received
    answer: AnyAnswer

    def text_record(self, text: str, /) -> bytes:
        return self.protocol.text_record(text, self.request)

    def error_record(self, message: str, /) -> bytes:
        return self.protocol.error_record(message)

    def error_body(self, status: int, message: str, /) -> bytes:
        return self.protocol.error_body(status, message)

    def whole(self) -> bytes | None:
        return self.protocol.whole(self.answer, self.request) if isinstance(self.answer, Answer) else None


def planned(answer: AnyAnswer, protocol: ProviderProtocol, request: Received) -> Plan:
    """Plan an answer to a request, as if nothing went wrong."""
    plan = Plan(
        status=200,
        headers={"content-type": _EVENT_STREAM, "cache-control": "no-cache", **protocol.headers(request)},
        frames=(),
        spelling=_Bound(protocol, request, answer),
    )
    match answer:
        case Answer() if protocol.streams(request):
            return replace(plan, frames=protocol.frames(answer, request), frames_per_write=answer.frames_per_write)
        case Answer():
            return plan.with_body(protocol.whole(answer, request), content_type=_JSON)
        case Recording():
            frames = [Frame(record, pause=answer.pace) for record in answer.records()]
            if frames:
                frames[0].pause, frames[-1].kind = 0.0, "end"
            plan = plan.with_headers({"content-type": _type_of(answer.body), **answer.headers})
            return replace(plan, status=answer.status, frames=frames, frames_per_write=answer.frames_per_write)
        case ErrorAnswer(status, body):
            raw = protocol.error_body(status, None) if body is None else _written(body)
            return plan.with_body(raw, content_type=_type_of(raw), status=status).with_headers(answer.headers)


def refusal(protocol: ProviderProtocol, request: Received, status: int, message: str) -> Plan:
    """Plan the protocol's error, with words of our own."""
    return planned(ErrorAnswer(status, protocol.error_body(status, message)), protocol, request)


def _type_of(body: bytes) -> str:
    start = body.lstrip()[:1]
    return _JSON if start in (b"{", b"[") else "text/html" if start == b"<" else _EVENT_STREAM


def _written(body: Mapping[str, Any] | bytes | str) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else to_json(body)
