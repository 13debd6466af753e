"""What some tests need and no Python package brings: where it is missing they are skipped, except where CI was to bring it."""

import os

import pytest


def need(absent: str) -> None:
    """Skip the test because something is absent, if anything is; where `CI` is set, fail it.

    Args:
        absent: why the test cannot run here; nothing when it can.
    """
    if not absent:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{absent}: CI has to bring it, or nobody would notice that this is no longer tested")
    pytest.skip(absent)
