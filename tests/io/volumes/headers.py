"""Headers of series with several volumes, made without files."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from demottle.io.dicom.files import FileRef
from demottle.io.dicom.slice_header import SliceHeader, slice_header

PLANES = {"axial": [1, 0, 0, 0, 1, 0], "coronal": [1, 0, 0, 0, 0, -1], "sagittal": [0, 1, 0, 0, 0, -1]}


def header(
    z: float, instance: int | None = None, *, plane: str = "axial", modality: str = "MR", **values: Any
) -> SliceHeader:
    """One slice at z mm along the normal of its plane."""
    dataset = Dataset()
    axes = np.array(PLANES[plane], float)
    dataset.SOPClassUID, dataset.SOPInstanceUID = (
        "1.2",
        f"1.{instance or 0}.{int(1000 * z) % 10**6}.{abs(hash(str(values))) % 9999}",
    )
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = "1.2.3"
    dataset.Modality, dataset.ImageType = modality, ["ORIGINAL", "PRIMARY", "OTHER"]
    dataset.Rows, dataset.Columns = 24, 20
    dataset.ImageOrientationPatient = PLANES[plane]
    dataset.ImagePositionPatient = [round(float(v), 4) for v in z * np.cross(axes[:3], axes[3:])]
    dataset.PixelSpacing = [0.8, 0.7]
    if instance is not None:
        dataset.InstanceNumber = instance
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return slice_header(FileRef(Path(f"{instance}-{z}.dcm")), dataset, None, dataset)


def series(*volumes: dict[str, Any], places: int = 5, gap: float = 2.5) -> list[SliceHeader]:
    """One header per place and volume, numbered volume by volume; values may be functions of the slice's index."""
    made = []
    for number, values in enumerate(volumes):
        for index in range(places):
            mine = {key: value(index) if callable(value) else value for key, value in values.items()}
            made.append(header(gap * index, number * places + index + 1, **mine))
    return made
