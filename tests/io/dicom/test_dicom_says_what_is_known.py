"""A new object made from an image without a header says only what is known: no invented patient, no body part, no date."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from demottle.errors import OutputError
from demottle.image import Image, ProcessingStep
from demottle.io import described, read, write

EMPTY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime"),
    *("AccessionNumber", "ReferringPhysicianName"),
)
ABSENT = ("BodyPartExamined", "StudyDescription", "PatientAge", "PatientWeight", "InstitutionName")
STEP = ProcessingStep("median", "1")


def image_of(modality: str, seed: int = 0) -> Image:
    voxels = np.random.default_rng(seed).integers(0, 3000, (4, 32, 28)).astype(np.float32)
    if modality == "CT":
        return Image(voxels - 1000, (2.0, 0.9, 0.8), "CT", "HU")
    return Image(voxels, (1 / 15, 0.4, 0.3), modality)


def converted(modality: str, folder: Path, seed: int = 0) -> Image:
    """As it comes out of a file that knows of no patient."""
    path = write(image_of(modality, seed), folder / f"{modality}-{seed}.nii.gz")
    return read(path, modality=modality)


def first(path: Path) -> pydicom.Dataset:
    return pydicom.dcmread(min(path.iterdir()))


@pytest.mark.parametrize("denoised", [False, True])
@pytest.mark.parametrize("modality", ["CT", "XA", "RF"])
def test_no_patient_no_body_part_and_no_date_is_invented(
    modality: str, denoised: bool, tmp_path: Path, program: Callable[[str], str]
) -> None:
    for image in (image_of(modality), converted(modality, tmp_path)):
        image = image.with_voxels(image.voxels, STEP) if denoised else image
        out = write(image, tmp_path / "dicom", format="dicom", overwrite=True)
        dataset = first(out)
        assert {name: str(dataset[name].value or "") for name in EMPTY} == dict.fromkeys(EMPTY, "")
        assert [name for name in ABSENT if name in dataset] == []
        assert not dataset.get("PatientPosition")
        assert not dataset.get("PositionerMotion")
        assert "PHANTOM" not in str(dataset).upper()
        for path in sorted(out.iterdir()):
            done = subprocess.run([program("dciodvfy"), str(path)], capture_output=True, text=True, check=False)
            assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")] == []
        again = read(out, accept_own_output=True)
        assert np.array_equal(again.voxels, image.voxels)


def test_mr_cannot_become_a_new_object_and_nothing_is_left(tmp_path: Path) -> None:
    """Its sequence and echo would have to be invented."""
    with pytest.raises(OutputError, match="Only CT in HU can become a new DICOM series, but this image is MR"):
        write(image_of("MR"), tmp_path / "mr", format="dicom")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("modality", ["CT", "XA", "RF"])
def test_two_files_are_never_one_study_and_one_file_always_is(modality: str, tmp_path: Path) -> None:
    one, other = converted(modality, tmp_path, 1), converted(modality, tmp_path, 2)
    made = {"a": one, "b": one.with_voxels(one.voxels, STEP), "c": other}
    a, b, c = (first(write(image, tmp_path / name, format="dicom")) for name, image in made.items())
    assert a.StudyInstanceUID == b.StudyInstanceUID != c.StudyInstanceUID
    assert a.SeriesInstanceUID != b.SeriesInstanceUID
    assert a.get("FrameOfReferenceUID") == b.get("FrameOfReferenceUID")
    assert modality != "CT" or a.FrameOfReferenceUID != c.FrameOfReferenceUID


@pytest.mark.parametrize("modality", ["CT", "XA", "RF"])
def test_a_phantom_is_called_one_and_shows_what_it_shows(modality: str, tmp_path: Path) -> None:
    image = image_of(modality)
    for part in ("", "ABDOMEN"):
        source = described("Phantom", part)
        phantom = Image(image.voxels, image.spacing, image.modality, image.unit, source=source)
        dataset = first(write(phantom, tmp_path / f"dicom{part}", format="dicom"))
        assert (dataset.PatientName, dataset.PatientID) == ("PHANTOM^DEMOTTLE", "PHANTOM-DEMOTTLE")
        assert dataset.get("BodyPartExamined", "") == part


def test_what_is_simulated_of_a_patient_is_not_called_a_phantom(tmp_path: Path) -> None:
    image = image_of("XA")
    seen = Image(image.voxels, image.spacing, "XA", source=described("Fluoroscopy", phantom=False))
    dataset = first(write(seen, tmp_path / "dicom"))
    assert (dataset.SeriesDescription, dataset.PatientName, dataset.StudyDate) == ("Fluoroscopy", "", "")
