"""The page of a result: which one is drawn depends on what it is a result of."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.cli.denoise.outcome import Draw

if TYPE_CHECKING:
    from demottle.pipeline.result import Result


def page_of(result: "Result") -> Draw:
    """Return what draws the page from a record (`result.record` with places, times and warnings) into a file."""
    from demottle.pipeline.result import SequenceResult, VolumeResult
    from demottle.report import write_page
    from demottle.report.sequence import write_sequence_page

    def draw(record: dict[str, Any], path: Path) -> None:
        if isinstance(result, SequenceResult):
            compared = result.compared
            write_sequence_page(
                result.before, result.image, result.check, record, path, result.response, compared=compared
            )
        elif isinstance(result, VolumeResult):
            write_page(
                result.before,
                result.image,
                result.check,
                record,
                path,
                texture=result.texture,
                uncertain=result.uncertain,
            )

    return draw
