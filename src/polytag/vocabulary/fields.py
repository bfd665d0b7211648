"""What vocabularies are in a pickle."""

from dataclasses import fields
from typing import Any


class Fields:
    """A dataclass that pickles as its fields: what it has worked out of them is worked out again."""

    def __getstate__(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]
