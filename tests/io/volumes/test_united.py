"""GRID of United Imaging: slices as tiles of one image, in rows that need not be as many as the columns.

rordenlab/dcm2niix #225 (where the vendor describes it) and #993 at https://github.com/OWNER/NAME/issues/NUMBER.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from tests.io.reports.checks import errors_of
from tests.io.volumes.objects import mr_slice, save_all

from demottle.errors import InputError
from demottle.io import open_scan, read, write

TILE, AXES, CORNER, GAP = (24, 20), (1.0, 0.0, 0.0, 0.0, 0.8, 0.6), np.array([-20.0, -25.0, 7.0]), 4.0
NORMAL = np.array([0.0, -0.6, 0.8])


def place(index: int) -> list[float]:
    return [round(float(value), 6) for value in CORNER + index * GAP * NORMAL]


def grid(
    volume: np.ndarray, number: int = 1, *, frames: bool = True, b_value: float | None = None, **values: Any
) -> Dataset:
    slices, rows, columns = volume.shape
    across = int(np.ceil(np.sqrt(slices)))
    down = int(np.ceil(slices / across))
    whole = np.zeros((down * rows, across * columns), np.uint16)
    for index, plane in enumerate(volume):
        row, column = divmod(index, across)
        whole[row * rows :][:rows, column * columns :][:, :columns] = plane
    common = {
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "VFRAME"],
        "Manufacturer": "UIH",
        "SpacingBetweenSlices": str(GAP),
    }
    common |= {"ImageOrientationPatient": list(AXES), "ImagePositionPatient": place(0), "AcquisitionNumber": number}
    dataset = mr_slice(0, number, whole, **{**common, **values})
    block = dataset.private_block(0x0065, "Image Private Header", create=True)
    block.add_new(0x50, "DS", str(slices))
    if b_value is not None:
        block.add_new(0x09, "FD", b_value)
    if frames:
        items = []
        for index in range(slices):
            item = Dataset()
            item.ImagePositionPatient = place(index)
            items.append(item)
        block.add_new(0x51, "SQ", items)
    return dataset


def volume(seed: int, slices: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (300 + 100 * np.arange(slices)[:, None, None] + rng.normal(0, 20, (slices, *TILE))).astype(np.uint16)


@pytest.mark.parametrize("slices", [1, 5, 6, 7, 12, 27])
def test_slices_lie_where_the_private_sequence_puts_them(tmp_path: Path, slices: int) -> None:
    """27 are 6 x 5 tiles."""
    stored = volume(1, slices)
    image = read(save_all([grid(stored)], tmp_path / "in"))
    np.testing.assert_array_equal(image.voxels, stored)
    places = [header.position for header in image.source.payload.slices]  # type: ignore[union-attr]
    np.testing.assert_allclose(places, [place(index) for index in range(slices)], atol=1e-6)
    assert image.spacing == pytest.approx((GAP, 1.5, 1.25))


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian])
def test_a_grid_comes_out_as_a_grid(
    tmp_path: Path, denoised: Callable, program: Callable[[str], str], syntax: str | None
) -> None:
    """Also where the file does not say that the private element is a sequence."""
    source = grid(volume(2, 7))
    if syntax:
        source.file_meta.TransferSyntaxUID = syntax
    image = read(save_all([source], tmp_path / "in"))
    (written,) = write(denoised(image, 5), tmp_path / "out").iterdir()
    after = pydicom.dcmread(written)
    before = np.frombuffer(source.PixelData, "<u2").reshape(source.Rows, source.Columns)
    np.testing.assert_array_equal(
        after.pixel_array, np.where(before > 0, before + 5, before)
    )  # unused tiles as they were
    assert "VFRAME" in after.ImageType
    assert errors_of(written, program) == []
    np.testing.assert_array_equal(read(written, accept_own_output=True).voxels, image.voxels + 5)


def test_volumes_over_diffusion_weighting_are_one_series(tmp_path: Path, denoised: Callable) -> None:
    stored = [volume(seed, 6) for seed in range(5)]
    objects = [grid(one, number + 1, b_value=500.0 * number) for number, one in enumerate(stored)]
    folder = save_all(objects, tmp_path / "in")
    (part,) = open_scan(folder).volumes
    assert part.over_time and len(part.volumes) == 5
    image = read(folder)
    assert image.sequence and image.shape[0] == 5
    assert len(list(write(denoised(image), tmp_path / "out").iterdir())) == 5


@pytest.mark.parametrize("changes", [{"frames": False}, {"Rows": 23}])
def test_a_grid_that_cannot_be_unpacked_is_refused_by_name(tmp_path: Path, changes: dict[str, Any]) -> None:
    rows = changes.pop("Rows", None)
    dataset = grid(volume(1, 7), **changes)
    if rows:
        dataset.Rows, dataset.PixelData = 71, dataset.PixelData[: 71 * dataset.Columns * 2]
    with pytest.raises(InputError, match="a GRID of United Imaging"):
        read(save_all([dataset], tmp_path / "in"))
