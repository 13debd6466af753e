"""The main loops of the toolkits behind one face, for programs that say the same of each.

Imported only in the process that shows the window.
"""

import importlib
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from reactivex.abc import SchedulerBase
from reactivex.scheduler.mainloop import GtkScheduler, QtScheduler, TkinterScheduler, WxScheduler

from tests.gui.display import DISTRIBUTION


class Toolkit(ABC):
    """A GUI whose main loop runs in this thread."""

    scheduler: SchedulerBase

    @abstractmethod
    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Call a function after some seconds; on the GUI's thread only."""

    @abstractmethod
    def run(self) -> None:
        """Run the main loop until `quit`."""

    @abstractmethod
    def quit(self) -> None:
        """End the main loop."""

    @abstractmethod
    def turn(self) -> None:
        """Serve what is due, as a dialog's own loop does."""

    def leftovers(self) -> list[str]:
        """Name what wakers left with the toolkit."""
        return []

    def destroy(self) -> None:
        """Destroy the GUI for good, while the process goes on."""
        raise NotImplementedError

    def when(self, happened: Callable[[], object], act: Callable[[], None]) -> None:
        """Call a function once something happened, and let the main loop turn meanwhile."""
        if happened():
            act()
        else:
            self.later(0.005, lambda: self.when(happened, act))

    def run_until(self, happened: Callable[[], object]) -> None:
        """Run the main loop until something happened."""
        self.later(0.0, lambda: self.when(happened, self.quit))  # a loop that does not run yet cannot be ended
        self.run()


class Qt(Toolkit):
    """PySide6 or PyQt6."""

    def __init__(self, package: str) -> None:
        self.core: Any = importlib.import_module(f"{package}.QtCore")
        self.app: Any = None
        self.scheduler = QtScheduler(self.core)
        self.begin()

    def begin(self) -> None:
        """Make an application."""
        self.app = self.core.QCoreApplication([])

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        # PyQt holds a bound method weakly, as it does a slot.
        self.core.QTimer.singleShot(int(seconds * 1000), lambda: act())

    def run(self) -> None:
        self.app.exec()

    def quit(self) -> None:
        self.app.quit()

    def turn(self) -> None:
        self.app.processEvents()

    def classes(self) -> list[type[Any]]:
        """Give the classes of what the application owns of ours."""
        kinds: list[type[Any]] = [type(child) for child in self.app.children()]
        return [kind for kind in kinds if not kind.__name__.startswith("Q")]

    def leftovers(self) -> list[str]:
        return [kind.__name__ for kind in self.classes()[1:]]  # one is for all streams of the application

    def destroy(self) -> None:
        if hasattr(self.app, "shutdown"):
            self.app.shutdown()
        else:
            importlib.import_module("PyQt6.sip").delete(self.app)


class Tk(Toolkit):
    """Tkinter."""

    def __init__(self) -> None:
        self.tk: Any = importlib.import_module("tkinter")
        self.root = self.tk.Tk()
        self.scheduler = self.scheduler_of(self.root)

    def scheduler_of(self, window: Any) -> TkinterScheduler:
        """Give the scheduler of a window."""
        return TkinterScheduler(window)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self.root.after(int(seconds * 1000), act)

    def run(self) -> None:
        self.root.mainloop()

    def quit(self) -> None:
        self.root.quit()

    def turn(self) -> None:
        self.root.update()

    def leftovers(self) -> list[str]:
        return [str(timer) for timer in self.root.tk.splitlist(self.root.tk.call("after", "info"))]

    def destroy(self) -> None:
        self.root.destroy()


class GLib(Toolkit):
    """The main loop of GTK."""

    def __init__(self) -> None:
        sys.path.append(str(DISTRIBUTION))
        with warnings.catch_warnings(action="ignore", category=ImportWarning):  # its importer is of the old kind
            self.glib: Any = importlib.import_module("gi.repository.GLib")
        self.loop = self.glib.MainLoop()
        self.scheduler = GtkScheduler(self.glib)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self.glib.timeout_add(int(seconds * 1000), lambda: act() or False)

    def run(self) -> None:
        self.loop.run()

    def quit(self) -> None:
        self.loop.quit()

    def turn(self) -> None:
        self.glib.MainContext.default().iteration(False)

    def leftovers(self) -> list[str]:
        return ["something is due"] if self.glib.MainContext.default().pending() else []


class Wx(Toolkit):
    """wxPython."""

    def __init__(self) -> None:
        sys.path.append(str(DISTRIBUTION))
        self.wx: Any = importlib.import_module("wx")
        self.app = self.wx.App(False)
        self.window = self.wx.Frame(None)  # without one the main loop ends at once
        self.scheduler = WxScheduler(self.wx)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self.wx.CallLater(max(1, int(seconds * 1000)), act)

    def run(self) -> None:
        self.app.MainLoop()

    def quit(self) -> None:
        self.app.ExitMainLoop()

    def turn(self) -> None:
        self.wx.YieldIfNeeded()


def a_toolkit(name: str) -> Toolkit:
    """Give the GUI of a toolkit, as `tests.gui.display.PACKAGES` names it."""
    match name:
        case "pyside6" | "pyqt6":
            return Qt({"pyside6": "PySide6", "pyqt6": "PyQt6"}[name])
        case "tk":
            return Tk()
        case "glib":
            return GLib()
        case _:
            return Wx()
