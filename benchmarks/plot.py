"""A table drawn as horizontal bars on a logarithmic scale: SVG that is readable on light and on dark pages.

Rule 1: no script and no font of its own; the colours follow the reader's `prefers-color-scheme`.
Rule 2: the numbers stand beside the bars, so that nothing depends on a colour.
"""

import math
from xml.sax.saxutils import escape

from benchmarks.harness import Row, Table

_WIDTH = 760
_LEFT = 210
_RIGHT = 80
_BAR = 20
_STEP = 30
_TOP = 64
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .faint { fill: #59636e }
  line { stroke: #d1d9e0 }
  .floor { fill: #818b98 }
  .ours { fill: #0969da }
  .peer { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .faint { fill: #9198a1 }
    line { stroke: #3d444d }
    .floor { fill: #9198a1 }
    .ours { fill: #4493f8 }
    .peer { fill: #db6d28 }
  }
"""


def drawn(table: Table) -> str:
    """Draw the ratios of a table; rows without one are left out."""
    rows = [row for row in table.rows if row.ratio is not None]
    ratios = [row.ratio for row in rows if row.ratio is not None]
    low = 10.0 ** math.floor(math.log10(min(ratios, default=1.0) * 0.999))
    high = 10.0 ** math.ceil(math.log10(max(ratios, default=1.0) * 1.001))
    low, high = min(low, 0.1), max(high, 10.0)
    bottom = _TOP + _STEP * len(rows)

    def across(ratio: float) -> float:
        part = (math.log10(ratio) - math.log10(low)) / (math.log10(high) - math.log10(low))
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)

    ticks = [10.0**power for power in range(round(math.log10(low)), round(math.log10(high)) + 1)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + 36}" role="img" aria-labelledby="title">',
        f"<style>{_STYLE}</style>",
        f'<title id="title">{escape(table.question)}, as multiples of the {escape(table.floor)}</title>',
        f'<text class="title" x="16" y="26">{escape(table.question)}</text>',
        f'<text class="faint" x="16" y="46">multiples of the {escape(table.floor)}, logarithmic; shorter is better</text>',
    ]
    for tick in ticks:
        parts.append(f'<line x1="{across(tick):.1f}" y1="{_TOP - 4}" x2="{across(tick):.1f}" y2="{bottom}"/>')
        parts.append(f'<text class="faint" x="{across(tick):.1f}" y="{bottom + 20}" text-anchor="middle">{tick:g} x</text>')
    for number, row in enumerate(rows):
        parts += _bar(row, _TOP + _STEP * number, across(row.ratio or low))
    return "\n".join([*parts, "</svg>", ""])


def _bar(row: Row, top: int, end: float) -> list[str]:
    middle = top + _BAR * 0.75
    return [
        f'<text x="{_LEFT - 10}" y="{middle}" text-anchor="end">{escape(row.what)}</text>',
        f'<rect class="{row.who}" x="{_LEFT}" y="{top}" width="{max(end - _LEFT, 1):.1f}" height="{_BAR}" rx="2"/>',
        f'<text x="{max(end, _LEFT) + 8:.1f}" y="{middle}">{_shown(row.ratio or 0)} x</text>',
    ]


def _shown(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:.0f}"
