"""Siemens MOSAIC objects, with a CSA header written by hand."""

import struct
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from tests.io.volumes.objects import mr_slice

TILE = (24, 20)
CORNER, GAP = np.array([-20.0, -25.0, 7.0]), 4.0
SPACING = (1.5, 1.25)


def csa_header(**tags: tuple[str, list[str]]) -> bytes:
    """A CSA header of the second kind ("SV10") with these tags: (value representation, values)."""
    made = b"SV10\4\3\2\1" + struct.pack("<2I", len(tags), 77)
    for name, (vr, values) in tags.items():
        made += struct.pack("<64si4s3i", name.encode(), len(values), vr.encode(), 0, len(values), 77)
        for value in values:
            data = value.encode() + b"\0"
            made += struct.pack("<4i", len(data), len(data), 77, len(data)) + data + b"\0" * (-len(data) % 4)
    return made


def mosaic(
    volume: np.ndarray,
    number: int = 1,
    *,
    csa: bool = True,
    count: bool = True,
    downwards: bool = False,
    axes: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
    **values: Any,
) -> Dataset:
    """One volume (slices, rows, columns) as a mosaic whose first slice has its corner at `CORNER`."""
    slices, rows, columns = volume.shape
    side = int(np.ceil(np.sqrt(slices)))
    whole = np.zeros((side * rows, side * columns), np.uint16)
    for index, plane in enumerate(volume):
        row, column = divmod(index, side)
        whole[row * rows :][:rows, column * columns :][:, :columns] = plane
    across, down = np.array(axes[:3]), np.array(axes[3:])
    outside = (side - 1) / 2 * (columns * SPACING[1] * across + rows * SPACING[0] * down)
    normal = np.cross(across, down) * (-1 if downwards else 1)
    place = [round(float(v), 6) for v in CORNER - outside]
    common = {
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
        "Manufacturer": "SIEMENS",
        "SliceThickness": "3",
        "SpacingBetweenSlices": str(GAP),
        "PixelSpacing": list(SPACING),
        "ImageOrientationPatient": list(axes),
        "ImagePositionPatient": place,
        "AcquisitionNumber": number,
    }
    dataset = mr_slice(0, number, whole, **{**common, **values})
    if count:
        dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", slices)
    if csa:
        tags = {
            "NumberOfImagesInMosaic": ("US", [str(slices)]),
            "SliceNormalVector": ("FD", [f"{v:.8f}" for v in normal]),
        }
        dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", csa_header(**tags))
    return dataset


def volume(seed: int, slices: int = 7) -> np.ndarray:
    """A volume whose slices can be told apart."""
    rng = np.random.default_rng(seed)
    planes = 300 + 100 * np.arange(slices)[:, None, None] + rng.normal(0, 20, (slices, *TILE))
    return np.clip(planes, 1, 4095).astype(np.uint16)
