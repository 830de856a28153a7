"""The page of a result: which one is drawn depends on what it is a result of."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.cli.denoise.outcome import Draw

if TYPE_CHECKING:
    from demottle.pipeline.result import Result


def page_of(result: "Result") -> Draw:
    """Return what draws the page from a record (`result.record` with places, times and warnings) into a file."""

    def draw(record: dict[str, Any], path: Path) -> None:
        result.save_page(path, record)

    return draw
