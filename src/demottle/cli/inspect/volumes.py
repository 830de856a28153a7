"""`demottle inspect` for a series with several volumes: what distinguishes each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import heading, out, show_json

if TYPE_CHECKING:
    from demottle.io.volumes.series import Part


def show_volumes(parts: "Sequence[Part]", as_json: bool) -> None:
    """Show a numbered list, as JSON or as a table."""
    if as_json:
        show_json({"volumes": [_as_mapping(part) for part in parts]})
        return
    heading("Volumes", f"{len(parts)} in one series")
    table = Table(box=None, padding=(0, 3, 0, 2), header_style="dim", pad_edge=False)
    table.add_column("", justify="right")
    for name in ("what distinguishes it", "size"):
        table.add_column(name, overflow="fold")
    for part in parts:
        table.add_row(str(part.number), Text(part.label), Text(part.size))
    out.print(table)
    out.print()
    out.print(
        "  --volume N measures one of them; denoise takes all of them, each by itself, or the one chosen.", style="dim"
    )


def _as_mapping(part: "Part") -> dict[str, object]:
    first = part.volumes[0]
    slices = len(first.slices)
    return {
        "number": part.number,
        "label": part.label,
        "over_time": len(part.volumes),
        "shape": [slices, first.slices[0].rows, first.slices[0].columns],
        "size": part.size,
        "positions_mm": [float(first.places[0]), float(first.places[-1])],
    }
