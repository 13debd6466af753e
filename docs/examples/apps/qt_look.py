"""How the programs of Qt look: the colours of the user's system, and icons in the colour of the text beside them."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

LIGHT = {
    "page": "#fbfaf8", "raised": "#ffffff", "sunken": "#f1efeb", "line": "#e3e0d9", "text": "#23221f", "quiet": "#77736a",
    "accent": "#0f6b5c", "on_accent": "#ffffff", "mine": "#e6f0ed", "bad": "#a4262c", "bad_ground": "#fbeceb", "code": "#f4f2ee",
}  # fmt: skip
DARK = {
    "page": "#171816", "raised": "#1f211f", "sunken": "#262826", "line": "#343734", "text": "#e8e6e0", "quiet": "#9a978e",
    "accent": "#5cc7b2", "on_accent": "#10201c", "mine": "#233531", "bad": "#f1908c", "bad_ground": "#3a2524", "code": "#121312",
}  # fmt: skip
SHEET = """
QWidget { background: %(page)s; color: %(text)s; font-size: 15px; selection-background-color: %(accent)s;
          selection-color: %(on_accent)s; }
QLabel, QTextEdit { background: transparent; border: 0; }
QPushButton { background: %(raised)s; border: 1px solid %(line)s; border-radius: 10px; padding: 7px 14px; font-size: 14px; }
QPushButton:hover, QPushButton:focus { border-color: %(accent)s; }
QToolTip { background: %(raised)s; border: 1px solid %(line)s; font-size: 12px; }
QScrollBar { background: transparent; border: 0; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 8px; }
QScrollBar::handle { background: %(line)s; border: 1px solid transparent; border-radius: 4px; min-height: 30px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
#rule { background: %(line)s; }
#mark { background: %(accent)s; color: %(on_accent)s; border-radius: 8px; }
#title { font-size: 16px; font-weight: 600; }
#pill { background: %(sunken)s; color: %(quiet)s; border-radius: 9px; padding: 3px 10px; font-size: 12px; }
#quiet { color: %(quiet)s; font-size: 12px; }
"""
"""What the programs have in common; each adds its own, and fills in `LIGHT` or `DARK`."""
ICONS = {
    "wave": '<path d="M2 12c2.5 0 2.5-6 5-6s2.5 12 5 12 2.5-12 5-12 2.5 6 5 6"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "up": '<path d="M12 19V5M6 11l6-6 6 6"/>',
    "square": '<rect x="7" y="7" width="10" height="10" rx="1.5" fill="{0}"/>',
    "sheets": '<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15V6a2 2 0 0 1 2-2h8"/>',
    "wrench": '<path d="M14.5 6.5a4 4 0 0 1 5-1.3L17 7.7l.5 1.8 1.8.5 2.5-2.5a4 4 0 0 1-5.3 5.2L9 20.2a2 2 0 0 1-3-3l7.5-7.4'
    'a4 4 0 0 1 1-3.3z"/>',
}
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="none" stroke="{0}" stroke-width="2" '
    'stroke-linecap="round" stroke-linejoin="round">{1}</g></svg>'
)


def wear(window: QWidget, sheet: str) -> None:
    """Show a window in the colours of the user's system, now and whenever they change."""

    def paint(scheme: Qt.ColorScheme) -> None:
        window.setStyleSheet(sheet % (DARK if scheme is Qt.ColorScheme.Dark else LIGHT))

    hints = QGuiApplication.styleHints()
    hints.colorSchemeChanged.connect(window, paint)
    paint(hints.colorScheme())


def draw(widget: QWidget, icon: str, where: QRectF) -> None:
    """Draw an icon in the colour that the style sheet gives to a widget's text."""
    colour = widget.palette().color(widget.foregroundRole()).name()
    with QPainter(widget) as painter:
        QSvgRenderer(QByteArray(SVG.format(colour, ICONS[icon].format(colour)).encode())).render(painter, where)


class Icon(QLabel):
    """An icon, on a ground of its own when the style sheet says so."""

    def __init__(self, icon: str, size: int, inset: float = 0, name: str = "") -> None:
        super().__init__(objectName=name)
        self.icon = icon
        self.inset = inset
        self.setFixedSize(size, size)

    def paintEvent(self, event: object) -> None:  # noqa: N802 - the name that Qt calls
        super().paintEvent(event)
        draw(self, self.icon, QRectF(self.rect()).adjusted(self.inset, self.inset, -self.inset, -self.inset))


class Button(QPushButton):
    """A button with an icon before its text, or in place of it."""

    def __init__(self, icon: str, text: str = "", name: str = "", left: float = 11, **properties: object) -> None:
        super().__init__(text, objectName=name, **properties)
        self.icon_name = icon
        self.left = left
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def paintEvent(self, event: object) -> None:  # noqa: N802 - the name that Qt calls
        super().paintEvent(event)
        size = 15 if self.text() else 20
        left = self.left if self.text() else (self.width() - size) / 2
        draw(self, self.icon_name, QRectF(left, (self.height() - size) / 2, size, size))
