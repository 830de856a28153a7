"""The reader: folders and files that `demottle.read` takes, each volume of each series a layer."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from demottle import io
from demottle.errors import DemottleError, InputError
from demottle.image import Image
from demottle.io.formats import DICOM, format_of, stem_of
from demottle.napari.layers import LayerData, layer_of

Paths = str | Sequence[str]


def reader_of(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Return what reads a path, for napari; None where it holds nothing that demottle reads, so that others may try."""
    given = [path] if isinstance(path, str) else list(path)
    return read_layers if given and all(_can_be_read(Path(one)) for one in given) else None


def read_layers(path: Paths) -> list[LayerData]:
    """Read everything under the paths; errors as of `demottle.read`."""
    given = [path] if isinstance(path, str) else path
    return [layer for one in given for layer in _layers(Path(one))]


def _can_be_read(path: Path) -> bool:
    """True where headers say so; of other formats than DICOM the name decides."""
    if path.is_file() and format_of(path) not in (None, DICOM.name):
        return True
    try:
        return bool(io.list_series(path)) or path.is_dir()
    except DemottleError:
        return path.is_dir() and _holds_one_file(path)


def _holds_one_file(folder: Path) -> bool:
    return io.only_file_in(folder).is_file()


def _layers(path: Path) -> Iterator[LayerData]:
    name = stem_of(path)
    only = io.only_file_in(path) if path.is_dir() else path
    if only.is_file() and format_of(only) not in (None, DICOM.name):
        yield _layer(name, lambda own: io.read(only, accept_own_output=own))
        return
    series = io.list_series(path)
    anatomy = [one for one in series if not one.localizer] or series
    for one in anatomy:
        uid = one.uid if len(series) > 1 else None
        title = f"{name} {one.description or one.number}".strip() if len(anatomy) > 1 else name
        parts = io.open_scan(path, series=uid, accept_own_output=True).volumes
        if len(parts) < 2:
            yield _layer(title, partial(_volume, path, uid, None))
            continue
        for number, part in enumerate(parts, start=1):
            yield _layer(f"{title}, {part.label}", partial(_volume, path, uid, number))


def _volume(path: Path, series: str | None, number: int | None, own: bool) -> Image:
    return io.read(path, series=series, volume=number, accept_own_output=own)


def _layer(name: str, read: Callable[[bool], Image]) -> LayerData:
    """A layer of what is read; marked where that was made by demottle, which `read` is told to accept then."""
    try:
        return layer_of(read(False), name)
    except InputError as error:
        if error.remedy != "accept_own_output":
            raise
    return layer_of(read(True), name, verdict="")
