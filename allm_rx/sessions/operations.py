"""Start, reply, resume and step: a chat over a session's thread, and the session it leaves behind.

Each stream is `session_started`, the chat's or step's events, `session_completed`; each non-streaming twin is its fold.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Unpack, cast

import reactivex as rx
from reactivex import operators as ops

from allm_rx.data import events as ev
from allm_rx.data.answers import answered
from allm_rx.data.messages import Message, user
from allm_rx.data.sessions import Session, Turn
from allm_rx.data.threads import Thread
from allm_rx.execution import chat as chat_runner
from allm_rx.execution import step as step_runner
from allm_rx.execution.resolve import request_of
from allm_rx.operators.collect_session import collect_session
from allm_rx.reducers.session import SessionFold
from allm_rx.runtime.delivery import deliver
from allm_rx.sessions.status import require

if TYPE_CHECKING:
    from reactivex import Observable

    from allm_rx.execution.resolve import Input, Resolved
    from allm_rx.operators.run import RunnableObservable
    from allm_rx.runtime.engine import Engine
    from allm_rx.runtime.options import Options
    from allm_rx.sessions.status import Operation

Run = "Callable[[Resolved, Thread], Observable[ev.Event]]"


def stream_start(
    engine: Engine, input: Input | Session, *, id: str | None = None, **options: Unpack[Options]
) -> RunnableObservable[ev.Event]:
    """Begin a conversation, or go on with a session as it is, and give all events.

    Args:
        engine: adapter, model, tools and defaults.
        input: as for the calls; or a `Session`, which keeps its id, context and metadata.
        id: of the new session; minted when None.
        options: as for `allm_rx.stream`.

    Raises:
        SessionError: `wrong_status`.
        UsageError: the first turn cannot be sent.

    Emits: `session_started`, the chat's events, `session_completed`.
    """
    return _seen(engine, *_started(input, id), options, function="sessions.stream_start")


def start(
    engine: Engine, input: Input | Session, *, id: str | None = None, **options: Unpack[Options]
) -> RunnableObservable[Turn]:
    """Begin a conversation and give its session and result: the fold of `stream_start`.

    Emits: one `Turn`.
    """
    return _folded(engine, *_started(input, id), options, function="sessions.start")


def stream_reply(
    engine: Engine, session: Session, message: str | Message, **options: Unpack[Options]
) -> RunnableObservable[ev.Event]:
    """Say something in a session: the answer to a pending question, else a user message; give all events.

    Raises:
        SessionError: `wrong_status`.
        UsageError: the first turn cannot be sent.

    Emits: `session_started`, the chat's events, `session_completed`.
    """
    return _seen(engine, _replied(session, message), "chat", options, function="sessions.stream_reply")


def reply(engine: Engine, session: Session, message: str | Message, **options: Unpack[Options]) -> RunnableObservable[Turn]:
    """Say something in a session and give it with the result: the fold of `stream_reply`.

    Emits: one `Turn`.
    """
    return _folded(engine, _replied(session, message), "chat", options, function="sessions.reply")


def stream_resume(
    engine: Engine, session: Session, message: str | Message | None = None, **options: Unpack[Options]
) -> RunnableObservable[ev.Event]:
    """Go on after submitted tool results, a failed turn or a cancelled one; give all events.

    Args:
        engine: adapter, model, tools and defaults.
        session: one that waits for nothing, or for the user when a message is given.
        message: added first, if given.
        options: as for `allm_rx.stream`.

    Raises:
        SessionError: `wrong_status`.
        UsageError: the first turn cannot be sent.

    Emits: `session_started`, the chat's events, `session_completed`.
    """
    return _seen(engine, _resumed(session, message), "chat", options, function="sessions.stream_resume")


def resume(
    engine: Engine, session: Session, message: str | Message | None = None, **options: Unpack[Options]
) -> RunnableObservable[Turn]:
    """Go on and give the session with the result: the fold of `stream_resume`.

    Emits: one `Turn`.
    """
    return _folded(engine, _resumed(session, message), "chat", options, function="sessions.resume")


def stream_step(engine: Engine, session: Session, **options: Unpack[Options]) -> RunnableObservable[ev.Event]:
    """Take one step in a session, one generation and its tools; give all events.

    Raises:
        SessionError: `wrong_status`.
        UsageError: the step cannot be sent.

    Emits: `session_started`, the step's events, `session_completed`.
    """
    return _seen(engine, _open(session, "step"), "step", options, function="sessions.stream_step")


def step(engine: Engine, session: Session, **options: Unpack[Options]) -> RunnableObservable[Turn]:
    """Take one step and give the session with a `StepResult`: the fold of `stream_step`.

    Emits: one `Turn`.
    """
    return _folded(engine, _open(session, "step"), "step", options, function="sessions.step")


def _started(given: Input | Session, session_id: str | None) -> tuple[Session, str]:
    if isinstance(given, Session):
        return _open(given, "start"), "chat"
    thread = given if isinstance(given, Thread) else Thread(messages=request_of(given).messages)
    return Session(id=session_id or secrets.token_urlsafe(16), thread=thread), "chat"


def _replied(session: Session, message: str | Message) -> Session:
    require(session, "reply")
    return _with(session, message)


def _resumed(session: Session, message: str | Message | None) -> Session:
    if session.status == "awaiting_user" and message is None:
        require(session.model_copy(update={"status": "awaiting_tools"}), "resume")
    return _open(session, "resume") if message is None else _with(_open(session, "resume"), message)


def _open(session: Session, operation: Operation) -> Session:
    require(session, operation)
    return session


def _with(session: Session, message: str | Message) -> Session:
    """Give the session with the user's words in it: in place of the placeholder of a question, else as a message."""
    said = user(message) if isinstance(message, str) else message
    if session.pending_questions and said.role == "user":
        answers = {question.tool_call_id: said.text for question in session.pending_questions}
        thread = answered(session.thread, answers)
    else:
        thread = session.thread.append(said)
    return session.model_copy(update={"thread": thread, "pending_questions": (), "status": "idle"})


def _seen(engine: Engine, session: Session, kind: str, options: Options, *, function: str) -> RunnableObservable[ev.Event]:
    resolved = _prepared(engine, session, options, function)
    return step_runner.seen(_events(resolved, session, kind), resolved, "session")


def _folded(engine: Engine, session: Session, kind: str, options: Options, *, function: str) -> RunnableObservable[Turn]:
    resolved = _prepared(engine, session, options, function)
    events = step_runner.observed(_events(resolved, session, kind), resolved)
    return deliver(events.pipe(collect_session()))


def _prepared(engine: Engine, session: Session, options: Options, function: str) -> Resolved:
    given = dict(cast("dict[str, Any]", options))
    if session.context:  # an empty one must not hide the engine's
        given["context"] = {**session.context, **(given.get("context") or {})}
    if given.get("session_id") is None:
        given["session_id"] = session.id
    return step_runner.prepared(engine, session.thread, cast("Options", given), function=function)


def _events(resolved: Resolved, session: Session, kind: str) -> Observable[ev.Event]:
    def build(scheduler: Any) -> Observable[ev.Event]:
        fold = SessionFold()

        def see(event: ev.Event) -> None:
            fold.apply(event)

        def complete(scheduler: Any) -> Observable[ev.Event]:
            return rx.just(ev.SessionCompleted(fold.turn()))

        started: Observable[ev.Event] = rx.just(ev.SessionStarted(session))
        work = (
            chat_runner.chat_events(resolved, session.thread)
            if kind == "chat"
            else step_runner.step_events(resolved, session.thread, 0)
        )
        return rx.concat(rx.concat(started, work).pipe(ops.do_action(see)), rx.defer(complete))

    return rx.defer(build)
