"""Line charts as SVG, without any library: what a training writes at every epoch must cost a millisecond and no extra.

A chart is one or more panels side by side; a panel has two axes and some series. The same input gives the same bytes.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b8a200")  # Okabe and Ito's
WIDTH, HEIGHT = 460, 300  # of a panel, in pixels
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 34, 46
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:13px}"
    ".grid{stroke:#e4e4e4}.axis{stroke:#888}.mark{stroke:#999;stroke-dasharray:3 3}"
)

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis measures, where it begins and ends, and its ticks with their texts."""

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value lies between the two ends, 0 to 1."""
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return (at - low) / (high - low) if high > low else 0.5


@dataclass(frozen=True, slots=True)
class Series:
    """A line through points, single dots, and a band between a low and a high line."""

    name: str
    points: Sequence[Point]
    colour: int = 0
    dashed: bool = False
    dots: Sequence[Point] = ()
    band: Sequence[tuple[float, float, float]] = ()  # x, low, high
    sizes: Sequence[float] = ()  # radius of the mark at each point, in pixels


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart; ``marks`` are vertical lines with a text. The legend stands where ``falling`` lines leave room."""

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    marks: Sequence[tuple[float, str]] = ()
    falling: bool = False


def axis(label: str, values: Iterable[float], *, whole: bool = False) -> Axis:
    """An axis with about five round ticks around values; ``whole`` for numbers of things."""
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    if low == high:
        low, high = low - 1, high + 1
    step = _round_step((high - low) / 5, whole=whole)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = [(n * step, f"{n * step:.6g}") for n in range(first, last + 1)]
    return Axis(label, ticks[0][0], ticks[-1][0], ticks)


def log_axis(label: str, ticks: Sequence[tuple[float, str]]) -> Axis:
    """A logarithmic axis with a little room around its ticks, which are above 0."""
    values = [value for value, _ in ticks]
    return Axis(label, min(values) / 1.15, max(values) * 1.15, ticks, log=True)


def draw(panels: Sequence[Panel], *, title: str = "") -> str:
    """The panels as one SVG document, which may also stand within a page; ``title`` is read to those who cannot see."""
    width = WIDTH * len(panels)
    inner = "".join(
        f'<g transform="translate({number * WIDTH} 0)">{_panel(panel)}</g>' for number, panel in enumerate(panels)
    )
    name = escape(title or "; ".join(panel.title for panel in panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
        f'height="{HEIGHT}" role="img" aria-label="{name}"><style>{STYLE}</style>'
        f'<rect width="{width}" height="{HEIGHT}" fill="white"/>{inner}</svg>\n'
    )


def _round_step(step: float, *, whole: bool) -> float:
    """The least of 1, 2, 5, 10, ... times a power of ten that is not below ``step``."""
    power = 10.0 ** math.floor(math.log10(step))
    found = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))
    return max(1.0, found) if whole else found


def _x(panel: Panel, value: float) -> float:
    return LEFT + panel.x.place(value) * (WIDTH - LEFT - RIGHT)


def _y(panel: Panel, value: float) -> float:
    return HEIGHT - BOTTOM - panel.y.place(value) * (HEIGHT - TOP - BOTTOM)


def _panel(panel: Panel) -> str:
    parts = [_text(LEFT, 18, panel.title, kind="title"), *_grid(panel)]
    for value, name in panel.marks:
        x = _x(panel, value)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        beyond = panel.x.place(value) > 0.6
        parts.append(_text(x + (-4 if beyond else 4), TOP + 10, name, anchor="end" if beyond else "start"))
    parts += [part for series in panel.series for part in _series(panel, series)]
    return "".join([*parts, *_legend([one for one in panel.series if one.name], on_top=panel.falling)])


def _grid(panel: Panel) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for value, text in panel.y.ticks:
        y = _y(panel, value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(LEFT - 6, y + 4, text, anchor="end"))
    for value, text in panel.x.ticks:
        x = _x(panel, value)
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}"/>')
        parts.append(_text(x, bottom + 17, text, anchor="middle"))
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    parts.append(_text((LEFT + right) / 2, HEIGHT - 10, panel.x.label, anchor="middle"))
    middle = (TOP + bottom) / 2
    turned = f'transform="rotate(-90 14 {middle:.1f})"'
    return [*parts, _text(14, middle, panel.y.label, anchor="middle", more=turned)]


def _series(panel: Panel, series: Series) -> list[str]:
    colour = COLOURS[series.colour % len(COLOURS)]
    parts = []
    if series.band:
        upper = [(x, high) for x, _, high in series.band]
        lower = [(x, low) for x, low, _ in reversed(series.band)]
        parts.append(f'<polygon points="{_places(panel, [*upper, *lower])}" fill="{colour}" opacity="0.15"/>')
    dash = ' stroke-dasharray="5 4"' if series.dashed else ""
    line = _places(panel, series.points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8"{dash}/>')
    marked = () if series.dashed or len(series.points) > 60 else series.points
    sizes = series.sizes or [3.0] * len(marked)
    parts += [_circle(panel, point, size, colour) for point, size in zip(marked, sizes, strict=False)]
    return [*parts, *(_circle(panel, point, 2, colour, opacity=0.45) for point in series.dots)]


def _circle(panel: Panel, point: Point, size: float, colour: str, *, opacity: float = 1) -> str:
    x, y = _x(panel, point[0]), _y(panel, point[1])
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.3g}" fill="{colour}" opacity="{opacity}"/>'


def _places(panel: Panel, points: Iterable[Point]) -> str:
    return " ".join(f"{_x(panel, x):.1f},{_y(panel, y):.1f}" for x, y in points)


def _legend(series: Sequence[Series], *, on_top: bool) -> list[str]:
    """Names in a corner on the right, one below the other, on a ground that lets them be read over lines."""
    if not series:
        return []
    longest, height = max(len(one.name) for one in series), 16 * len(series)
    x, y = WIDTH - RIGHT - 7 * longest - 34, TOP + 16 if on_top else HEIGHT - BOTTOM - height - 8
    parts = [
        f'<rect x="{x}" y="{y}" width="{7 * longest + 30}" height="{height + 4}" fill="white" opacity="0.8" rx="3"/>'
    ]
    for number, one in enumerate(series):
        at = y + 12 + 16 * number
        colour, dash = COLOURS[one.colour % len(COLOURS)], ' stroke-dasharray="5 4"' if one.dashed else ""
        parts.append(
            f'<line x1="{x + 4}" x2="{x + 22}" y1="{at - 4}" y2="{at - 4}" stroke="{colour}" stroke-width="2"{dash}/>'
        )
        parts.append(_text(x + 27, at, one.name))
    return parts


def _text(x: float, y: float, text: str, *, anchor: str = "start", kind: str = "", more: str = "") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{name} {more}>{escape(text)}</text>'
