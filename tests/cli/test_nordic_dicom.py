"""Magnitude and phase as two DICOM series: found in one folder or named, both written back as DICOM."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from tests.cli.conftest import Demottle
from tests.io.volumes.objects import mr_slice, save_all

from demottle.physics.mr.series import MrSeries, functional_series

VOLUMES, SLICES = 16, 2


@pytest.fixture(scope="module")
def series() -> MrSeries:
    return functional_series(volumes=VOLUMES, slices=SLICES, size=40, seed=5)


def objects(values: np.ndarray, kind: str, number: int) -> list[pydicom.Dataset]:
    made = []
    for t in range(VOLUMES):
        for z in range(SLICES):
            told = {
                "ImageType": ["ORIGINAL", "PRIMARY", kind, "ND"],
                "SeriesInstanceUID": f"1.2.3.{number}",
                "SOPInstanceUID": f"1.2.3.{number}.{t + 1}.{z + 1}",
                "SeriesNumber": number,
                "SeriesDescription": f"bold {kind}",
                "AcquisitionNumber": t + 1,
                "AcquisitionTime": f"1000{2 * t:02d}.000000",
                "TemporalPositionIdentifier": t + 1,
                "NumberOfTemporalPositions": VOLUMES,
            }
            made.append(mr_slice(z, t * SLICES + z + 1, values[t, z], **told))
    return made


def pair(series: MrSeries, folder: Path) -> tuple[Path, Path]:
    magnitude = np.clip(np.rint(np.abs(series.noisy)), 0, 4095).astype(np.uint16)
    phase = np.clip(np.rint(np.angle(series.noisy) / np.pi * 2048 + 2048), 0, 4095).astype(np.uint16)
    return save_all(objects(magnitude, "M", 1), folder / "mag"), save_all(objects(phase, "P", 2), folder / "phase")


def error(series: MrSeries, folder: Path) -> float:
    wrong = []
    for file in folder.iterdir():
        dataset = pydicom.dcmread(file)
        z = round(float(dataset.ImagePositionPatient[2]) / 3)
        t = int(dataset.TemporalPositionIdentifier) - 1
        wrong.append((dataset.pixel_array - np.abs(series.truth[t, z]))[series.head[z]])
    return float(np.sqrt(np.mean(np.concatenate(wrong) ** 2)))


@pytest.mark.parametrize("named", [True, False])
def test_a_dicom_pair_is_denoised_together(named: bool, series: MrSeries, tmp_path: Path, demottle: Demottle) -> None:
    magnitude, phase = pair(series, tmp_path / "study")
    given = [magnitude, "--phase", phase] if named else [tmp_path / "study", "--series", "1"]
    out, turned = tmp_path / "clean", tmp_path / "clean-phase"
    more = ["--save-phase", turned, "--save-noise-map", tmp_path / "n.nii.gz", "--no-report"]
    result = demottle("denoise", *given, "-o", out, *more)
    assert result.exit_code == 0, result.output
    assert ("found in the same folder" in " ".join(result.output.split())) is not named
    assert len(list(out.iterdir())) == len(list(turned.iterdir())) == VOLUMES * SLICES
    assert error(series, out) < 0.5 * error(series, magnitude)
    assert {pydicom.dcmread(file).ImageType[2] for file in turned.iterdir()} == {"P"}


def test_a_phase_of_another_format_is_refused(series: MrSeries, tmp_path: Path, demottle: Demottle) -> None:
    magnitude, _ = pair(series, tmp_path)
    (tmp_path / "phase.nii.gz").touch()
    result = demottle(
        "denoise", magnitude, "-o", tmp_path / "clean", "--phase", tmp_path / "phase.nii.gz", "--no-report"
    )
    assert result.exit_code == 2 and "format of the magnitude" in " ".join(result.output.split())
