"""Stores: what was saved comes back, and nobody's work is overwritten unseen."""

import pickle
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from allm_rx.abc.stores import SessionStore
from allm_rx.data.messages import user
from allm_rx.data.sessions import Session
from allm_rx.data.threads import Thread
from allm_rx.errors import SessionError, ValidationError
from allm_rx.sessions import MemoryStore, SqliteStore
from tests import strategies

ROOT = Path(__file__).resolve().parent.parent.parent
SESSION = Session(id="s", thread=Thread(messages=[user("grüß\n🎉")]), metadata={"n": 1})


def in_memory(folder: Path) -> SessionStore:
    return MemoryStore()


def in_a_file(folder: Path) -> SessionStore:
    return SqliteStore(folder / "sessions.db")


@pytest.fixture(params=[in_memory, in_a_file])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SessionStore:
    """Each store in turn."""
    return request.param(tmp_path)


def loaded(store: SessionStore, session_id: str = "s") -> Session:
    """What a store holds under an id."""
    stored = store.load(session_id)
    assert stored is not None
    return stored.session


def refused(act: Callable[[], Any]) -> str:
    """What a stale writer is told."""
    with pytest.raises(SessionError) as caught:
        act()
    assert caught.value.reason == "stale_write"
    return caught.value.message


# Every store.


def test_what_was_saved_comes_back(store: SessionStore) -> None:
    """Equal, with the version that `save` gave."""
    version = store.save(SESSION)

    stored = store.load("s")

    assert stored is not None
    assert (stored.session, stored.version) == (SESSION, version)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strategies.sessions)
def test_any_session_comes_back(store: SessionStore, session: Session) -> None:
    """Whatever is in it."""
    before = store.load(session.id)

    store.save(session, expected=before.version if before else None)

    assert loaded(store, session.id) == session


def test_what_is_not_there_is_none(store: SessionStore) -> None:
    """No error: a new conversation begins so."""
    assert store.load("s") is None


def test_a_save_over_the_loaded_version_wins(store: SessionStore) -> None:
    """And gives the next."""
    first = store.save(SESSION)
    second = store.save(SESSION.replace(metadata={"n": 2}), expected=first)

    assert second > first
    assert loaded(store).metadata == {"n": 2}


def test_a_stale_write_is_refused(store: SessionStore) -> None:
    """The message says what to do, and the other's work stays."""
    first = store.save(SESSION)
    second = store.save(SESSION.replace(metadata={"n": 2}), expected=first)

    message = refused(lambda: store.save(SESSION.replace(metadata={"n": 3}), expected=first))

    assert message == (
        f"Session 's' was changed by somebody else: version {first} was expected, and version {second} is stored. "
        "Load it and do the work again."
    )
    assert loaded(store).metadata == {"n": 2}


def test_a_new_session_does_not_overwrite_one(store: SessionStore) -> None:
    """Two that begin under one id notice it."""
    store.save(SESSION)

    assert "a new session was to be saved" in refused(lambda: store.save(SESSION))


def test_a_session_that_was_deleted_is_not_saved_again(store: SessionStore) -> None:
    """Who still works on it is told."""
    version = store.save(SESSION)
    store.delete("s")

    assert "it is not there any more" in refused(lambda: store.save(SESSION, expected=version))


def test_a_version_is_never_used_again(store: SessionStore) -> None:
    """Also not of a session that was deleted and made anew."""
    old = store.save(SESSION)
    store.delete("s")
    store.save(SESSION)

    refused(lambda: store.save(SESSION, expected=old))


def test_delete_tells_whether_there_was_one(store: SessionStore) -> None:
    """And removes it."""
    store.save(SESSION)

    assert (store.delete("s"), store.delete("s"), store.load("s")) == (True, False, None)


def test_delete_may_name_the_version(store: SessionStore) -> None:
    """What was changed since is not removed."""
    first = store.save(SESSION)
    second = store.save(SESSION, expected=first)

    refused(lambda: store.delete("s", expected=first))
    assert store.delete("s", expected=second)


def test_sessions_are_listed_the_last_saved_first(store: SessionStore) -> None:
    """As an application shows them."""
    versions = {name: store.save(Session(id=name)) for name in "abc"}
    store.save(Session(id="a"), expected=versions["a"])

    assert store.list() == ("a", "c", "b")


def test_what_a_caller_changes_later_is_not_stored(store: SessionStore) -> None:
    """A store keeps a copy."""
    metadata: dict[str, Any] = {"n": 1}
    store.save(Session(id="s", metadata=metadata))
    loaded(store).metadata["n"] = 2

    assert loaded(store).metadata == {"n": 1}


def test_threads_lose_nothing(store: SessionStore) -> None:
    """Each adds to the same session, and tries again when it was too late."""
    store.save(SESSION.replace(metadata={"n": 0}))

    def add(_: int) -> None:
        while True:
            stored = store.load("s")
            assert stored is not None
            more = stored.session.replace(metadata={"n": stored.session.metadata["n"] + 1})  # type: ignore[operator]
            try:
                store.save(more, expected=stored.version)
                return
            except SessionError:
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))

    assert loaded(store).metadata == {"n": 40}


# The file.


def running(work: str, path: Path, count: int) -> subprocess.Popen[str]:
    """A process that writes."""
    command = [sys.executable, "-m", "tests.sessions.writer", work, str(path), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_another_process_finds_it(tmp_path: Path) -> None:
    """Nothing is kept in this one."""
    SqliteStore(tmp_path / "s.db").save(SESSION)

    assert loaded(SqliteStore(tmp_path / "s.db")) == SESSION


def test_processes_lose_nothing(tmp_path: Path) -> None:
    """Also when all of them make the file."""
    writers = [running("add", tmp_path / "s.db", 15) for _ in range(3)]

    ends = [(writer.communicate(), writer.returncode)[1] for writer in writers]

    assert ends == [0, 0, 0]
    assert loaded(SqliteStore(tmp_path / "s.db")).metadata == {"n": 45}


def test_a_writer_that_is_killed_leaves_a_whole_session(tmp_path: Path) -> None:
    """Either the one before, or the one that it was writing."""
    store = SqliteStore(tmp_path / "s.db")

    for kills in range(4):
        with running("flood", tmp_path / "s.db", 500) as writer:
            assert writer.stdout is not None
            told = [int(writer.stdout.readline()) for _ in range(2 + kills)]
            writer.kill()
        stored = store.load("s")
        assert stored is not None
        assert stored.version >= told[-1]
        assert len(stored.session.thread.messages) == 500
        with closing(sqlite3.connect(tmp_path / "s.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    """They see what was saved before."""
    store = SqliteStore(tmp_path / "s.db", timeout=0.01)
    store.save(SESSION)

    with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE sessions SET session = 'half'")

        assert loaded(store) == SESSION
        other.execute("ROLLBACK")


def test_a_file_that_stays_locked_is_a_timeout(tmp_path: Path) -> None:
    """The message says how long was waited."""
    store = SqliteStore(tmp_path / "s.db", timeout=0.01)
    store.save(SESSION)

    with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(TimeoutError, match=r"for 0\.01 s"):
            store.save(SESSION, expected=1)
        other.execute("ROLLBACK")


@pytest.mark.parametrize("content", [b"not a database, but a long text of its own. " * 40, b"\x00" * 4096])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """And stays as it is; the message names it."""
    path = tmp_path / "s.db"
    path.write_bytes(content)

    with pytest.raises(ValidationError, match=r"s\.db.* is no store of sessions") as caught:
        SqliteStore(path).load("s")
    assert caught.value.reason == "invalid_session"
    assert path.read_bytes() == content


def test_a_file_that_was_damaged_is_refused(tmp_path: Path) -> None:
    """What cannot be read is not given as a session."""
    path = tmp_path / "s.db"
    store = SqliteStore(path)
    store.save(SESSION.replace(metadata={"text": "x" * 20000}))
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    path.write_bytes(whole)

    with pytest.raises(ValidationError, match="is no store of sessions"):
        store.load("s")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE TABLE notes (text TEXT)", "tables of another program"),
        ("PRAGMA user_version = 9", "its schema is 9"),
    ],
)
def test_a_database_of_another_program_is_refused(tmp_path: Path, statement: str, words: str) -> None:
    """Nothing is written into it."""
    with closing(sqlite3.connect(tmp_path / "s.db")) as other:
        other.execute(statement)

    with pytest.raises(ValidationError, match=words):
        SqliteStore(tmp_path / "s.db").save(SESSION)


def test_a_row_that_is_no_session_is_refused(tmp_path: Path) -> None:
    """Somebody wrote into the file."""
    store = SqliteStore(tmp_path / "s.db")
    store.save(SESSION)
    with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as other:
        other.execute("""UPDATE sessions SET session = '{"id": 5}'""")

    with pytest.raises(ValidationError) as caught:
        store.load("s")
    assert caught.value.reason == "invalid_session"


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    """The message asks for it."""
    with pytest.raises(OSError, match="is its folder there"):
        SqliteStore(tmp_path / "none" / "s.db").list()


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_path_that_does_not_last_is_refused(path: str) -> None:
    """It would be empty at every call."""
    with pytest.raises(ValueError, match="MemoryStore"):
        SqliteStore(path)


def test_a_store_says_where_it_is(tmp_path: Path) -> None:
    """In logs."""
    assert repr(SqliteStore("sessions.db")) == "SqliteStore('sessions.db')"


def test_a_store_can_be_sent_to_a_worker(tmp_path: Path) -> None:
    """It is a path, and holds nothing open."""
    store = SqliteStore(tmp_path / "s.db")
    store.save(SESSION)

    assert loaded(pickle.loads(pickle.dumps(store))) == SESSION
    assert [one.name for one in tmp_path.iterdir()] == ["s.db"]


def test_a_store_may_be_used_on_any_thread(tmp_path: Path) -> None:
    """Not only on that which made it."""
    store = SqliteStore(tmp_path / "s.db")
    thread = threading.Thread(target=store.save, args=(SESSION,))
    thread.start()
    thread.join()

    assert loaded(store) == SESSION
