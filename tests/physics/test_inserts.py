import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.inserts import Insert, add_inserts, flat_places

SPACING = (3.0, 1.0, 1.0)


def flat(hu=50.0, shape=(9, 64, 64)):
    return Image(np.full(shape, hu, np.float32), SPACING, modality="CT", unit="HU")


def test_sphere_and_cylinder_have_their_volume():
    voxel = np.prod(SPACING)
    sphere = add_inserts(flat(), [Insert((4, 30.3, 31.6), 8.0, 20.0)]).voxels - 50
    assert sphere.sum() * voxel == pytest.approx(20 * 4 / 3 * np.pi * 8**3, rel=0.01)
    cylinder = add_inserts(flat(), [Insert((4, 30.3, 31.6), 8.0, -20.0, height_mm=9.0)]).voxels - 50
    assert cylinder.sum() * voxel == pytest.approx(-20 * np.pi * 8**2 * 9, rel=0.01)
    assert cylinder[4, 30, 31] == pytest.approx(-20) and not cylinder[2].any()


def test_edge_voxels_are_mixtures():
    values = np.unique(add_inserts(flat(), [Insert((4, 30.3, 31.6), 8.0, 20.0, 3.0)]).voxels)
    assert len(values) > 10 and values[0] == 50 and values[-1] == 70


def test_blur_keeps_contrast_and_softens_the_edge():
    disc = Insert((4, 32, 32), 10.0, 20.0, 9.0)
    sharp, blurred = (add_inserts(flat(), [disc], blur_mm=b).voxels[4] for b in (0.0, 1.5))
    assert blurred[32, 32] == pytest.approx(70, abs=0.1)
    assert blurred.sum() == pytest.approx(sharp.sum(), rel=1e-4)
    assert np.abs(np.diff(blurred[32])).max() < 0.5 * np.abs(np.diff(sharp[32])).max()


@pytest.mark.parametrize("radius", [0.02, 0.24, 0.26, 0.6])
def test_a_small_blurred_cylinder_keeps_strength_and_place_between_pixels(radius):
    voxels = add_inserts(flat(0.0), [Insert((4, 30.3, 31.6), radius, 1e4, np.inf)], blur_mm=0.5).voxels[4].astype(float)
    assert voxels.sum() == pytest.approx(1e4 * np.pi * radius**2, rel=2e-3)
    rows, columns = np.indices(voxels.shape)
    assert (voxels * rows).sum() / voxels.sum() == pytest.approx(30.3, abs=0.03)
    assert (voxels * columns).sum() / voxels.sum() == pytest.approx(31.6, abs=0.03)


def test_the_image_given_stays_as_it_was():
    image = flat()
    add_inserts(image, [Insert((4, 32, 32), 5.0, 20.0)])
    assert (image.voxels == 50).all()


@pytest.mark.parametrize(
    ("disc", "words"), [(Insert((4, 2, 32), 5.0, 20.0), "leaves"), (Insert((4, 32, 32), 0.0, 20.0), "size")]
)
def test_disc_that_cannot_be_is_refused(disc, words):
    with pytest.raises(InputError, match=words):
        add_inserts(flat(), [disc])


def test_flat_places_avoid_edges_other_tissue_and_each_other():
    voxels = np.full((5, 128, 128), -100, np.float32)
    voxels[:, 20:100, 20:110] = 60
    voxels[2, 60, 60] = 150
    image = Image(voxels, SPACING, modality="CT", unit="HU")
    places = flat_places(image, 6.0, 4, seed=1, height_mm=6.0)
    assert len(places) == 4 and places == flat_places(image, 6.0, 4, seed=1, height_mm=6.0)
    for slice_, row, column in places:
        around = voxels[slice_ - 1 : slice_ + 2, row - 13 : row + 14, column - 13 : column + 14]
        assert around.shape == (3, 27, 27)
        r = np.hypot(*np.mgrid[-13:14, -13:14])
        assert (around[:, r <= 13] == 60).all()
    for i, (s, r, c) in enumerate(places):
        assert all(abs(s - t) > 2 or np.hypot(r - q, c - d) > 2 * 13.8 for t, q, d in places[:i])


def test_too_few_places_are_told():
    with pytest.raises(InputError, match="Only 0 of 3"):
        flat_places(flat(hu=-100), 5.0, 3)
