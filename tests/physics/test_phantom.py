import numpy as np
import pytest

from demottle.errors import InputError
from demottle.physics.phantoms.body import Tissue
from demottle.physics.phantoms.phantom import body_phantom, build_phantom, low_dose_scan

SMALL = {"slices": 10, "size": 128, "spacing": (15.0, 2.9, 2.9)}


@pytest.fixture(scope="module")
def phantom():
    return build_phantom(**SMALL)


def test_image_is_ct_with_the_geometry_asked_for(phantom):
    assert phantom.image.shape == phantom.tissue.shape == (10, 128, 128)
    assert phantom.image.spacing == (15.0, 2.9, 2.9)
    assert (phantom.image.modality, phantom.image.unit) == ("CT", "HU")
    assert phantom.image.voxels.min() >= -1001 and phantom.image.voxels.max() < 1500


def test_every_tissue_is_there_with_its_ct_number(phantom):
    expected = {Tissue.AIR: -1000, Tissue.LUNG: -860, Tissue.LIVER: 108, Tissue.SPLEEN: 122, Tissue.MUSCLE: 57}
    for tissue in (one for one in Tissue if one < Tissue.BRAIN):  # the others are those of heads and hips
        assert (phantom.tissue == tissue).any(), tissue.name
    for tissue, hu in expected.items():
        assert np.median(phantom.image.voxels[phantom.tissue == tissue]) == pytest.approx(hu, abs=4), tissue.name


def test_anatomy_changes_from_slice_to_slice():
    image = body_phantom(slices=8, size=128, spacing=(3, 2.9, 2.9))
    body = image.voxels[0] > -300
    step = np.abs(np.diff(image.voxels, axis=0))[:, body]
    changed = (step > 20).mean(axis=1)
    assert (changed > 0.01).all() and (changed < 0.3).all()


def test_lesions_are_where_they_are_said_to_be():
    phantom = build_phantom(slices=30, size=256, spacing=(2, 1.4, 1.4), seed=2)
    large = [lesion for lesion in phantom.lesions if lesion.insert.radius_mm > 5]
    assert large
    for lesion in large:
        place = tuple(round(c) for c in lesion.insert.center)
        if 0 < place[0] < 29:
            assert phantom.tissue[place] == Tissue.LESION
            around = phantom.tissue[place[0]]
            organ = Tissue.LIVER if (around == Tissue.LIVER).sum() and place[2] < 170 else Tissue.SPLEEN
            inside = phantom.image.voxels[place] - np.median(phantom.image.voxels[phantom.tissue == organ])
            assert inside == pytest.approx(lesion.insert.contrast, abs=1)
            assert 10 <= abs(lesion.insert.contrast) <= 35


def test_edges_are_soft():
    """A voxel that a surface cuts is a mixture: many values between fat and muscle, not two."""
    row = body_phantom(slices=1, size=256).voxels[0]
    assert len(np.unique(np.round(row[(row > -90) & (row < 40)]))) > 50


def test_small_field_of_view_still_holds_the_body():
    image = body_phantom(slices=2, size=64, spacing=(3, 1.4, 1.4))
    border = np.ones((64, 64), bool)
    border[1:-1, 1:-1] = False
    assert (image.voxels[:, border] == -1000).all()
    assert (image.voxels[0] > -300).sum() > 800


def test_same_seed_same_patient_and_another_seed_another(phantom):
    again, other = body_phantom(**SMALL), body_phantom(**SMALL, seed=1)
    np.testing.assert_array_equal(again.voxels, phantom.image.voxels)
    assert (np.abs(other.voxels - again.voxels) > 50).mean() > 0.02


def test_low_dose_scan_is_the_truth_with_noise_in_whole_hu(phantom):
    scan = low_dose_scan(phantom.image, sigma=35, rho=0.25, seed=4)
    difference = scan.voxels - phantom.image.voxels
    np.testing.assert_array_equal(scan.voxels, np.rint(scan.voxels))
    assert scan.spacing == phantom.image.spacing
    liver = phantom.tissue == Tissue.LIVER
    assert 20 < difference[liver].std() < 50
    assert abs(difference[liver].mean()) < 1.5


def test_no_noise_asked_for_none_added(phantom):
    scan = low_dose_scan(phantom.image, sigma=0, rho=0)
    np.testing.assert_array_equal(scan.voxels, np.rint(phantom.image.voxels))


def test_progress_is_reported():
    heard = []
    build_phantom(slices=3, size=32, listener=heard.append)
    assert [(event.done, event.total) for event in heard] == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("wrong", [{"slices": 0}, {"size": 0}, {"spacing": (3, 0, 1)}])
def test_impossible_size_is_refused(wrong):
    with pytest.raises(InputError, match="cannot be made"):
        body_phantom(**wrong)
