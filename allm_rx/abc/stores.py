"""The seam between sessions and the place where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from allm_rx.data.sessions import Session


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it was loaded."""

    session: Session
    version: int
    """What `save` wants back, so that nobody's work is overwritten unseen."""


class SessionStore(Protocol):
    """Keeps sessions between their operations.

    Guarantees of every store:

    - `load` gives what was saved last, equal and whole, however the writer ended.
    - `save` and `delete` look at the version and write in one step. Of two that save over the same version one gets
      `SessionError` `stale_write`, and nothing of its is stored.
    - A version is never used again, also not after the session was deleted and made anew.
    - All methods are safe from any thread. They may block for as long as the medium takes, so a program calls them where
      blocking is no harm: `asyncio.to_thread(store.save, ...)`, or a worker thread beside a GUI.
    """

    def load(self, session_id: str, /) -> StoredSession | None:
        """Give a session and its version, or None when there is no such session.

        Raises:
            ValidationError: `invalid_session`, what is stored is none.
        """
        ...

    def save(self, session: Session, /, *, expected: int | None = None) -> int:
        """Store a session and give its new version.

        Args:
            session: what to store, under its id.
            expected: the version that it was loaded with, or that its last `save` gave; None for a new session.

        Raises:
            SessionError: `stale_write`, another version is stored, or with None any.
        """
        ...

    def delete(self, session_id: str, /, *, expected: int | None = None) -> bool:
        """Remove a session, and tell whether there was one.

        Args:
            session_id: its id.
            expected: the only version to remove; None removes any.

        Raises:
            SessionError: `stale_write`, another version is stored.
        """
        ...

    def list(self) -> tuple[str, ...]:
        """Give the ids of all sessions, the one that was saved last first."""
        ...
