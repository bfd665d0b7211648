"""``python -m polytag``."""

from polytag.cli import main

main()
