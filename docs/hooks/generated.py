"""Pages that are made and not written: commands from click, settings from the plan's models, results from their homes.

MkDocs calls `on_files` before it reads a page. What it adds is in no folder of the sources, so it cannot go stale.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))  # MkDocs loads this file by its path

from command_page import commands_page
from setting_page import settings_page

OUTSIDE = ("CHANGELOG.md", "experiments/**/*.md", "experiments/**/*.svg", "experiments/**/*.csv")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and those that have their home beside the code."""
    root = Path(config.config_file_path).parent
    for uri, content in {"reference/commands.md": commands_page(), "reference/settings.md": settings_page()}.items():
        files.append(File.generated(config, uri, content=content))
    for path in outside(root):
        uri = path.relative_to(root).as_posix()
        files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def outside(root: Path) -> Iterator[Path]:
    """Pages, pictures and tables that lie outside ``docs``."""
    for pattern in OUTSIDE:
        yield from sorted(root.glob(pattern))
