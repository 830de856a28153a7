"""Regions of the body: what a CT of them has to show, and that their grain has the size and strength it is said to have."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.physics.phantoms.body import Tissue
from demottle.physics.phantoms.regions.catalog import REGIONS, region_phantom
from demottle.physics.phantoms.regions.texture import GRAIN, random_field, textured
from demottle.physics.phantoms.scenes import Grid


@pytest.mark.parametrize("name", REGIONS)
def test_a_region_fits_its_field_of_view_and_has_fat_muscle_and_bone(name: str) -> None:
    view = REGIONS[name].field_of_view
    height = -45.0 if name == "metal hip" else 0.0
    image = region_phantom(name, Grid(1, 128, (3.0, view / 128, view / 128)), seed=3, from_mm=height)
    plane = image.voxels[0]
    assert (image.unit, image.modality) == ("HU", "CT")
    border = np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]])
    assert (border == -1000).all()
    for low, high in ((-130, -70), (20, 80), (450, 1300)):
        assert ((plane > low) & (plane < high)).sum() > 30
    assert (plane > 3000).any() == (name == "metal hip")


def test_another_seed_is_another_patient_and_the_same_seed_the_same() -> None:
    grid = Grid(1, 64, (3.0, 6.0, 6.0))
    one, again, other = (region_phantom("chest", grid, seed).voxels for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_a_child_is_smaller() -> None:
    grid = Grid(1, 64, (3.0, 6.0, 6.0))
    adult, child = (region_phantom("abdomen", grid, 1, shrink).voxels > -300 for shrink in (1.0, 0.6))
    assert child.sum() == pytest.approx(0.36 * adult.sum(), rel=0.1)


def test_grain_has_the_size_asked_for_and_a_scanner_shows_less_of_it_the_thicker_its_slices() -> None:
    for size in (2.0, 4.0):
        field = random_field((4, 128, 128), (1.0, 0.5, 0.5), size, 1)
        power = np.mean(np.abs(np.fft.fft2(field)) ** 2, axis=0)
        frequency = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(128, 0.5)]))
        mean = float((power * frequency).sum() / power.sum())
        assert abs(field.mean()) < 0.02 and 1 / mean / 2 == pytest.approx(size, rel=0.35)  # half of a wavelength
    thin, thick = (random_field((4, 64, 64), (z, 0.3, 0.3), 4.0, 1).std() for z in (0.1, 5.0))
    assert thin == pytest.approx(0.95, abs=0.05) and thick < 0.85 * thin
    # A fine field, averaged over voxels, is what a coarse grid shows.
    fine = random_field((32, 256, 256), (0.25, 0.25, 0.25), 1.5, 2)
    coarse = fine.reshape(4, 8, 64, 4, 64, 4).mean((1, 3, 5)).std()
    assert random_field((4, 64, 64), (2.0, 1.0, 1.0), 1.5, 2).std() == pytest.approx(coarse, rel=0.15)


def test_only_tissue_that_has_grain_gets_it() -> None:
    tissue = np.full((4, 64, 64), Tissue.MARROW, np.uint8)
    tissue[:, :32] = Tissue.FLUID
    made = textured(np.zeros(tissue.shape, np.float32), tissue, (1.0, 0.5, 0.5), 1)
    assert 0.2 * GRAIN[Tissue.MARROW].hu < made[:, 34:].std() < GRAIN[Tissue.MARROW].hu
    assert (made[:, :31] == 0).all()


def test_an_unknown_region_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="choose one of head, shoulders"):
        region_phantom("tail", Grid(1, 32, (3.0, 9.0, 9.0)))
