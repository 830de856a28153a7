"""Whole real scans: read, write, and nothing that the checkers mind and did not mind before."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest

from demottle.image import ProcessingStep
from demottle.io import read, warnings_of, write

pytestmark = pytest.mark.real_data


def errors(program, path: Path) -> set[str]:
    done = subprocess.run([program("dciodvfy"), str(path)], capture_output=True, text=True, check=False)
    return {line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")}


def stored(path: Path) -> dict[tuple[float, ...], bytes]:
    return {tuple(d.ImagePositionPatient): d.PixelData for d in map(pydicom.dcmread, path.iterdir())}


def test_the_chest_series_round_trips(real_data, tmp_path, program):
    folder = real_data / "chest-ct-dicom" / "dicom"
    image = read(folder)
    assert (image.shape, image.spacing) == ((102, 512, 512), (3.0, 0.8828125, 0.8828125))
    assert warnings_of(image) == ()
    out = write(image.with_voxels(image.voxels, ProcessingStep("nothing", "1")), tmp_path / "out")
    assert stored(out) == stored(folder)
    by_position = {tuple(pydicom.dcmread(p, stop_before_pixels=True).ImagePositionPatient): p for p in folder.iterdir()}
    paths = sorted(out.iterdir())
    for path in paths:
        before = by_position[tuple(pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient)]
        assert errors(program, path) <= errors(program, before)
    before = subprocess.run(
        [program("dcentvfy"), *map(str, by_position.values())], capture_output=True, text=True, check=False
    )
    after = subprocess.run([program("dcentvfy"), *map(str, paths)], capture_output=True, text=True, check=False)
    assert ("Error" in after.stdout + after.stderr) <= ("Error" in before.stdout + before.stderr)


def test_the_mr_repeats_round_trip(real_data, tmp_path, program):
    for path in sorted((real_data / "mr-repeats").rglob("*.dcm")):
        image = read(path)
        assert (image.modality, image.unit, image.shape) == ("MR", "a.u.", (1, 256, 256))
        out = write(image.with_voxels(image.voxels, ProcessingStep("nothing", "1")), tmp_path / path.name)
        assert pydicom.dcmread(out).PixelData == pydicom.dcmread(path).PixelData
        assert errors(program, out) <= errors(program, path)


def test_the_abdomen_round_trips(real_data, tmp_path):
    path = real_data / "abdomen-ct" / "ct.nii.gz"
    image = read(path, modality="CT")
    assert image.spacing[0] == pytest.approx(3)
    again = read(write(image, tmp_path / "out"))
    assert np.array_equal(again.voxels, image.voxels)
    assert again.source.payload.dtype == image.source.payload.dtype
    series = read(write(image, tmp_path / "dicom", format="dicom"))
    assert np.array_equal(series.voxels, image.voxels)


def test_the_spine_volumes(real_data):
    assert read(real_data / "spine-mr" / "t2.nii.gz", modality="MR").unit == "a.u."


def test_500_slices_stay_well_under_2_gib(real_data, tmp_path):
    import sys

    folder = tmp_path / "many"
    folder.mkdir()
    sources = sorted((real_data / "chest-ct-dicom" / "dicom").iterdir())
    for index in range(500):
        dataset = pydicom.dcmread(sources[index % len(sources)])
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{index + 1}"
        dataset.ImagePositionPatient = [0, 0, 1.5 * index]
        dataset.save_as(folder / f"{index}.dcm")
    script = (
        "import resource, sys, demottle.io as io; image = io.read(sys.argv[1]); assert image.shape[0] == 500;"
        "io.write(image, sys.argv[2]); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    shutil.rmtree(folder)
    shutil.rmtree(tmp_path / "out")
    assert int(done.stdout) * 1024 < 1.3e9
