"""Charts as SVG, drawn by matplotlib, an extra: to stand in a page, light or dark; the same bytes each time."""

import io
import logging
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from polytag.errors import PolytagError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MISSING = "matplotlib is not installed, expected it for plots: pip install 'polytag[reports]'"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8f8f8f", "#b8a200")  # Okabe and Ito's
WIDTH, HEIGHT = 460, 300  # of a panel, in points, of which an inch has 72
MARGINS = {"left": 62, "right": 12, "top": 32, "bottom": 46}  # of a panel
GREY = "#7c7c7c"  # can be read on white and on black
STYLE: Mapping[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # whatever a task is called
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), GREY),
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GREY,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
NOTHING = dict.fromkeys(("Format", "Type", "Creator", "Date"))  # of what matplotlib says in a file about the file

Panel = Callable[["Axes"], None]

logging.getLogger("matplotlib").addHandler(logging.NullHandler())  # its remarks on caches do not go to stderr


def check_matplotlib() -> None:
    """See to it that charts can be drawn, before hours of work that end in one.

    Raises:
        PolytagError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise PolytagError(MISSING) from error


def draw(panels: Sequence[Panel], *, title: str) -> str:
    """The panels side by side as one SVG element, each drawn by a function that gets its axes.

    ``title`` is read to those who cannot see; charts with different titles can stand in one page.

    Raises:
        PolytagError: matplotlib is not installed.
    """
    check_matplotlib()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    width = WIDTH * len(panels)
    with mpl.rc_context({**mpl.rcParamsDefault, **STYLE, "svg.hashsalt": title}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # text is drawn with the reader's fonts
        warnings.filterwarnings("ignore", "Creating legend", UserWarning)  # which is slow where the machine is
        figure = Figure(figsize=(width / 72, HEIGHT / 72))
        for number, panel in enumerate(panels):
            panel(figure.add_axes(_place(number * WIDTH, width)))
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata=NOTHING)
    return _embeddable(file.getvalue(), title)


def _place(left: float, width: float) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of the axes of a panel, as parts of the figure."""
    inner_width = WIDTH - MARGINS["left"] - MARGINS["right"]
    inner_height = HEIGHT - MARGINS["top"] - MARGINS["bottom"]
    return (
        (left + MARGINS["left"]) / width, MARGINS["bottom"] / HEIGHT, inner_width / width, inner_height / HEIGHT
    )  # fmt: skip


def _embeddable(svg: str, title: str) -> str:
    """Without what a page must not hold twice or at all: prologue, style, and ids that nothing refers to."""
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    about = f'class="chart" role="img" aria-label="{escape(title)}" stroke-linejoin="round"'
    return svg.replace("<svg", f"<svg {about}", 1)
