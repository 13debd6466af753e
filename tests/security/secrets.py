"""A key that must not show, and the places where it might."""

import logging
import traceback
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from typing import Any

from allm_rx.data.events import Event, dumps
from allm_rx.reducers.response import ResponseFold

KEY = "not-shaped-like-any-key-7f3a"
"""Without a shape that a pattern would know: only who holds it can keep it secret."""


def shown(events: Iterable[Event]) -> Generator[str]:
    """Give everything that a program would print, log or save of events."""
    fold = ResponseFold()
    for event in events:
        fold.apply(event)
        yield from (repr(event), str(event), dumps(event))
    response = fold.response()
    yield from (repr(response), response.model_dump_json(), str(response.model_dump()))
    if response.error is not None:
        yield from told(response.error.exception())


def told(error: BaseException) -> Generator[str]:
    """Give everything that a traceback shows of an error and of what caused it, its attributes included."""
    chain: BaseException | None = error
    while chain is not None:
        yield from (repr(chain), str(chain), repr(vars(chain)), repr(chain.args))
        chain = chain.__cause__ or chain.__context__
    yield "".join(traceback.format_exception(error))


def locals_of_ours(error: BaseException) -> Generator[str]:
    """Give the local variables of our own frames in a traceback, as tools that report crashes show them."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    reports: list[Any] = [report]
    while reports:
        one = reports.pop()
        reports += [other for other in (one.__cause__, one.__context__) if other is not None]
        for frame in one.stack:
            if "/allm_rx/" in frame.filename and frame.locals:
                yield from (f"{frame.filename}:{frame.lineno} {name} = {value}" for name, value in frame.locals.items())


@contextmanager
def everything_logged(caplog: Any) -> Generator[None]:
    """Turn every logger to its most talkative."""
    with ExitStack() as stack:
        for name in (None, "allm_rx", "aiohttp", "asyncio"):
            stack.enter_context(caplog.at_level(logging.DEBUG, name))
        yield
