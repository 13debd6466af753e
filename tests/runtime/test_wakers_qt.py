"""Streams on Qt's thread, as far as Qt is unlike others: its objects have threads, and owners."""

import pytest

from tests.gui.display import outcome


@pytest.mark.parametrize("toolkit", ["pyside6", "pyqt6"])
def test_an_application_has_one_object_of_ours_and_takes_it_with_it(toolkit: str) -> None:
    """Streams share one object, owned by the application; the next application has its own, of the same class."""
    assert outcome(toolkit, "closing.second_application") == {
        "left": True,
        "without one": ["no_event_loop"],
        "again": ["y"],
        "one object each, of one class": True,
    }
