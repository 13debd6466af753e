"""API keys, looked up anew at each subscription and kept nowhere else.

Order: the call's option, the adapter's argument, what `put` stored, the environment, then a `.env` file where
`read_dotenv` allowed it. An empty value counts as missing everywhere.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")

_lock = threading.Lock()
_stored: dict[str, SecretStr] = {}
_dotenv: dict[str, SecretStr] = {}


def put(provider: str, key: str | SecretStr) -> None:
    """Store a provider's key for this process, such as one the user typed into a settings dialog."""
    with _lock:
        _stored[provider] = key if isinstance(key, SecretStr) else SecretStr(key)


def delete(provider: str) -> None:
    """Forget a key that `put` stored; the environment is not touched."""
    with _lock:
        _stored.pop(provider, None)


def read_dotenv(path: str | os.PathLike[str] = ".env") -> int:
    """Allow keys from a `.env` file, read once, now; the environment itself is not changed.

    Lines are `NAME=value`, with `#` comments, an optional `export`, and one optional pair of quotes.

    Returns:
        How many names the file holds; a missing file holds none.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    found: dict[str, SecretStr] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            name, value = match.groups()
            if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            found[name] = SecretStr(value)
    with _lock:
        _dotenv.clear()
        _dotenv.update(found)
    return len(found)


def find(provider: str, variables: Sequence[str], /) -> SecretStr | None:
    """Give a provider's key from what was stored, the environment, or an allowed `.env` file; None when there is none."""
    with _lock:
        stored = _stored.get(provider)
        from_file = [_dotenv[name] for name in variables if name in _dotenv]
    candidates = [stored, *(SecretStr(os.environ[name]) for name in variables if name in os.environ), *from_file]
    return next((key for key in candidates if key is not None and key.get_secret_value()), None)


class RuntimeKeys:
    """The `abc.keys.Keys` that calls get."""

    def find(self, provider: str, variables: Sequence[str], /) -> SecretStr | None:
        """Give a provider's key, or None; see `find` of this module."""
        return find(provider, variables)
