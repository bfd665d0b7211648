"""The figures of `network.md`, drawn: ``python docs/hooks/figures.py`` writes them to ``docs/figures``.

Colours are those of the page around them where there is one (Material's variables), and go by the reader's light or
dark setting where a figure is looked at by itself. Blue is a character part, green a word part, orange a tag part.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

FIGURES = Path(__file__).parents[1] / "figures"
STYLE = """
.fig { --ink: var(--md-default-fg-color, #1e293b); --soft: var(--md-default-fg-color--light, #64748b);
  font-family: var(--md-text-font-family, Helvetica, Arial, sans-serif); font-size: 14px; }
.fig text { fill: var(--ink); text-anchor: middle; dominant-baseline: central; stroke: none; }
.fig .left { text-anchor: start; } .fig .small { font-size: 12px; fill: var(--soft); }
.fig .code { font-family: var(--md-code-font-family, monospace); font-size: 13px; font-weight: 600; }
.fig .head { font-size: 15px; font-weight: 600; }
.fig path, .fig line { stroke: var(--soft); stroke-width: 1.5; fill: none; }
.fig marker path { fill: var(--soft); stroke: none; }
.fig .chars { fill: #3b82f638; stroke: #3b82f6; } .fig .words { fill: #22c55e38; stroke: #16a34a; }
.fig .tags { fill: #f9731638; stroke: #ea7317; } .fig .none { fill: none; stroke: var(--soft); }
.fig .shared { stroke-width: 3.5; }
@media (prefers-color-scheme: dark) { .fig { --ink: var(--md-default-fg-color, #e2e8f0);
  --soft: var(--md-default-fg-color--light, #94a3b8); } }
"""


@dataclass
class Drawing:
    """An SVG under way: shapes in the order in which they are drawn."""

    name: str
    width: int
    height: int
    label: str
    shapes: list[str] = field(default_factory=list)

    def box(self, x: float, y: float, w: float, h: float, kind: str, *, r: float = 7) -> None:
        """A rectangle with its middle at ``x``, ``y``."""
        self.shapes.append(
            f'<rect class="{kind}" x="{x - w / 2:g}" y="{y - h / 2:g}" width="{w:g}" height="{h:g}" rx="{r:g}"/>'
        )

    def circle(self, x: float, y: float, r: float, kind: str) -> None:
        self.shapes.append(f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="{r:g}"/>')

    def text(self, x: float, y: float, text: str, kind: str = "") -> None:
        self.shapes.append(f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(text)}</text>')

    def arrow(self, *points: tuple[float, float], head: bool = True) -> None:
        """Straight lines through the points, a head at the last."""
        way = "L".join(f"{x:g} {y:g}" for x, y in points)
        marker = f' marker-end="url(#{self.name}-head)"' if head else ""
        self.shapes.append(f'<path d="M{way}"{marker}/>')

    def svg(self) -> str:
        head = (
            f'<marker id="{self.name}-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto-start-reverse"><path d="M0 1L10 5L0 9z"/></marker>'
        )
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" class="fig" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(self.label)}">',
            f"<style>{STYLE.strip()}</style>", f"<defs>{head}</defs>", *self.shapes, "</svg>\n",
        ])  # fmt: skip


def one_task() -> Drawing:
    """Figure 1 of the paper: characters, words and CRF of one task; one layer of each GRU is drawn."""
    label = (
        "The characters of a word go through a GRU in both directions; its two last states and the word embedding go "
        "through a word GRU in both directions; its states give the scores of a CRF over tags."
    )
    d = Drawing("one-task", 900, 630, label)
    words, tags = ["Angela", "Merkel", "visited", "Lima"], ["B-PER", "E-PER", "O", "S-LOC"]
    xs = [170.0 + 140 * i for i in range(len(words))]
    tag, forward, backward, joined, word = 45.0, 130.0, 190.0, 265.0, 325.0
    d.box(60, tag, 74, 34, "tags", r=17)
    d.text(60, tag, "START")
    for i, x in enumerate(xs):
        d.box(x, tag, 74, 34, "tags", r=17)
        d.text(x, tag, tags[i])
        d.arrow((xs[i - 1] + 37 if i else 97, tag), (x - 39, tag))
    bidirectional(d, xs, (tag + 17, forward, backward, joined - 15), "words", apart=20, radius=16)
    for i, x in enumerate(xs):
        d.box(x - 27, joined, 54, 30, "chars", r=4)
        d.box(x + 27, joined, 54, 30, "words", r=4)
        d.text(x + 27, word, words[i])
        d.arrow((x + 27, word - 12), (x + 27, joined + 17))
    characters(d, xs[-1] - 27, joined + 17)
    for y, part, lines in (
        (tag, "tags.ner", ["CRF over K tags:", "transitions and START"]),
        ((forward + backward) / 2, "words.english", ["word GRU, H = 300", "in each direction"]),
        (joined, "", ["character vector (2 · 80)", "beside word embedding (50)"]),
        (505.0, "chars.latin", ["character embedding (25),", "character GRU, H = 80", "in each direction"]),
    ):
        legend(d, 690, y, part, lines)
    return d


def characters(d: Drawing, x: float, top: float) -> None:
    """The character GRU of one word; its two last states go up to ``x``, ``top``."""
    symbols = ["⊢", "L", "i", "m", "a", "⊣"]
    xs = [145 + 84.0 * i for i in range(len(symbols))]
    forward, backward, bottom, turn = 465.0, 525.0, 595.0, 405.0
    bidirectional(d, xs, (0, forward, backward, bottom - 16), "chars", apart=14, radius=14)
    for at, symbol in zip(xs, symbols, strict=True):
        d.box(at, bottom, 44, 32, "chars", r=4)
        d.text(at, bottom, symbol)
    d.arrow((xs[-1] - 14, forward - 14), (xs[-1] - 14, turn), (x + 8, turn), (x + 8, top))
    d.arrow((xs[0] + 14, backward - 14), (xs[0] + 14, turn - 14), (x - 8, turn - 14), (x - 8, top))
    d.text(xs[0] + 92, turn - 28, "first backward state", "small")
    d.text(xs[-1] + 50, turn + 24, "last forward state", "small")
    d.text(60, bottom, "characters", "small")


def bidirectional(
    d: Drawing, xs: list[float], levels: tuple[float, float, float, float], kind: str, *, apart: float, radius: float
) -> None:
    """States of a GRU in both directions, beside each other; ``levels``: outputs (0: none), both rows, inputs."""
    out, forward, backward, source = levels
    for i, x in enumerate(xs):
        d.circle(x - apart, forward, radius, kind)
        d.circle(x + apart, backward, radius, kind)
        if i:
            d.arrow((xs[i - 1] - apart + radius, forward), (x - apart - radius - 1, forward))
            d.arrow((x + apart - radius, backward), (xs[i - 1] + apart + radius + 1, backward))
        d.arrow((x - apart, source), (x - apart, forward + radius + 1))
        d.arrow((x + apart, source), (x + apart, backward + radius + 1))
        if out:
            d.arrow((x - apart, forward - radius), (x - apart, out + 2))
            d.arrow((x + apart, backward - radius), (x + apart, out + 2))
    d.text(60, forward, "forward", "small")
    d.text(60, backward, "backward", "small")


def legend(d: Drawing, x: float, y: float, part: str, lines: Iterable[str]) -> None:
    """The name of a part and what it is, in rows around ``y``."""
    rows = [(part, "left code")] * bool(part) + [(line, "left small") for line in lines]
    for i, (text, kind) in enumerate(rows):
        d.text(x, y + 18 * (i - (len(rows) - 1) / 2), text, kind)


PANELS = (  # title, then task -> its word part; what one column of tasks shares is drawn as one box
    ("(a) multi-task", {"pos": "english", "chunks": "english", "ner": "english"}),
    ("(b) cross-lingual", {"en-ner": "english", "es-ner": "spanish", "nl-ner": "dutch"}),
    ("(c) both", {"en-pos": "english", "en-ner": "english", "es-ner": "spanish"}),
)


def sharing() -> Drawing:
    """Figure 2 of the paper, and both at once: which parts three tasks share."""
    label = (
        "Three plans: several tasks of a language share characters and words; one task in several languages shares "
        "characters; tasks and languages together share each of these where they name it."
    )
    d = Drawing("sharing", 960, 400, label)
    for i, (title, tasks) in enumerate(PANELS):
        panel(d, 20 + i * 315.0, title, tasks)
    d.box(330, 378, 30, 16, "none shared", r=4)
    d.text(354, 378, "a thick border: shared by all tasks above it", "left small")
    return d


def panel(d: Drawing, left: float, title: str, tasks: dict[str, str]) -> None:
    step, width, levels = 96.0, 86.0, {"task": 62.0, "tags": 132.0, "words": 212.0, "chars": 292.0}
    middle = left + width / 2 + step
    d.text(middle, 22, title, "head")
    xs = {task: left + width / 2 + step * i for i, task in enumerate(tasks)}
    for task, x in xs.items():
        d.text(x, levels["task"], task)
        d.arrow((x, levels["tags"] - 22), (x, levels["task"] + 14))
        d.box(x, levels["tags"], width, 44, "tags")
        d.text(x, levels["tags"] - 8, "tags", "code")
        d.text(x, levels["tags"] + 10, f".{task}", "small")
        d.arrow((x, levels["words"] - 22), (x, levels["tags"] + 24))
    for part in dict.fromkeys(tasks.values()):
        users = [xs[task] for task, of in tasks.items() if of == part]
        x, w = sum(users) / len(users), users[-1] - users[0] + width
        d.box(x, levels["words"], w, 44, f"words{' shared' if len(users) > 1 else ''}")
        d.text(x, levels["words"] - 8, "words", "code")
        d.text(x, levels["words"] + 10, f".{part}", "small")
        d.arrow((x, levels["chars"] - 22), (x, levels["words"] + 24))
    d.box(middle, levels["chars"], 2 * step + width, 44, "chars shared")
    d.text(middle, levels["chars"] - 8, "chars", "code")
    d.text(middle, levels["chars"] + 10, ".latin", "small")


DRAWINGS = (one_task, sharing)

if __name__ == "__main__":
    for draw in DRAWINGS:
        drawing = draw()
        (FIGURES / f"{drawing.name}.svg").write_text(drawing.svg(), encoding="utf-8")
