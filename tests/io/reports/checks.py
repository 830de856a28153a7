"""What has to hold for every DICOM object that is written: dciodvfy finds no error, and ITK sees each slice where it was."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from demottle.image import Image
from demottle.io.dicom.payload import DicomPayload

_NEAR = 0.1  # mm


def assert_written_well(written: Path, image: Image, program: Callable[[str], str]) -> None:
    """`written` is a file or a folder of one series; `image` is what was read from its source."""
    files = sorted(written.iterdir()) if written.is_dir() else [written]
    assert files
    for file in files:
        assert not errors_of(file, program), file
    assert_placed(files, image)


def errors_of(file: Path, program: Callable[[str], str]) -> list[str]:
    """Lines of dciodvfy that tell of an error; its exit code tells nothing."""
    done = subprocess.run(
        [program("dciodvfy"), "-new", file], capture_output=True, text=True, check=False, errors="replace"
    )
    return [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("Error")]


def assert_placed(files: list[Path], image: Image) -> None:
    """Three corners of every slice lie within 0.1 mm of where the source's headers put them."""
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    seen = _corners_in_itk(files)
    expected = _corners_in_headers(image)
    assert seen.shape == expected.shape
    assert np.abs(seen - expected).max() < _NEAR


def _corners_in_itk(files: list[Path]) -> NDArray[np.float64]:
    if len(files) == 1:
        found = SimpleITK.ReadImage(str(files[0]))
    else:
        names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(files[0].parent))
        assert len(names) == len(files)
        found = SimpleITK.ReadImage(names)
    columns, rows, slices = found.GetSize()
    at = found.TransformIndexToPhysicalPoint
    return np.array([[at((0, 0, k)), at((columns - 1, 0, k)), at((0, rows - 1, k))] for k in range(slices)])


def _corners_in_headers(image: Image) -> NDArray[np.float64]:
    payload = image.source.payload if image.source is not None else None
    assert isinstance(payload, DicomPayload)
    found = []
    for header in payload.slices:
        assert header.position is not None and header.orientation is not None and header.pixel_spacing is not None
        corner, axes = np.asarray(header.position), np.asarray(header.orientation).reshape(2, 3)
        down, across = header.pixel_spacing
        right = corner + axes[0] * across * (header.columns - 1)
        found.append([corner, right, corner + axes[1] * down * (header.rows - 1)])
    return np.array(found)
