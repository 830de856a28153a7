import numpy as np
import pytest

from demottle.errors import InputError
from demottle.physics.phantoms.brain import BrainTissue, brain_phantom

SMALL = {"slices": 8, "size": 96, "spacing": (9.0, 2.3, 2.3)}


@pytest.fixture(scope="module")
def brain():
    return brain_phantom(**SMALL)


def test_it_is_mr_on_the_grid_asked_for_with_air_around(brain):
    image = brain.image
    assert (image.shape, image.spacing, image.modality, image.unit) == ((8, 96, 96), (9.0, 2.3, 2.3), "MR", "a.u.")
    assert image.voxels[:, 0].max() == 0 and image.voxels.min() == 0
    assert 800 < image.voxels.max() < 1100


@pytest.mark.parametrize("weighting", ["t1", "t2"])
def test_every_tissue_is_there_and_their_order_is_that_of_the_weighting(weighting):
    made = brain_phantom(**SMALL, weighting=weighting)
    mean = {t: float(np.median(made.image.voxels[made.tissue == t])) for t in BrainTissue if (made.tissue == t).any()}
    assert set(mean) == set(BrainTissue)
    fluid, gray, white = mean[BrainTissue.FLUID], mean[BrainTissue.GRAY], mean[BrainTissue.WHITE]
    assert (fluid < gray < white) if weighting == "t1" else (white < gray < fluid)


def test_the_coil_shades_tissue_smoothly_and_by_less_than_a_third(brain):
    white = brain.image.voxels[brain.tissue == BrainTissue.WHITE]
    low, high = np.percentile(white, [5, 95])
    assert 1.04 < high / low < 1.4


def test_anatomy_changes_from_slice_to_slice_but_not_everywhere():
    image = brain_phantom(slices=5, size=96, spacing=(3, 2.3, 2.3)).image
    inside = image.voxels[0] > 100
    step = np.abs(np.diff(image.voxels, axis=0))[:, inside]
    changed = (step > 40).mean(axis=1)
    assert (changed > 0.02).all() and (changed < 0.5).all()


def test_lesions_are_where_they_are_said_to_be_and_as_strong():
    made = brain_phantom(slices=28, size=128, spacing=(4, 1.72, 1.72), seed=2)
    large = [lesion for lesion in made.lesions if lesion.insert.radius_mm > 4 and 1 < lesion.insert.center[0] < 26]
    assert len(large) >= 3
    for lesion in large:
        place = tuple(round(c) for c in lesion.insert.center)
        assert made.tissue[place] == BrainTissue.LESION
        assert made.image.voxels[place] == pytest.approx(lesion.background + lesion.insert.contrast, rel=0.02)


def test_another_seed_is_another_head_and_the_same_seed_the_same():
    one, again, other = (brain_phantom(2, 64, (9, 3.4, 3.4), seed=s).image.voxels for s in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).mean() > 10


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="weighting"):
        brain_phantom(1, 32, (3, 6, 6), weighting="pd")
    with pytest.raises(InputError, match="positive"):
        brain_phantom(0)
