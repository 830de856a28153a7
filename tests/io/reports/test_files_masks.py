"""Masks and label maps given as scans: said, because denoising them is never meant.

Seen in this project: a mask of 8 bits with --modality CT came out without a word. Label maps beside the images they belong to:
wasserth/TotalSegmentator #279, spine-generic/data-multi-subject #187, neheller/kits21 #54 (https://github.com/OWNER/NAME/issues/NUMBER).
"""

import nibabel
import numpy as np
import pytest
import SimpleITK

from demottle.io import read, warnings_of

SHAPE = (48, 48, 8)


def nifti(tmp_path, values, intent=None):
    made = nibabel.Nifti1Image(values, np.diag([1, 1, 3, 1.0]))
    made.header.set_xyzt_units("mm")
    if intent:
        made.header.set_intent(intent)
    made.to_filename(tmp_path / "in.nii.gz")
    return tmp_path / "in.nii.gz"


def disc():
    y, x = np.mgrid[:48, :48]
    return np.broadcast_to((np.hypot(y - 24, x - 24) < 15)[..., None], SHAPE)


def many_labels():
    y, x = np.mgrid[:48, :48]
    return np.broadcast_to((y // 6 * 8 + x // 6)[..., None], SHAPE)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("modality", ["CT", "MR", None])
@pytest.mark.parametrize("values, count", [(disc(), 2), (many_labels(), 64)])
def test_a_mask_is_said(tmp_path, kind, modality, values, count):
    said = " ".join(warnings_of(read(nifti(tmp_path, values.astype(kind)), modality=modality)))
    assert f"only {count} different values" in said and "a mask or a label map" in said


def test_a_mask_in_another_format_is_said(tmp_path):
    path = tmp_path / "mask.mha"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(disc().T.astype(np.uint8)), str(path))
    assert "a mask or a label map" in " ".join(warnings_of(read(path, modality="CT")))


@pytest.mark.parametrize("intent, said", [("label", "a label map"), ("z score", "a map of a statistic")])
def test_what_the_header_says_it_is(tmp_path, intent, said):
    noise = np.random.default_rng(1).normal(0, 1, SHAPE).astype(np.float32)
    assert f"this is {said}, not a scan" in " ".join(warnings_of(read(nifti(tmp_path, noise, intent), modality="MR")))


def test_nothing_is_said_of_scans_with_few_values(tmp_path):
    """Eight bits, a brain in zeros, and noise cut off at 0."""
    rng = np.random.default_rng(1)
    scans = (
        rng.normal(120, 3, SHAPE).astype(np.uint8),
        np.where(disc(), rng.normal(300, 10, SHAPE), 0).astype(np.int16),
        np.clip(rng.normal(0, 4, SHAPE), 0, None).astype(np.uint8),
    )
    for values in scans:
        assert "label map" not in " ".join(warnings_of(read(nifti(tmp_path, values), modality="MR")))
