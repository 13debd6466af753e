"""Streams on Tk's thread, as far as Tk is unlike others: it can only be polled, and it has many windows."""

from tests.gui.display import outcome


def test_tk_is_polled_while_a_stream_is_live() -> None:
    """Three streams of a root share one timer, and the last takes it with it."""
    assert outcome("tk", "closing.polling_tk") == {"before": 0, "during": 1, "after": 0}


def test_a_destroyed_root_leaves_nothing_to_other_roots() -> None:
    """A root destroyed in mid-stream ends its stream, dies, and leaves no timer to fail; the program's own binding is heard."""
    assert outcome("tk", "closing.destroyed_tk") == {"left": True, "the program's own binding": ["."], "kept": "None"}


def test_a_stream_of_a_window_ends_with_that_window() -> None:
    """With a scheduler made of a window, closing it leaves that stream and no other; nothing can be subscribed for it again."""
    assert outcome("tk", "closing.closed_toplevel") == {"left": [1, 0], "again": ["no_event_loop"]}
