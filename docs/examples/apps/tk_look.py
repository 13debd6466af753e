"""How the Tk chat looks: colours, fonts, and rounded shapes for the widgets of `ttk`.

Rule 1: shapes and icons are pictures, painted here with smooth edges; `ttk` stretches what is between the corners.
Rule 2: another palette is painted into the same pictures, so every widget that shows one changes with it.
"""

from __future__ import annotations

import itertools
import math
import tkinter as tk
from functools import cache
from tkinter import font, ttk
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Distance = Callable[[float, float], float]
    """How far outside a shape a point is."""
    Layer = tuple[list[float], str]
    """How much of each pixel is covered, and with what."""

LIGHT = {
    "page": "#fbfaf8", "raised": "#ffffff", "sunken": "#f1efeb", "line": "#e3e0d9", "text": "#23221f", "quiet": "#77736a",
    "accent": "#0f6b5c", "on accent": "#ffffff", "mine": "#e6f0ed", "bad": "#a4262c", "bad ground": "#fbeceb", "code": "#f4f2ee",
}  # fmt: skip
DARK = {
    "page": "#171816", "raised": "#1f211f", "sunken": "#262826", "line": "#343734", "text": "#e8e6e0", "quiet": "#9a978e",
    "accent": "#5cc7b2", "on accent": "#10201c", "mine": "#233531", "bad": "#f1908c", "bad ground": "#3a2524", "code": "#121312",
}  # fmt: skip
SANS = ("SF Pro Text", "Segoe UI", "Inter", "Cantarell", "Ubuntu", "Noto Sans", "Liberation Sans", "DejaVu Sans")
MONO = ("SF Mono", "Menlo", "Cascadia Mono", "Consolas", "Ubuntu Mono", "Noto Sans Mono", "Liberation Mono", "DejaVu Sans Mono")

STYLES = {
    ".": ("page", "text", "body"),
    "Title.TLabel": ("page", "text", "bold"),
    "Large.TLabel": ("page", "text", "large"),
    "Quiet.TLabel": ("page", "quiet", "small"),
    "Hint.TLabel": ("raised", "quiet", "body"),
    "Call.TLabel": ("raised", "text", "mono"),
    "Result.TLabel": ("raised", "quiet", "small"),
    "Failure.TLabel": ("bad ground", "bad", "label"),
    "Line.TFrame": ("line", "text", "body"),
    "Bubble.TLabel": ("mine", "text", "body"),
    "Pill.TLabel": ("sunken", "quiet", "small"),
    "Chip.TFrame": ("raised", "text", "body"),
    "Error.TFrame": ("bad ground", "text", "body"),
    "Prompt.TFrame": ("raised", "text", "body"),
    "Tool.TButton": ("raised", "text", "label"),
    "Link.TButton": ("page", "quiet", "small"),
    "Retry.TButton": ("bad ground", "bad", "small"),
    "Act.TButton": ("raised", "text", "body"),
}
"""The ground, the text and the font of each style."""

SHAPES: dict[str, dict[str, Any]] = {
    "Bubble.TLabel": {"radius": 17, "corners": (17, 17, 17, 5), "fill": "mine", "padding": (16, 9)},
    "Pill.TLabel": {"radius": 12, "fill": "sunken", "padding": (10, 3)},
    "Chip.TFrame": {"radius": 11, "fill": "raised", "line": "line", "padding": (12, 6)},
    "Top.TFrame": {"radius": 10, "corners": (10, 10, 0, 0), "fill": "code"},
    "Bottom.TFrame": {"radius": 10, "corners": (0, 0, 10, 10), "fill": "code"},
    "Error.TFrame": {"radius": 12, "fill": "bad ground", "padding": (16, 10)},
    "Prompt.TFrame": {"radius": 19, "fill": "raised", "line": "line", "padding": (18, 7, 8, 7), "focus": {"line": "accent"}},
    "Tool.TButton": {
        "radius": 10, "fill": "raised", "line": "line", "padding": (12, 7),
        "active": {"line": "accent"}, "focus": {"line": "accent"},
    },
    "Link.TButton": {"radius": 7, "fill": "page", "padding": (7, 3), "active": {"fill": "sunken"}, "focus": {"line": "accent"}},
    "Retry.TButton": {
        "radius": 9, "fill": "bad ground", "line": "bad", "padding": (12, 4), "ground": "bad ground",
        "active": {"fill": "page"}, "focus": {"fill": "page"},
    },
    "Act.TButton": {
        "radius": 13, "fill": "accent", "padding": (8, 8), "ground": "raised",
        "disabled": {"fill": "sunken", "line": "sunken"}, "focus": {"line": "text"},
    },
    "Thumb": {
        "radius": 4, "fill": "line", "disabled": {"fill": "page", "line": "page"}, "active": {"fill": "quiet", "line": "quiet"},
    },
}  # fmt: skip
"""The colours of what is rounded, which a state may change; `ground` is what lies around it."""


def arc(x: float, y: float, radius: float, begin: int, end: int) -> list[tuple[float, float]]:
    """Give points of a circle, in degrees clockwise from the right."""
    turns = [math.radians(begin + (end - begin) * step / 8) for step in range(9)]
    return [(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]


ICONS = {
    "wave": [
        [*arc(2, 8.5, 3.5, 90, 0), *arc(7, 8, 1.7, 180, 360), *arc(12, 16, 1.7, 180, 0), *arc(17, 8, 1.7, 180, 360),
         *arc(22, 8.5, 3.5, 180, 90)],
    ],
    "plus": [[(12, 5), (12, 19)], [(5, 12), (19, 12)]],
    "up": [[(12, 19), (12, 5)], [(6, 11), (12, 5), (18, 11)]],
    "cursor": [[(x, 2), (x, 22)] for x in (2, 3, 4, 5, 6, 7, 8)],
    "square": [[(7, y), (17, y)] for y in range(7, 18)],
    "sheets": [[(9, 9), (20, 9), (20, 20), (9, 20), (9, 9)], [(5, 15), (4, 14), (4, 5), (5, 4), (14, 4), (15, 5)]],
    "wrench": [[*arc(16, 8, 5, -10, 280), (16, 8), *arc(16, 8, 5, -10, -10)], [(12, 12), (5, 19)]],
    "sun": [arc(12, 12, 4, 0, 360), *([arc(12, 12, 7.5, a, a)[0], arc(12, 12, 10, a, a)[0]] for a in range(0, 360, 45))],
    "moon": [[*arc(12, 12, 9, 20, 250), *arc(16, 8, 6.7, 205, 65)]],
}  # fmt: skip
"""Strokes in a square of 24."""


class Look:
    """The style of a window; lengths are for 96 dots an inch, and `tk scaling` says how many there are."""

    def __init__(self, root: tk.Tk, palette: dict[str, str]) -> None:
        self.palette = palette
        self._root = root
        self._scale = float(root.tk.call("tk", "scaling")) * 72 / 96
        self._pictures: list[tuple[tk.PhotoImage, str, list[Layer]]] = []
        known = set(font.families(root))
        sans = next((name for name in SANS if name in known), font.nametofont("TkDefaultFont").actual("family"))
        mono = next((name for name in MONO if name in known), font.nametofont("TkFixedFont").actual("family"))
        sizes = {"body": 16, "bold": 16, "label": 14, "name": 14, "small": 13, "large": 24, "gap": 8, "strip": 1, "mono": 14}
        self.fonts = {
            name: font.Font(
                family=mono if name == "mono" else sans,
                size=-self.px(size),
                weight="bold" if name in ("bold", "large", "name") else "normal",
            )
            for name, size in sizes.items()
        }
        self._style = ttk.Style(root)
        self._style.theme_use("default")
        for name, shape in SHAPES.items():
            self._define(name, **shape)
        self._configure()

    def px(self, length: float) -> int:
        """Give a length in pixels of this screen."""
        return round(length * self._scale)

    @cache  # noqa: B019 - a look lives as long as its window
    def icon(self, name: str, colour: str, ground: str, size: int = 16, fill: str = "", radius: int = 0) -> tk.PhotoImage:
        """Paint an icon, on a rounded square if it is to be filled."""
        size = self.px(size)
        inset = size * 0.25 if fill else 0
        unit = (size - 2 * inset) / 24
        strokes = [[(inset + x * unit, inset + y * unit) for x, y in stroke] for stroke in ICONS[name]]
        square = [(_box(size, [self.px(radius)] * 4), fill)] if fill else []
        return self._paint(size, ground, [*square, (_strokes(strokes, 2 * unit), colour)])

    def frame(self, parent: tk.Misc, shape: str) -> ttk.Frame:
        """Make a frame of a shape; the style alone would not keep its content off its edges."""
        style = f"{shape}.TFrame"
        return ttk.Frame(parent, style=style, padding=[self.px(length) for length in SHAPES[style]["padding"]])

    def text(self, parent: tk.Misc, ground: str, **options: Any) -> tk.Text:
        """Make a flat text widget that follows the palette."""
        made = tk.Text(parent, borderwidth=0, highlightthickness=0, padx=0, pady=0, **options)

        def dress(_: object = None) -> None:
            colours = self.palette
            made.configure(background=colours[ground], foreground=colours["text"], insertbackground=colours["accent"])
            made.configure(selectbackground=colours["accent"], selectforeground=colours["on accent"])

        made.bind("<<ThemeChanged>>", dress)  # comes to every widget after `wear`
        dress()
        return made

    def wear(self, palette: dict[str, str]) -> None:
        """Change the colours of everything."""
        self.palette = palette
        for picture in self._pictures:
            self._fill(*picture)
        self._configure()

    def _configure(self) -> None:
        self._root.configure(background=self.palette["page"])
        for name, (ground, text, size) in STYLES.items():
            colours = {"background": self.palette[ground], "foreground": self.palette[text]}
            self._style.configure(name, font=self.fonts[size], borderwidth=0, width=0, **colours)
            self._style.map(name, background=[], foreground=[])
        self._style.configure("Vertical.TScrollbar", troughcolor=self.palette["page"], troughborderwidth=0, borderwidth=0)

    def _define(self, name: str, radius: int, fill: str, padding: tuple[int, ...] = (), **more: Any) -> None:
        """Make an element of a shape, with a picture for each of its states, and the layout of the widgets that lie on it."""
        ground, line = more.pop("ground", "page"), more.pop("line", fill)
        corners = [self.px(corner) for corner in more.pop("corners", (radius,) * 4)]
        radius, width = self.px(radius), max(1, self.px(1))

        def rounded(fill: str = fill, line: str = line) -> tk.PhotoImage:
            size = 2 * radius + 2
            inner = _box(size, [corner - width for corner in corners], inset=width)
            return self._paint(size, ground, [(_box(size, corners), line), (inner, fill)])

        border = (radius, radius if corners[0] else 0, radius, radius if corners[2] else 0)
        shape = "Flat.thumb" if name == "Thumb" else f"{name}.shape"  # a scrollbar moves what is called a thumb
        states = [(state, rounded(**colours)) for state, colours in more.items()]
        self._style.element_create(shape, "image", rounded(), *states, border=border, padding=0, sticky="nsew")
        if name == "Thumb":
            thumb = (shape, {"sticky": "ns", "expand": True})
            self._style.layout("Vertical.TScrollbar", [("Vertical.Scrollbar.trough", {"sticky": "ns", "children": [thumb]})])
            return
        kind = name.rpartition(".T")[2]
        label = [(f"{kind}.padding", {"sticky": "nsew", "children": [(f"{kind}.label", {"sticky": "nsew"})]})]
        inside = {} if kind == "Frame" else {"children": label}
        self._style.layout(name, [(shape, {"sticky": "nsew", **inside})])
        self._style.configure(name, padding=[self.px(length) for length in padding])

    def _paint(self, size: int, ground: str, layers: list[tuple[Distance, str]]) -> tk.PhotoImage:
        """Make a square picture of layers over a ground; what each covers of a pixel stays the same in any palette."""
        points = [(x + 0.5, y + 0.5) for y in range(size) for x in range(size)]
        covers = [([min(1.0, max(0.0, 0.5 - distance(*point))) for point in points], colour) for distance, colour in layers]
        picture = tk.PhotoImage(width=size, height=size)
        self._pictures.append((picture, ground, covers))
        self._fill(picture, ground, covers)
        return picture

    def _fill(self, picture: tk.PhotoImage, ground: str, covers: list[Layer]) -> None:
        size = picture.width()
        pixels = [self.palette[ground]] * size * size
        for cover, colour in covers:
            over = self.palette[colour]
            pixels = [_mixed(under, over, share) for under, share in zip(pixels, cover, strict=True)]
        picture.put(" ".join("{" + " ".join(pixels[begin : begin + size]) + "}" for begin in range(0, size * size, size)))


def _mixed(under: str, over: str, share: float) -> str:
    if share in (0.0, 1.0):
        return over if share else under
    parts = ((int(under[at : at + 2], 16), int(over[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(below + (above - below) * share):02x}" for below, above in parts)


def _box(size: int, corners: list[int], inset: int = 0) -> Distance:
    """Give the distance from a square with the radii of its corners: left and right above, left and right below."""
    half = size / 2

    def distance(x: float, y: float) -> float:
        corner = corners[2 * (y > half) + (x > half)]
        beyond_x, beyond_y = abs(x - half) - half + inset + corner, abs(y - half) - half + inset + corner
        return math.hypot(max(beyond_x, 0), max(beyond_y, 0)) + min(max(beyond_x, beyond_y), 0) - corner

    return distance


def _strokes(strokes: list[list[tuple[float, float]]], width: float) -> Distance:
    """Give how far outside lines of a width a point is."""
    pieces = [piece for stroke in strokes for piece in itertools.pairwise(stroke)]

    def distance(x: float, y: float) -> float:
        return min(_from_piece(x, y, *begin, *end) for begin, end in pieces) - width / 2

    return distance


def _from_piece(x: float, y: float, x1: float, y1: float, x2: float, y2: float) -> float:
    across, down = x2 - x1, y2 - y1
    along = ((x - x1) * across + (y - y1) * down) / ((across * across + down * down) or 1)
    along = min(1.0, max(0.0, along))
    return math.hypot(x - x1 - along * across, y - y1 - along * down)
