"""Maps beside a result: spots that are not noise (the option --map), uncertainty, and spread over the passes of a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demottle.errors import InputError

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.quality.check.spots.spots import SpotMap
    from demottle.quality.uncertainty.derived import Spread, Uncertainty

MAP, UNCERTAINTY, SPREAD = "map", "uncertainty", "spread"
"""What such files are called among those that belong to a result."""

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


def write_uncertainty(found: "Uncertainty | Spread", path: Path, place: Path) -> None:
    """Write the standard error of every voxel, or the spread, in the format that the name says, else in the scan's.

    Args:
        found: what was found.
        path: its name.
        place: where to write in place of it, for who publishes it together with other results.

    Raises:
        OutputError: as `demottle.io.write`.
    """
    from demottle import __version__, io
    from demottle.quality.uncertainty.derived import map_image

    io.write(map_image(found, __version__), path, place=place)
