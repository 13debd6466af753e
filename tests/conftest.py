"""What every test may count on: no keys in the environment, no deadline, and the recordings if there are any."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline asserts a time, and a busy machine would break it.
settings.register_profile("allm_rx", deadline=None)
settings.load_profile("allm_rx")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away every key, so a test can neither spend money nor pass only on its author's machine."""
    for name in tuple(os.environ):
        if name.endswith(("_API_KEY", "_BASE_URL")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def fixtures_dir() -> Path | None:
    """The recorded answers of providers named by `ALLM_RX_FIXTURES`, or None."""
    folder = os.environ.get("ALLM_RX_FIXTURES")
    return Path(folder) if folder else None
