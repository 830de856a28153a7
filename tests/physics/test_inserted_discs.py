"""Discs of known contrast in a scan: in flat tissue, apart from each other, and cut out again."""

from dataclasses import replace

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.inserted_discs import insert_discs

PIXEL = 1.5


def slab(noise=10.0):
    """Soft tissue with a bone in it and air around, with white noise."""
    plane = np.full((96, 96), -1000, np.float32)
    plane[8:88, 8:88] = 50
    plane[40:56, 40:56] = 600
    random = np.random.default_rng(0)
    voxels = np.stack([plane] * 12) + noise * random.standard_normal((12, 96, 96), dtype=np.float32)
    return Image(voxels, (3, PIXEL, PIXEL), modality="CT", unit="HU")


@pytest.fixture(scope="module")
def scan():
    return slab()


@pytest.fixture(scope="module")
def discs(scan):
    return insert_discs(scan, diameter_mm=6, contrast=35, count=20, seed=2)


def test_only_the_places_of_the_discs_change_and_by_their_contrast(scan, discs):
    added = discs.image.voxels - scan.voxels
    assert added.max() == pytest.approx(35, abs=0.5)
    for z, y, x in discs.present:
        assert added[z, y, x] == pytest.approx(35, abs=0.5)
        assert added[z - 1 : z + 2, y - 4 : y + 5, x - 4 : x + 5].sum(axis=(1, 2)) * PIXEL**2 == pytest.approx(
            35 * np.pi * 9, rel=0.02
        )
    for z, y, x in discs.absent:
        assert abs(added[z, y - 4 : y + 5, x - 4 : x + 5]).max() < 0.1  # tail of a neighbor's blur
    assert added.sum(dtype=np.float64) * 3 * PIXEL**2 == pytest.approx(20 * 35 * np.pi * 9 * 9, rel=0.02)


def test_places_lie_in_flat_tissue_and_not_in_each_other(discs):
    clean = slab(noise=0).voxels
    down, across = (count // 2 for count in discs.crop_shape)
    seen = np.zeros(clean.shape, int)
    for z, y, x in (*discs.present, *discs.absent):
        box = (z, slice(y - down, y + down + 1), slice(x - across, x + across + 1))
        assert np.ptp(clean[box]) == 0
        seen[box] += 1
    # Boxes may touch with their corners, which lie outside of the 2.3 radii that are kept apart.
    assert (seen > 1).sum() < 0.02 * (seen > 0).sum()


def test_crops_show_the_discs_against_their_surroundings(scan, discs):
    present, absent = discs.crops(discs.image)
    assert present.shape == absent.shape == (20, *discs.crop_shape)
    assert present.mean(axis=(1, 2)) == pytest.approx(np.zeros(20), abs=1e-6)
    middle = tuple(count // 2 for count in discs.crop_shape)
    seen = present.mean(axis=0) - absent.mean(axis=0)
    assert seen[middle] == pytest.approx(35 * (1 - np.pi * 9 / PIXEL**2 / seen.size), abs=10)
    without, _ = discs.crops(scan)  # the scan as it was: the same places, no discs
    assert abs(without.mean(axis=0)[middle]) < 10


def test_the_same_seed_gives_the_same_places_and_another_does_not(scan, discs):
    assert insert_discs(scan, 6, 35, 20, seed=2).present == discs.present
    assert insert_discs(scan, 6, 35, 20, seed=3).present != discs.present


def test_padding_is_no_tissue():
    scan = slab()
    valid = np.ones(scan.shape, bool)
    valid[:, :, :40] = False
    voxels = np.where(valid, scan.voxels, 50)  # whatever lies there
    found = insert_discs(replace(scan, voxels=voxels, valid=valid), 6, 35, 10)
    assert min(x for _, _, x in (*found.present, *found.absent)) > 43


@pytest.mark.parametrize(
    ("change", "given", "words"),
    [
        ({"modality": "MR"}, {}, "CT in HU"),
        ({}, {"contrast": 0.0}, "not zero"),
        ({}, {"diameter_mm": -1.0}, "positive"),
        ({}, {"diameter_mm": 2.9}, "less than 3 pixels of 1.5 mm"),
        ({}, {"count": 0}, "positive"),
        ({}, {"count": 5000}, "were found"),
    ],
)
def test_what_cannot_be_is_one_sentence(scan, change, given, words):
    with pytest.raises(InputError, match=words):
        insert_discs(replace(scan, **change), **{"diameter_mm": 6, "count": 10, **given})


def test_an_image_of_another_shape_has_no_such_places(scan, discs):
    with pytest.raises(InputError, match="shape"):
        discs.crops(scan.part(0, 4))


def test_a_part_of_an_image_keeps_its_geometry(scan):
    valid = scan.voxels > -500
    part = replace(scan, valid=valid).part(3, 7)
    assert part.spacing == scan.spacing and part.modality == "CT" and part.unit == "HU"
    assert np.array_equal(part.voxels, scan.voxels[3:7]) and np.array_equal(part.valid, valid[3:7])
    with pytest.raises(InputError, match="not empty"):
        scan.part(5, 5)
