"""Stores for sessions: in memory, and in one SQLite file.

Rule 1: what is kept is the session's JSON, so what comes back is what a program in another process would get.
Rule 2: plain blocking functions, safe from any thread; nothing is kept open between two calls.
Rule 3: a version is never used again, so a stale writer is noticed however often a session was replaced.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from allm_rx.abc.stores import StoredSession
from allm_rx.data.sessions import Session
from allm_rx.errors import Issue, SessionError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Generator


class MemoryStore:
    """Sessions in this process's memory; see `abc.stores.SessionStore` for the guarantees."""

    def __init__(self) -> None:
        """Begin with no session."""
        self._lock = threading.Lock()
        self._last = 0
        self._rows: dict[str, tuple[int, str]] = {}

    def load(self, session_id: str, /) -> StoredSession | None:
        """Give a session and its version, or None; see `SessionStore.load`."""
        with self._lock:
            row = self._rows.get(session_id)
        return None if row is None else _loaded(*row)

    def save(self, session: Session, /, *, expected: int | None = None) -> int:
        """Store a session and give its new version; see `SessionStore.save`."""
        text = session.model_dump_json()
        with self._lock:
            _require(session.id, self._version(session.id), expected)
            self._rows.pop(session.id, None)  # so that the last saved is at the end
            self._last += 1
            self._rows[session.id] = (self._last, text)
            return self._last

    def delete(self, session_id: str, /, *, expected: int | None = None) -> bool:
        """Remove a session, and tell whether there was one; see `SessionStore.delete`."""
        with self._lock:
            if expected is not None:
                _require(session_id, self._version(session_id), expected)
            return self._rows.pop(session_id, None) is not None

    def list(self) -> tuple[str, ...]:
        """Give the ids of all sessions, the one that was saved last first."""
        with self._lock:
            return tuple(reversed(self._rows))

    def _version(self, session_id: str) -> int | None:
        row = self._rows.get(session_id)
        return None if row is None else row[0]


_SCHEMA = 1
_TABLES = (
    "CREATE TABLE sessions (id TEXT PRIMARY KEY, version INTEGER NOT NULL UNIQUE, session TEXT NOT NULL)",
    "CREATE TABLE last_version (version INTEGER NOT NULL)",
    "INSERT INTO last_version VALUES (0)",
    f"PRAGMA user_version = {_SCHEMA}",
)


class SqliteStore:
    """Sessions in one SQLite file, for any number of processes on one machine.

    Each call opens the file, does its work in one transaction, and closes it, so a store may be shared by threads, pickled,
    and used on both sides of a fork; a process that is killed in the middle of a call has written all of it or nothing. The
    file is in WAL mode, so readers do not wait for writers. It does not belong on a network share.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 10.0) -> None:
        """Name the file; it is made by the first call.

        Args:
            path: the file. Its folder has to be there; SQLite puts two files with `-wal` and `-shm` beside it.
            timeout: seconds to wait while another process writes.

        Raises:
            ValueError: the path is SQLite's `:memory:` or empty, which every call would find empty again.
        """
        self._path = os.fspath(path)
        self._timeout = timeout
        if self._path in ("", ":memory:"):
            raise ValueError(f"{self._path!r} names no file that lasts: use `MemoryStore()`, or a path.")

    def __repr__(self) -> str:
        """Show the path."""
        return f"SqliteStore({self._path!r})"

    def load(self, session_id: str, /) -> StoredSession | None:
        """Give a session and its version, or None; see `SessionStore.load`.

        Raises:
            ValidationError: `invalid_session`, the file is no store, or what it holds is no session.
            OSError: the file cannot be used; `TimeoutError`, another process kept it for too long.
        """
        with self._opened() as database:
            row = database.execute("SELECT version, session FROM sessions WHERE id = ?", (session_id,)).fetchone()
        return None if row is None else _loaded(*row)

    def save(self, session: Session, /, *, expected: int | None = None) -> int:
        """Store a session and give its new version; see `SessionStore.save`.

        Raises:
            SessionError: `stale_write`.
            ValidationError: `invalid_session`, the file is no store.
            OSError: the file cannot be used; `TimeoutError`, another process kept it for too long.
        """
        text = session.model_dump_json()
        with self._opened() as database, _transaction(database):
            _require(session.id, _stored_version(database, session.id), expected)
            database.execute("UPDATE last_version SET version = version + 1")
            (version,) = database.execute("SELECT version FROM last_version").fetchone()
            database.execute("REPLACE INTO sessions VALUES (?, ?, ?)", (session.id, version, text))
        return version

    def delete(self, session_id: str, /, *, expected: int | None = None) -> bool:
        """Remove a session, and tell whether there was one; see `SessionStore.delete`.

        Raises:
            SessionError: `stale_write`.
            ValidationError: `invalid_session`, the file is no store.
            OSError: the file cannot be used; `TimeoutError`, another process kept it for too long.
        """
        with self._opened() as database, _transaction(database):
            if expected is not None:
                _require(session_id, _stored_version(database, session_id), expected)
            return database.execute("DELETE FROM sessions WHERE id = ?", (session_id,)).rowcount > 0

    def list(self) -> tuple[str, ...]:
        """Give the ids of all sessions, the one that was saved last first.

        Raises:
            ValidationError: `invalid_session`, the file is no store.
            OSError: the file cannot be used; `TimeoutError`, another process kept it for too long.
        """
        with self._opened() as database:
            return tuple(row[0] for row in database.execute("SELECT id FROM sessions ORDER BY version DESC"))

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        """Open the file; what SQLite says of it becomes an error that says what to do."""
        try:
            with closing(sqlite3.connect(self._path, timeout=self._timeout, isolation_level=None)) as database:
                self._prepare(database)
                yield database
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise TimeoutError(f"{self._path!r} was written by another process for {self._timeout:g} s: try again.") from None
            raise OSError(f"{self._path!r} cannot be used ({error}): is its folder there, writable, and not full?") from None
        except sqlite3.DatabaseError as error:
            raise self._no_store(str(error)) from None

    def _prepare(self, database: sqlite3.Connection) -> None:
        (schema,) = database.execute("PRAGMA user_version").fetchone()
        if schema == _SCHEMA:
            return
        if schema != 0:
            raise self._no_store(f"its schema is {schema}, and this version of the library writes {_SCHEMA}")
        with _transaction(database):
            if database.execute("PRAGMA user_version").fetchone() == (0,):  # else another process was quicker
                if database.execute("SELECT 1 FROM sqlite_master").fetchone() is not None:
                    raise self._no_store("it has tables of another program")
                for statement in _TABLES:
                    database.execute(statement)
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # another process reads the new file; the mode only makes it quicker
            return

    def _no_store(self, what: str) -> ValidationError:
        message = f"{self._path!r} is no store of sessions ({what}): use another path, or a copy from a backup."
        return ValidationError.of("invalid_session", Issue(("path",), "not_a_store", message))


@contextmanager
def _transaction(database: sqlite3.Connection) -> Generator[None]:
    """Write all of a block, or nothing; what the block has read nobody changes meanwhile."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if database.in_transaction:  # a full disk has ended it already
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _stored_version(database: sqlite3.Connection, session_id: str) -> int | None:
    row = database.execute("SELECT version FROM sessions WHERE id = ?", (session_id,)).fetchone()
    return None if row is None else row[0]


def _require(session_id: str, stored: int | None, expected: int | None) -> None:
    if stored == expected:
        return
    there = "it is not there any more" if stored is None else f"version {stored} is stored"
    wanted = "a new session was to be saved" if expected is None else f"version {expected} was expected"
    raise SessionError(
        "stale_write",
        f"Session {session_id!r} was changed by somebody else: {wanted}, and {there}. Load it and do the work again.",
    )


def _loaded(version: int, text: str) -> StoredSession:
    return StoredSession(Session.model_validate_json(text), version)
