"""Start, reply, resume and step: a chat over a session's thread, and the session it leaves behind.

Each stream is `session_started`, the chat's or step's events, `session_completed`; each non-streaming twin is its fold.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack, cast

import reactivex as rx
from reactivex import operators as ops

from allm_rx.data import events as ev
from allm_rx.data.answers import answered
from allm_rx.data.messages import Message, user
from allm_rx.data.results import answers_to
from allm_rx.data.sessions import Session, Turn
from allm_rx.data.threads import Thread
from allm_rx.errors import Issue, SessionError, ValidationError
from allm_rx.execution import chat as chat_runner
from allm_rx.execution import step as step_runner
from allm_rx.execution.resolve import request_of
from allm_rx.operators.collect_session import collect_session
from allm_rx.reducers.session import SessionFold
from allm_rx.runtime.delivery import deliver
from allm_rx.sessions.status import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reactivex import Observable

    from allm_rx.abc.flow import Origin
    from allm_rx.data.parts import ResultContent
    from allm_rx.data.requests import Request
    from allm_rx.execution.resolve import Input, Resolved
    from allm_rx.operators.run import RunnableObservable
    from allm_rx.runtime.engine import Engine
    from allm_rx.runtime.options import Options

Reply = str | Message | Mapping[str, str]
"""What is said in a session: a text, a message, or answers to several questions by tool call id."""


def stream_start(
    engine: Engine, input: Input | Session, *, id: str | None = None, **options: Unpack[Options]
) -> RunnableObservable[ev.Event]:
    """Begin a conversation, or go on with a session as it is, and give all events.

    Args:
        engine: adapter, model, tools and defaults.
        input: as for the calls, a request's options holding for this one; or a `Session`, which keeps its id, context and
            metadata.
        id: of the new session; minted when None.
        options: as for `allm_rx.stream`.

    Raises:
        SessionError: `wrong_status`.
        UsageError: the first turn cannot be sent.

    Emits: `session_started`, the chat's events, `session_completed`.
    """
    session, request = _started(input, id)
    return _seen(engine, session, options, function="sessions.stream_start", request=request)


def start(
    engine: Engine, input: Input | Session, *, id: str | None = None, **options: Unpack[Options]
) -> RunnableObservable[Turn]:
    """Begin a conversation and give its session and result: the fold of `stream_start`.

    Emits: one `Turn`.
    """
    session, request = _started(input, id)
    return _folded(engine, session, options, function="sessions.start", request=request)


def stream_reply(engine: Engine, session: Session, message: Reply, **options: Unpack[Options]) -> RunnableObservable[ev.Event]:
    """Say something in a session: the answer to a pending question, else a user message; give all events.

    Args:
        engine: adapter, model, tools and defaults.
        session: one that waits for nothing, or for the user.
        message: what is said; where several questions wait, the answers by tool call id.
        options: as for `allm_rx.stream`.

    Raises:
        SessionError: `wrong_status`, or `unknown_tool_call_id`.
        UsageError: the first turn cannot be sent.

    Emits: `session_started`, the chat's events, `session_completed`.
    """
    return _seen(engine, _replied(session, message), options, function="sessions.stream_reply")


def reply(engine: Engine, session: Session, message: Reply, **options: Unpack[Options]) -> RunnableObservable[Turn]:
    """Say something in a session and give it with the result: the fold of `stream_reply`.

    Emits: one `Turn`.
    """
    return _folded(engine, _replied(session, message), options, function="sessions.reply")


def stream_resume(
    engine: Engine, session: Session, message: Reply | None = None, **options: Unpack[Options]
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
    return _seen(engine, _resumed(session, message), options, function="sessions.stream_resume")


def resume(
    engine: Engine, session: Session, message: Reply | None = None, **options: Unpack[Options]
) -> RunnableObservable[Turn]:
    """Go on and give the session with the result: the fold of `stream_resume`.

    Emits: one `Turn`.
    """
    return _folded(engine, _resumed(session, message), options, function="sessions.resume")


def stream_step(engine: Engine, session: Session, **options: Unpack[Options]) -> RunnableObservable[ev.Event]:
    """Take one step in a session, one generation and its tools; give all events.

    Raises:
        SessionError: `wrong_status`.
        UsageError: the step cannot be sent.

    Emits: `session_started`, the step's events, `session_completed`.
    """
    return _seen(engine, _open(session), options, function="sessions.stream_step", is_step=True)


def step(engine: Engine, session: Session, **options: Unpack[Options]) -> RunnableObservable[Turn]:
    """Take one step and give the session with a `StepResult`: the fold of `stream_step`.

    Emits: one `Turn`.
    """
    return _folded(engine, _open(session), options, function="sessions.step", is_step=True)


def _started(given: Input | Session, session_id: str | None) -> tuple[Session, Request | None]:
    """Give the session that a conversation begins with, and the request whose options hold for the call."""
    if isinstance(given, Session):
        if session_id is not None and session_id != given.id:
            what = f"{session_id!r} is the id of a new session, and session {given.id!r} was given: leave `id` out"
            raise ValidationError.of("invalid_session", Issue(("id",), "conflicting_id", what))
        require(given, "start")
        return given, None
    request = request_of(given)
    thread = given if isinstance(given, Thread) else Thread(messages=request.messages)
    return Session(id=secrets.token_urlsafe(16) if session_id is None else session_id, thread=thread), request


def _replied(session: Session, message: Reply) -> Session:
    require(session, "reply")
    return _with(session, message)


def _resumed(session: Session, message: Reply | None) -> Session:
    if message is None:
        require(session, "resume")
        return session
    require(session, "reply")
    return _with(session, message)


def _open(session: Session) -> Session:
    require(session, "step")
    return session


def _with(session: Session, message: Reply) -> Session:
    """Give the session with the user's words in it: in place of the placeholder of a question, else as a message."""
    questions = session.pending_questions
    said = message if isinstance(message, (str, Message)) else dict(message)
    if isinstance(said, dict) and not questions:
        raise SessionError("wrong_status", f"Session {session.id!r} asked nothing: reply with a text or a message.")
    if questions and not (isinstance(said, Message) and said.role != "user"):
        answers = answers_to(questions, said.content if isinstance(said, Message) else said)
        thread = answered(session.thread, cast("Mapping[str, str | Sequence[ResultContent]]", answers))
    else:
        thread = session.thread.append(user(said) if isinstance(said, str) else cast("Message", said))
    return session.model_copy(update={"thread": thread, "pending_questions": (), "status": "idle"})


def _seen(
    engine: Engine, session: Session, options: Options, *, function: str, request: Request | None = None, is_step: bool = False
) -> RunnableObservable[ev.Event]:
    resolved = _prepared(engine, session, request, options, function)
    origin: Origin = ("session_step" if is_step else "session", session)
    return step_runner.seen(_events(resolved, session, is_step=is_step), resolved, origin)


def _folded(
    engine: Engine, session: Session, options: Options, *, function: str, request: Request | None = None, is_step: bool = False
) -> RunnableObservable[Turn]:
    resolved = _prepared(engine, session, request, options, function)
    events = step_runner.observed(_events(resolved, session, is_step=is_step), resolved)
    return deliver(events.pipe(collect_session()))


def _prepared(engine: Engine, session: Session, request: Request | None, options: Options, function: str) -> Resolved:
    given = dict(cast("dict[str, Any]", options))
    given["context"] = {**session.context, **(given.get("context") or {})}
    if given.get("session_id") is None:
        given["session_id"] = session.id
    what = session.thread if request is None else request
    return step_runner.prepared(engine, what, cast("Options", given), function=function)


def _events(resolved: Resolved, session: Session, *, is_step: bool) -> Observable[ev.Event]:
    def build(scheduler: Any) -> Observable[ev.Event]:
        fold = SessionFold(is_step=is_step)

        def see(event: ev.Event) -> None:
            fold.apply(event)

        def complete(scheduler: Any) -> Observable[ev.Event]:
            return rx.just(ev.SessionCompleted(fold.turn()))

        started: Observable[ev.Event] = rx.just(ev.SessionStarted(session))
        run = (
            step_runner.step_events(resolved, session.thread, 0) if is_step else chat_runner.chat_events(resolved, session.thread)
        )
        return rx.concat(rx.concat(started, run).pipe(ops.do_action(see)), rx.defer(complete))

    return rx.defer(build)
