"""Images from and to other libraries: values and places are those of the files that demottle writes."""

import re
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK

import demottle
from demottle.errors import InputError

sitk: Any = SimpleITK
TURNED = np.array([[0.0, -1.0, 0.0], [0.8, 0.0, -0.6], [0.6, 0.0, 0.8]])
"""Directions of columns, rows and slices, in columns: no two along the axes of the patient."""


@pytest.fixture
def volume() -> Any:
    made = sitk.GetImageFromArray(np.random.default_rng(0).normal(0, 30, (6, 20, 24)).astype(np.float32))
    made.SetSpacing((0.7, 0.8, 3.0))
    made.SetOrigin((11.0, -20.5, 300.25))
    made.SetDirection(TURNED.ravel().tolist())
    return made


def test_simpleitk_there_and_back(volume: Any, tmp_path: Path) -> None:
    image = demottle.from_sitk(volume, "CT")
    assert (image.modality, image.unit, image.spacing) == ("CT", "HU", pytest.approx((3.0, 0.8, 0.7)))
    demottle.write(image, tmp_path / "a.mha")
    for back in (demottle.to_sitk(image), sitk.ReadImage(str(tmp_path / "a.mha"))):
        assert np.array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(volume))
        for got, meant in ((back.GetOrigin(), volume.GetOrigin()), (back.GetSpacing(), volume.GetSpacing())):
            assert got == pytest.approx(meant, abs=1e-4)
        assert back.GetDirection() == pytest.approx(volume.GetDirection(), abs=1e-6)


def test_nibabel_there_and_back_and_to_the_same_place_as_simpleitk(volume: Any, tmp_path: Path) -> None:
    image = demottle.from_sitk(volume, "MR")
    nifti = demottle.to_nibabel(image)
    again = demottle.from_nibabel(nifti, "MR")
    assert np.array_equal(again.voxels, image.voxels) and again.spacing == pytest.approx(image.spacing, rel=1e-5)
    demottle.write(image, tmp_path / "a.nii")
    assert nibabel.load(tmp_path / "a.nii").affine == pytest.approx(nifti.affine, abs=1e-4)
    corner = np.array(volume.TransformIndexToPhysicalPoint((23, 0, 5)))
    assert (nifti.affine @ [23, 0, 5, 1])[:3] == pytest.approx(corner * [-1, -1, 1], abs=1e-3)


def test_numpy_and_torch_are_copies() -> None:
    torch = pytest.importorskip("torch")
    values = np.full((3, 8, 8), 40, np.int16)
    image = demottle.from_numpy(values, (3, 1, 1), "ct")
    values[:] = 0
    assert image.voxels.min() == 40 and image.unit == "HU"
    tensor = demottle.to_torch(image)
    tensor.zero_()
    array = demottle.to_numpy(image)
    array[:] = 0
    assert image.voxels.min() == 40
    assert demottle.from_torch(torch.full((2, 8, 8), 7), (3, 1, 1)).voxels.max() == 7
    assert np.asarray(image) is not None and np.array_equal(np.asarray(image), image.voxels)
    assert np.asarray(image, np.float64).dtype == np.float64


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: demottle.from_numpy(np.zeros((3, 8, 8)), (3, 1, 1), "PET"), "'PET' is not a modality"),
        (lambda: demottle.from_numpy(np.zeros((3, 8, 8), np.complex64), (3, 1, 1)), "complex64 values"),
        (lambda: demottle.from_numpy(np.zeros((8, 8)), (3, 1, 1)), "shape (8, 8)"),
        (lambda: demottle.from_torch(np.zeros((3, 8, 8)), (3, 1, 1)), "a tensor of PyTorch, not a ndarray"),
        (lambda: demottle.from_sitk("scan.mha"), "an image of SimpleITK, not a str"),
        (lambda: demottle.from_nibabel(sitk.Image(4, 4, 4, sitk.sitkInt16)), "an image of nibabel"),
        (lambda: demottle.from_sitk(sitk.Image(4, 4, sitk.sitkInt16)), "has 2 dimensions"),
        (lambda: demottle.denoise("scan"), "read it with demottle.read(path)"),
        (lambda: demottle.denoise(np.zeros((3, 8, 8))), "demottle.from_numpy"),
        (lambda: demottle.denoise(demottle.Image(np.zeros((3, 8, 8)), (3, 1, 1), "PET")), "'PET' is not a modality"),
    ],
)
def test_what_cannot_be_taken_gets_a_sentence(make: Any, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        make()
