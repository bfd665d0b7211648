"""Self-contained pages: one file with its style and its script inside, which loads nothing from anywhere."""

import hashlib
from base64 import b64encode
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from polytag.errors import PolytagError

MISSING = "HTML reports need Jinja2, which is not installed: pip install 'polytag[reports]'"
PAGES = files("polytag.reports").joinpath("pages")


def check_jinja() -> None:
    """See to it that pages can be made, before any work.

    Raises:
        PolytagError: Jinja2 is not installed.
    """
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise PolytagError(MISSING) from error


def render(template: str, **values: Any) -> str:
    """A page from a template of ``pages``; everything that it is given is text, never markup.

    Raises:
        PolytagError: Jinja2 is not installed.
    """
    check_jinja()
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["percent"] = lambda fraction: f"{100 * fraction:.1f}"
    script = _read("page.js")
    page = environment.get_template(template)
    return page.render(
        **values, style=_read("page.css"), script=script, script_hash=_digest(script), version=version("polytag")
    )


def _read(name: str) -> str:
    return PAGES.joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """What the page's policy admits as its only script."""
    return f"sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
