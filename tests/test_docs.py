"""The documentation is true: every block of every page runs, every command stands in it, the site builds."""

import importlib.util
import logging
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from polytag.cli import COMMANDS
from tests.documentation import RUN, Block, before, blocks, commands, parse, run_page

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, *sorted(page for page in DOCS.rglob("*.md") if page.parent.name != "benchmarks")]
BLOCKS = [block for page in PAGES for block in blocks(page)]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory, programs: str) -> Callable[[Path], Path]:
    """The directory that a page's blocks leave behind; each page is run once, after the one that it builds on."""
    left: dict[Path, Path] = {}

    def of(page: Path) -> Path:
        if page not in left:
            folder = tmp_path_factory.mktemp(page.stem)
            if earlier := before(page):
                shutil.copytree(of(earlier), folder, dirs_exist_ok=True, symlinks=True)
            else:
                (folder / "examples").symlink_to(ROOT / "examples")
            run_page(page, folder, programs)
            left[page] = folder
        return left[page]

    return of


@pytest.mark.parametrize("page", [page for page in PAGES if any(b.language in RUN for b in blocks(page))], ids=name_of)
def test_every_block_of_a_page_runs(page: Path, after: Callable[[Path], Path]) -> None:
    assert after(page).is_dir()


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "sh"], ids=lambda block: block.place)
def test_command_lines_are_valid(block: Block) -> None:
    for arguments in commands(block.code):
        if arguments[-1] not in ("--help", "--version"):
            parse(arguments)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_indented_command_lines_are_valid(page: Path) -> None:
    for line in re.findall(r"^ {4}((?:polytag|torchrun) .+)$", page.read_text("utf-8"), re.MULTILINE):
        (arguments,) = commands(re.sub(r"\s#.*", "", line))
        parse(arguments)


def test_blocks_are_of_known_kinds() -> None:
    kinds = {block.language for block in BLOCKS}
    assert kinds <= {*RUN, "toml", "text", "json"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme_or_a_written_page(command: str) -> None:
    assert any(f"polytag {command}" in page.read_text(encoding="utf-8") for page in PAGES)


@pytest.mark.parametrize("page", [README, *sorted(DOCS.rglob("*.md"))], ids=name_of)
def test_links_lead_to_files_of_the_repository(page: Path) -> None:
    """So pages can be read there; that links lead to pages of the site, the build checks."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", README.read_text(encoding="utf-8"))) <= targets


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning is an error."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    heard = Warnings()
    logging.getLogger("mkdocs").addHandler(heard)
    try:
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=False))
    finally:
        logging.getLogger("mkdocs").removeHandler(heard)
    assert not heard.messages
    return folder


class Warnings(logging.Handler):
    """Keeps what is told as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def test_the_site_builds_without_a_warning(site: Path) -> None:
    assert (site / "index.html").exists()


def test_the_site_asks_nobody_else(site: Path) -> None:
    """Whatever a browser loads by itself comes from the site: scripts, styles, pictures, fonts."""
    loaded = re.compile(r"""<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)=["']?(?:https?:)?//[^>]*>""")
    imported = re.compile(r"""(?:@import|url\()\s*["']?(?:https?:)?//""")
    for page in site.rglob("*.html"):
        links = loaded.findall(page.read_text(encoding="utf-8"))
        assert all('rel="canonical"' in link for link in links), page
    for sheet in site.rglob("*.css"):
        assert not imported.search(sheet.read_text(encoding="utf-8")), sheet


def test_commands_and_settings_are_complete(site: Path) -> None:
    from polytag.plan.parts import Chars, Tags, Words
    from polytag.plan.task import Task
    from polytag.plan.training import Initialisation, Training

    page = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f'id="polytag-{command}"' in page
    page = (site / "reference" / "settings.html").read_text(encoding="utf-8")
    for table in (Chars, Words, Tags, Task, Training, Initialisation):
        for setting, field in table.settings().items():
            assert f"<code>{setting}" in page
            assert field.description or setting == "columns", f"{table.__name__}.{setting} has no description"


@pytest.mark.parametrize("name", ["commands.md", "settings.md"])
def test_made_pages_are_as_they_would_be_made_now(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", sys.path)
    made = hook("generated").MADE[name]()
    written = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert written == made, f"docs/reference/{name} is old: python docs/hooks/generated.py writes it anew"


def test_public_names_are_in_the_reference(site: Path) -> None:
    import polytag

    page = (site / "reference" / "python.html").read_text(encoding="utf-8")
    for name in polytag.__all__:
        assert re.search(rf'id="polytag\.[\w.]*\b{name}"', page), name


def test_figures_are_those_that_are_drawn() -> None:
    figures = hook("figures")
    for draw in figures.DRAWINGS:
        drawing = draw()
        assert (DOCS / "figures" / f"{drawing.name}.svg").read_text(encoding="utf-8") == drawing.svg()


def hook(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / "hooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
