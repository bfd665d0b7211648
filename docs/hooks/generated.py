"""Pages that are made and not written: ``python docs/hooks/generated.py`` writes those of commands, from click, and of
settings, from the plan's models, into ``docs/reference``; the tests see to it that they are as they would be made now.

Pages that have their home beside the code MkDocs has from `on_files`. Links of pages are those of the
repository too, and `on_page_markdown` makes them those of the site.
"""

import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))  # MkDocs loads this file by its path

from command_page import commands_page
from setting_page import settings_page

REFERENCE = Path(__file__).parents[1] / "reference"
MADE = {"commands.md": commands_page, "settings.md": settings_page}
LEAVING = re.compile(r"\]\(((?:\.\./)+[^)#\s]+)")
OUTSIDE = ("CHANGELOG.md", "experiments/**/*.md", "experiments/**/*.svg", "experiments/**/*.csv")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that have their home beside the code."""
    root = Path(config.config_file_path).parent
    for path in outside(root):
        uri = path.relative_to(root).as_posix()
        files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Lead links that leave ``docs`` to the pages of the site that are made from what they name."""
    here = posixpath.dirname(page.file.src_uri)

    def lead(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", here, link[1]))
        is_here = not target.startswith("docs/") and files.get_file_from_path(target) is not None
        return f"]({posixpath.relpath(target, here or '.')}" if is_here else link[0]

    return LEAVING.sub(lead, markdown) if page.file.generated_by is None else markdown


def outside(root: Path) -> Iterator[Path]:
    """Pages, pictures and tables that lie outside ``docs``."""
    for pattern in OUTSIDE:
        yield from sorted(root.glob(pattern))


if __name__ == "__main__":
    for name, page in MADE.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
