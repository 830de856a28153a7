"""Runs of frames in formats other than DICOM: video, TIFF with a frame time, NIfTI over time."""

from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest
import tifffile

from demottle import io
from demottle.errors import InputError, OutputError
from demottle.image import Image, ProcessingStep
from demottle.io.files.nifti_frames import GAP

SPACING = (1 / 15, 0.4, 0.3)
STEP = ProcessingStep("recursive", "1", {"weight": 0.2})


@pytest.fixture
def run() -> Image:
    smooth = np.add.outer(np.arange(32), np.arange(48))[None] + 3 * np.arange(6)[:, None, None]
    noise = np.random.default_rng(1).normal(60, 8, (6, 32, 48))
    return Image(np.rint(smooth + noise).astype(np.float32), SPACING, "XA")


def test_avi_keeps_every_value_and_mp4_says_that_it_does_not(run: Image, tmp_path: Path) -> None:
    for name, worst in (("a.avi", 0.0), ("a.mp4", 40.0)):
        back = io.read(io.write(run, tmp_path / name))
        assert back.shape == run.shape and back.sequence and back.modality == "XA"
        assert back.spacing[0] == pytest.approx(SPACING[0], rel=1e-3)
        assert np.abs(back.voxels - run.voxels).max() <= worst
        assert "compressed" in io.warnings_of(back)[0]
    assert np.abs(back.voxels - run.voxels).mean() < 8  # of mp4


def test_what_video_cannot_hold_is_refused(run: Image, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="video holds 0 to 255"):
        io.write(run.with_voxels(run.voxels * 10), tmp_path / "a.avi")
    with pytest.raises(OutputError, match="even numbers"):
        io.write(Image(run.voxels[:, 1:], SPACING, "XA"), tmp_path / "a.mp4")
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match="not a readable video"):
        io.read(tmp_path / "broken.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.mp4"]


@pytest.mark.parametrize("suffix", [".nii.gz", ".tif", ".mha", ".nrrd"])
def test_a_run_comes_back_as_a_run(suffix: str, run: Image, tmp_path: Path) -> None:
    back = io.read(io.write(run.with_voxels(run.voxels + 0.5, STEP), tmp_path / f"run{suffix}"), accept_own_output=True)
    assert back.sequence and back.modality == "XA" and back.history[-1].method == "recursive"
    assert back.spacing == pytest.approx(SPACING) and np.array_equal(back.voxels, run.voxels + 0.5)


@pytest.mark.parametrize("suffix", [".nii.gz", ".tif"])
def test_time_is_kept_whatever_the_modality(suffix: str, run: Image, tmp_path: Path) -> None:
    back = io.read(io.write(Image(run.voxels, SPACING, "MR", sequence=True), tmp_path / f"run{suffix}"))
    assert back.sequence and back.modality == "MR" and back.spacing == pytest.approx(SPACING)


def test_the_frame_interval_of_imagej(run: Image, tmp_path: Path) -> None:
    told = {"unit": "mm", "finterval": 0.125, "axes": "TYX"}
    stored = run.voxels.astype(np.uint16)
    tifffile.imwrite(tmp_path / "ij.tif", stored, imagej=True, metadata=told, resolution=(1 / 0.3, 1 / 0.4))
    image = io.read(tmp_path / "ij.tif", modality="XA")
    assert image.sequence and image.spacing == pytest.approx((0.125, 0.4, 0.3), rel=1e-3)


def four_dimensional(path: Path, slices: int, **zooms: float) -> np.ndarray:
    values = np.random.default_rng(3).integers(0, 900, (20, 24, slices, 5)).astype(np.int16)
    nifti = nibabel.Nifti1Image(values, np.diag([2.0, 1.5, 4.0, 1.0]))
    nifti.header.set_zooms((2.0, 1.5, 4.0, zooms.get("time", 2500.0)))
    nifti.header.set_xyzt_units("mm", "msec")
    nifti.to_filename(path)
    return values


def test_one_slice_over_time(tmp_path: Path) -> None:
    values = four_dimensional(tmp_path / "one.nii.gz", 1)
    image = io.read(tmp_path / "one.nii.gz", modality="MR")
    assert image.sequence and image.spacing == pytest.approx((2.5, 1.5, 2.0)) and image.valid is None
    assert np.array_equal(image.voxels[3], values[:, :, 0, 3].T)


def test_volumes_over_time_go_back_as_they_came(tmp_path: Path) -> None:
    values = four_dimensional(tmp_path / "four.nii.gz", 3)
    image = io.read(tmp_path / "four.nii.gz", modality="MR")
    assert image.shape == (5, 3 * 24 + 2 * GAP, 20)
    said = "The file holds 5 volumes of 3 slices, taken as frames over time, slices one below the other."
    assert said in " ".join(io.warnings_of(image))
    assert image.valid is not None and not image.valid[0, 24 : 24 + GAP].any() and image.valid[0, :24].all()
    assert np.array_equal(image.voxels[2, 24 + GAP : 48 + GAP], values[:, :, 1, 2].T)
    written = io.write(image.with_voxels(image.voxels + 7, STEP), tmp_path / "out.nii.gz")
    back = nibabel.load(written)
    assert back.shape == values.shape and np.array_equal(np.asarray(back.dataobj), values + 7)
    assert back.header.get_zooms() == pytest.approx((2.0, 1.5, 4.0, 2500.0))
    assert back.header.get_xyzt_units() == ("mm", "msec")


def test_a_time_that_is_not_said_is_assumed_and_said_so(tmp_path: Path) -> None:
    four_dimensional(tmp_path / "no.nii.gz", 1, time=0.0)
    image = io.read(tmp_path / "no.nii.gz", modality="MR")
    assert image.spacing[0] == 1.0 and "no time between volumes" in " ".join(io.warnings_of(image))


def test_color_video_is_read_as_gray(tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "c.avi"), cv2.VideoWriter.fourcc(*"FFV1"), 10.0, (32, 24), isColor=True)
    for level in (40, 80, 120):
        writer.write(np.full((24, 32, 3), level, np.uint8))
    writer.release()
    image = io.read(tmp_path / "c.avi")
    assert image.voxels[:, 5, 5] == pytest.approx([40, 80, 120], abs=2) and image.spacing[0] == pytest.approx(0.1)
