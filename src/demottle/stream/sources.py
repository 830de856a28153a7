"""From what a user names to frames: a file, a folder that is being written, standard input, a port of this machine."""

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from demottle.errors import InputError
from demottle.image import Image, Voxels
from demottle.stream.folder import folder_frames, frames_in, read_npy_frame
from demottle.stream.raw import RawGeometry, TcpSource, raw_frames

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Source:
    """Frames and what is known of them.

    Attributes:
        frames: to be gone through once.
        image: where they come from a file.
        geometry: where they come as bytes.
        port: where they come over TCP.
        at_hand: how many were there already when a folder was opened.
    """

    frames: Iterable[Voxels]
    image: Image | None = None
    geometry: RawGeometry | None = None
    port: int | None = None
    at_hand: int = 0


def open_source(name: str, geometry: RawGeometry | None, read: Callable[[Path], Image]) -> Source:
    """Open a source.

    Args:
        name: "-", "tcp:PORT" (0: any free one), a folder, or a file.
        geometry: geometry of bare bytes; needed for the first two, and only for them.
        read: reads an image file.

    Raises:
        InputError: where there is no such source, or the geometry is missing or of no use.
    """
    tcp = re.fullmatch(r"tcp:(\d+)", name)
    if name == STANDARD_INPUT or tcp:
        if geometry is None:
            raise InputError("Bare bytes need their geometry, such as 512x512xuint16.", remedy="raw")
        if tcp:
            server = TcpSource(int(tcp[1]), geometry)
            return Source(server, geometry=geometry, port=server.port)
        # Unbuffered: a thread that waits for a stalled source must hold no lock that Python's end would wait for.
        stdin = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
        return Source(raw_frames(stdin, geometry), geometry=geometry)
    if geometry is not None:
        raise InputError(
            "A geometry is for bare bytes (- or tcp:PORT); leave it out for files, which state it themselves."
        )
    path = Path(name)
    if path.is_dir():
        return Source(folder_frames(path, lambda file: _one_frame(file, read)), at_hand=frames_in(path))
    image = read(path)
    _refuse_volume(image, path)
    return Source(image.voxels, image=image)


def _one_frame(path: Path, read: Callable[[Path], Image]) -> Voxels:
    if path.suffix.lower() == ".npy":
        return read_npy_frame(path)
    image = read(path)
    _refuse_volume(image, path)
    if image.shape[0] != 1:
        raise InputError(f"{path} holds {image.shape[0]} frames; in a folder each file is one.")
    frame: Voxels = image.voxels[0]
    return frame


def _refuse_volume(image: Image, path: Path) -> None:
    """Slices of a patient are not frames over time, and what is averaged over them is anatomy."""
    if image.sequence or image.modality == "OT":  # where the file does not say, the user does, who calls it a stream
        return
    one = "a slice" if image.shape[0] == 1 else "a volume of slices"
    raise InputError(
        f"{path} holds {one} ({image.modality}), but only frames over time can be streamed; denoise the scan as a whole instead."
    )
