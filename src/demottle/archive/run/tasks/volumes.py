"""The volumes of a series: most have one, others an echo, phase or kernel each."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.archive.run.order import Job, Order
from demottle.errors import InputError

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.io import Opened


def volumes_of(order: Order, job: Job, results: bool = False) -> "Iterator[tuple[Image, bool]]":
    """Read the volumes of a series one after the other, each with whether it holds phase images.

    Args:
        order: says where the archive is.
        job: says which series it is, and which files it has.
        results: take demottle's own results, too.

    Raises:
        InputError: one sentence on what is wrong with it.
    """
    from demottle import io

    files = [order.root / name for name in job.files]
    _refuse_changed(files, job)
    opened = io.open_files(order.root / job.folder, files, series=job.series_uid or None, accept_own_output=results)
    return _read(opened)


def volumes_in(folder: Path) -> "Iterator[tuple[Image, bool]]":
    """Read the volumes of a result that an earlier run has left; as `volumes_of`."""
    from demottle import io

    return _read(io.open_scan(folder, accept_own_output=True))


def _read(opened: "Opened") -> "Iterator[tuple[Image, bool]]":
    if len(opened.volumes) < 2:
        yield opened.read(None), False
        return
    for part in opened.volumes:
        yield opened.read(part.number), part.phase


def _refuse_changed(files: list[Path], job: Job) -> None:
    """Refuse a series that is no longer what was indexed: a slice that is cut short or gone would be left out."""
    if not files:
        raise InputError("The index knows no file of the series that could be read; index the archive again.")
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        raise InputError(f"The file {missing} is missing (moved, or a broken link?); index the archive again.")
    if sum(file.stat().st_size for file in files) != job.size:
        raise InputError("The files of the series have changed since the archive was indexed; index it again.")
