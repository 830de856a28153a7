"""The option --map: spots that are not noise as an image beside the result."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demottle.errors import InputError

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.quality.check.spots.spots import SpotMap

MAP = "map"
"""What such a file is called among those that belong to a result."""

SpotMapFile = Annotated[
    Path | None,
    typer.Option("--map", metavar="FILE", help="Write the map of spots that are not noise (CT)."),
]


def refuse_no_map(found: "SpotMap | None") -> None:
    """Raise InputError where there is no map to write."""
    if found is None:
        raise InputError("There is no map of spots: it takes CT in HU with a body in it; leave out --map.")


def write_map(scan: "Image", found: "SpotMap | None", path: Path, place: Path) -> None:
    """Write the map of a scan, in the format that the name says, else in the scan's.

    Args:
        scan: what the map is of.
        found: its map.
        path: its name.
        place: where to write in place of it, for who publishes it together with other results.

    Raises:
        InputError: there is no map.
        OutputError: as `demottle.io.write`.
    """
    from demottle import __version__, io
    from demottle.quality.check.spots.derived import map_image

    refuse_no_map(found)
    assert found is not None
    io.write(map_image(scan, found, __version__), path, place=place)
