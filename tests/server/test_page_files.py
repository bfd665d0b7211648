"""The page's own files, without a browser: colours that can be read and told apart, labels, nothing from elsewhere."""

import re
from itertools import combinations

import pytest

from polytag.server.app import PAGE

CSS, HTML, JS = ((PAGE / name).read_text(encoding="utf-8") for name in ("page.css", "index.html", "page.js"))
COLOURS = dict(re.findall(r"\.c(\d) \{ --of: (#[0-9a-f]+) \}", CSS))
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): ([#\w%]+)", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
)
# Linear RGB to what people without the cones for long or middle waves see (Viénot, Brettel and Mollon 1999).
BLIND = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no long waves": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "no middle waves": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
}

Colour = tuple[float, ...]


def rgb(code: str) -> Colour:
    digits = code.removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    return tuple(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))


def linear(colour: Colour) -> Colour:
    return tuple(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)


def contrast(one: Colour, other: Colour) -> float:
    """As WCAG has it."""
    low, high = sorted(
        sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(of), strict=True)) for of in (one, other)
    )
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
def test_text_on_each_colour_can_be_read(theme: dict[str, str]) -> None:
    share, sheet, ink = float(theme["tint"].strip("%")) / 100, rgb(theme["sheet"]), rgb(theme["ink"])
    for code in COLOURS.values():
        mixed = tuple(share * c + (1 - share) * s for c, s in zip(rgb(code), sheet, strict=True))
        assert contrast(mixed, ink) >= 4.5, code
    for text, ground in (("ink", "paper"), ("quiet", "paper"), ("on-main", "main"), ("error", "paper")):
        assert contrast(rgb(theme[text]), rgb(theme[ground])) >= 4.5, text


@pytest.mark.parametrize("eyes", BLIND)
def test_colours_can_be_told_apart_by_all(eyes: str) -> None:
    assert len(COLOURS) == int(re.findall(r"const COLOURS = (\d)", JS)[0])
    seen = {
        name: tuple(sum(w * c for w, c in zip(row, linear(rgb(code)), strict=True)) for row in BLIND[eyes])
        for name, code in COLOURS.items()
    }
    for one, other in combinations(seen, 2):
        apart = max(abs(a - b) for a, b in zip(seen[one], seen[other], strict=True))
        assert apart >= 0.04, (eyes, COLOURS[one], COLOURS[other])


def test_every_control_has_a_label_and_every_id_is_there_once() -> None:
    ids = re.findall(r'\bid="([\w-]+)"', HTML)
    assert len(ids) == len(set(ids))
    for control in re.findall(r'<(?:select|textarea)[^>]* id="([\w-]+)"', HTML):
        assert f'<label for="{control}">' in HTML
    assert set(re.findall(r'\$\("([\w-]+)"\)', JS)) <= set(ids)


def test_nothing_comes_from_elsewhere() -> None:
    assert re.findall(r"https?://", HTML + CSS + JS) == []
    assert "innerHTML" not in JS
