"""A simulated image becomes a complete CT series."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from demottle.errors import OutputError
from demottle.image import Image, ProcessingStep
from demottle.io import described, description_of, read, write


def test_it_comes_back_within_rounding(phantom, tmp_path):
    out = write(phantom, tmp_path / "ct")
    again = read(out)
    assert np.array_equal(again.voxels, np.rint(phantom.voxels))
    assert (again.spacing, again.modality, again.unit) == (phantom.spacing, "CT", "HU")
    assert (again.slice_thickness, again.valid) == (2.0, None)
    first = pydicom.dcmread(sorted(out.iterdir())[0])
    assert not first.PatientName  # nobody said whose it is
    assert first.ImageType == ["ORIGINAL", "PRIMARY", "AXIAL"]


def test_not_valid_voxels_become_padding_and_extremes_are_saturated(phantom, tmp_path):
    valid = np.ones(phantom.shape, bool)
    valid[:, :2] = False
    voxels = phantom.voxels.copy()
    voxels[0, 5, :3] = -2000, 1e6, -1e6
    voxels[0, 0, 0] = np.nan
    again = read(write(replace(phantom, voxels=voxels, valid=valid), tmp_path / "ct"))
    assert np.array_equal(again.valid, valid)
    assert again.voxels[0, 5, :3].tolist() == [-1999, 32767, -32768]


def test_two_doses_of_one_phantom_share_study_and_frame_of_reference(phantom, tmp_path):
    write(phantom, tmp_path / "a")
    write(phantom.with_voxels(phantom.voxels + 1), tmp_path / "b")
    write(phantom, tmp_path / "c")
    a, b, c = (pydicom.dcmread(sorted((tmp_path / name).iterdir())[0]) for name in "abc")
    assert (a.StudyInstanceUID, a.FrameOfReferenceUID) == (b.StudyInstanceUID, b.FrameOfReferenceUID)
    assert a.SeriesInstanceUID != b.SeriesInstanceUID
    assert a == c


def test_a_denoised_phantom_says_so(phantom, tmp_path):
    out = write(phantom.with_voxels(phantom.voxels, ProcessingStep("median", "1")), tmp_path / "ct")
    first = pydicom.dcmread(sorted(out.iterdir())[0])
    assert first.ImageType[0] == "DERIVED"
    assert "median" in first.DerivationDescription
    assert read(out, accept_own_output=True).history == (ProcessingStep("median", "1"),)


def test_demo_path_phantom_to_dicom_to_derived_series(phantom, tmp_path, denoised):
    original = write(phantom, tmp_path / "ct")
    derived = write(denoised(read(original), -3), tmp_path / "out")
    assert np.array_equal(read(derived, accept_own_output=True).voxels, np.rint(phantom.voxels) - 3)


def test_a_converted_volume_keeps_its_geometry(phantom, tmp_path, ct):
    source = read(ct(ImageOrientationPatient=[0, 1, 0, 0, 0, -1], ImagePositionPatient=lambda i: [5 - 2 * i, 7, 9]))
    image = read(write(source, tmp_path / "a.nii.gz"))
    again = read(write(image, tmp_path / "dicom", format="dicom"))
    assert np.array_equal(again.voxels, source.voxels)
    assert again.source.payload.affine == pytest.approx(source.source.payload.affine, abs=1e-4)


def test_only_ct_in_hu(tmp_path):
    with pytest.raises(OutputError, match="Only CT in HU"):
        write(Image(np.zeros((2, 4, 4)), (1, 1, 1), "MR"), tmp_path / "mr")
    with pytest.raises(OutputError, match="folder"):
        write(Image(np.zeros((2, 4, 4)), (1, 1, 1), "CT", "HU"), tmp_path / "ct.dcm")
    assert list(tmp_path.iterdir()) == []


def test_dciodvfy_and_dcentvfy_find_nothing(phantom, tmp_path, program, denoised):
    valid = np.ones(phantom.shape, bool)
    valid[:, :2] = False
    odd = replace(phantom, spacing=(2 / 3, 0.123456789012345, 1e-3))
    for name, image in {"plain": phantom, "masked": denoised(replace(phantom, valid=valid)), "odd": odd}.items():
        paths = sorted(write(image, tmp_path / name).iterdir())
        for command in ([program("dciodvfy"), str(paths[1])], [program("dcentvfy"), *map(str, paths)]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")] == []


def test_a_simulated_image_keeps_its_name_and_may_lie_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    voxels = np.zeros((3, 16, 16), np.float32)
    image = Image(voxels, (3, 1, 1), "CT", "HU", source=described("Phantom, low dose"))
    assert description_of(read(write(image, tmp_path / "scan"))) == "Phantom, low dose"
