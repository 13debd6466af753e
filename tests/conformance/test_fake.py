"""The scripted adapter passes what fits an adapter without a wire."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from allm_rx.adapters.fake import Fake, Script, delay, error, finish, reasoning
from allm_rx.data.events import RawChunk
from allm_rx.testing.answers import Answer, AnyAnswer
from allm_rx.testing.conformance import AnswerConformance, LeavingConformance, Provider
from allm_rx.testing.faults import DelayBody, DelayHead, Fault, Flood
from tests.loopback import PATIENCE

FOREVER = delay(3600)


class Watched(Fake):
    """A Fake that can be waited for."""

    def __init__(self, scripts: list[Script], *, endless: bool) -> None:
        super().__init__(scripts=None if endless else scripts, script=scripts[0] if endless else None)
        self.changed = threading.Condition()

    def next_script(self, request: Any) -> tuple[int, Script]:
        with self.changed:
            self.changed.notify_all()
            return super().next_script(request)

    def left(self) -> None:
        with self.changed:
            super().left()
            self.changed.notify_all()


class Scripted:
    """A Fake as the other end of itself."""

    def __init__(self, fake: Watched) -> None:
        self.adapter = fake

    @property
    def asked(self) -> int:
        return len(self.adapter.requests)

    @property
    def left(self) -> int:
        return self.adapter.disposals

    def wait_asked(self, count: int = 1, /) -> None:
        with self.adapter.changed:
            assert self.adapter.changed.wait_for(lambda: self.asked >= count, PATIENCE)

    def wait_left(self, count: int = 1, /) -> None:
        with self.adapter.changed:
            assert self.adapter.changed.wait_for(lambda: self.left >= count, PATIENCE)


def played(answer: AnyAnswer) -> Script:
    """What a Fake says for an answer."""
    if not isinstance(answer, Answer):
        return [error("server_error", status=getattr(answer, "status", 500))]
    faults = {type(fault) for fault in answer.faults}
    said: list[Any] = [RawChunk("frame", {"n": 1}), *([reasoning(answer.reasoning)] if answer.reasoning else ())]
    said += [*answer.text_pieces(), *answer.tool_calls, *([answer.usage] if answer.usage else ())]
    if faults & {DelayHead, DelayBody}:
        return [FOREVER, *said]
    if Flood in faults:
        return [*said, *[" and so on"] * 9, FOREVER]
    return [*said, *([finish(answer.finish_reason)] if answer.finish_reason else ())]  # type: ignore[arg-type]


class TestFake(AnswerConformance, LeavingConformance):
    @contextmanager
    def answering(self, *answers: AnyAnswer, faults: Sequence[Fault] = ()) -> Generator[Provider]:
        del faults
        yield Scripted(Watched([played(answer) for answer in answers], endless=len(answers) == 1))
