"""A process that writes to a store: `python -m tests.sessions.writer add|flood PATH COUNT`."""

import sys

from allm_rx.data.messages import user
from allm_rx.data.sessions import Session
from allm_rx.errors import SessionError
from allm_rx.sessions import SqliteStore


def add(store: SqliteStore, count: int) -> None:
    """Add to a number, again and again, beside others who do."""
    for _ in range(count):
        while True:
            stored = store.load("s")
            metadata = {"n": stored.session.metadata["n"] + 1 if stored else 1}  # type: ignore[operator]
            session = (stored.session if stored else Session(id="s")).replace(metadata=metadata)
            try:
                store.save(session, expected=stored.version if stored else None)
                break
            except SessionError:
                continue


def flood(store: SqliteStore, count: int) -> None:
    """Save without end a conversation of that many messages, and tell each version that was saved."""
    session = Session(id="s")
    session = session.replace(thread=session.thread.append(*[user("x" * 100)] * count))
    stored = store.load("s")
    version = stored.version if stored else None
    while True:
        version = store.save(session.replace(metadata={"after": version}), expected=version)
        print(version, flush=True)  # noqa: T201 - how it is heard


if __name__ == "__main__":
    work, path, count = sys.argv[1:]
    {"add": add, "flood": flood}[work](SqliteStore(path), int(count))
