"""What holds for every kind of CT phantom: geometry, CT numbers, areas, and what is refused."""

import re

import numpy as np
import pytest

from demottle.cli.simulate.arguments import PhantomSpacing
from demottle.errors import InputError
from demottle.physics.phantoms.catalog import KINDS, build

ROUND = sorted(set(KINDS) - {"body", "brain"})
SHARP = {"slices": 2, "size": 160, "blur_mm": 0.0}


def inside(scene, structure, margin):
    """Pixels of slice 0 that lie at least `margin` pixels within the structure, and those at most that far outside."""
    row, column, radius = structure.in_slice(0, scene.image.spacing)
    rows, columns = np.indices(scene.image.shape[1:])
    distance = np.hypot(rows - row, columns - column)
    return distance < radius - margin, distance < radius + margin


@pytest.mark.parametrize("kind", ROUND)
def test_it_is_ct_on_the_grid_asked_for(kind):
    image = build(kind, 3, 150, (2.0, 1.5, 1.5)).image
    assert (image.shape, image.spacing, image.modality, image.unit) == ((3, 150, 150), (2.0, 1.5, 1.5), "CT", "HU")
    assert image.voxels[:, 0].max() == -1000


@pytest.mark.parametrize("kind", ["water", "low-contrast", "rods"])
def test_mean_hu_inside_and_the_integral_over_each_structure_are_exact(kind):
    scene = build(kind, **SHARP)
    plane = scene.image.voxels[0].astype(np.float64)
    for structure in scene.structures[1:] or scene.structures:
        core, around = inside(scene, structure, 0.8)
        background = structure.background
        assert plane[core].mean() == pytest.approx(structure.hu, abs=1e-3)
        area = (plane[around] - background).sum() / structure.insert.contrast * scene.image.spacing[1] ** 2
        assert area == pytest.approx(np.pi * structure.insert.radius_mm**2, rel=1e-3)


def test_without_its_discs_the_low_contrast_phantom_is_water():
    scene = build("low-contrast", slices=1, size=128)
    assert scene.absent is not None
    np.testing.assert_array_equal(scene.absent.voxels, build("water", 1, 128, diameter=150.0).image.voxels)
    difference = scene.image.voxels - scene.absent.voxels
    assert difference.min() == 0 and difference.max() == pytest.approx(14)


def test_wire_keeps_its_strength_and_walks_by_its_tilt():
    scene = build("wire", slices=9, size=128)
    wire = next(s for s in scene.structures if s.task == "point")
    strength = np.pi * wire.insert.radius_mm**2 * wire.insert.contrast / scene.image.spacing[1] ** 2
    rows, columns = np.indices(scene.image.shape[1:])
    for index, plane in enumerate(scene.image.voxels):
        row, column, _ = wire.in_slice(index, scene.image.spacing)
        near = np.where(np.hypot(rows - row, columns - column) < 12, plane, 0).astype(np.float64)
        assert near.sum() == pytest.approx(strength, rel=2e-3)
        assert (near * rows).sum() / near.sum() == pytest.approx(row, abs=0.01)
        assert (near * columns).sum() / near.sum() == pytest.approx(column, abs=0.01)
    first, last = wire.in_slice(0, scene.image.spacing), wire.in_slice(8, scene.image.spacing)
    moved = np.hypot(last[0] - first[0], last[1] - first[1]) * scene.image.spacing[1]
    assert moved == pytest.approx(8 * 3.0 * np.tan(np.deg2rad(2)), rel=1e-6)


def test_only_body_and_brain_change_with_the_seed():
    for kind in ROUND:
        one, other = (build(kind, 1, 128, seed=seed).image.voxels for seed in (0, 9))
        np.testing.assert_array_equal(one, other)


def test_lesions_of_the_body_say_what_is_around_them():
    scene = build("body", slices=1, size=48, spacing=(60.0, 8.0, 8.0))
    assert scene.structures
    for lesion in scene.structures:
        assert lesion.background in (108, 122)  # liver, spleen
        assert 10 <= abs(lesion.insert.contrast) <= 35


@pytest.mark.parametrize(
    ("kind", "choice", "words"),
    [
        ("sphere", {}, "no phantom"),
        ("water", {"slices": 0}, "positive"),
        ("water", {"size": 0}, "positive"),
        ("water", {"spacing": (3, -1, 1)}, "positive"),
        ("water", {"diameter": float("nan")}, "positive"),
        ("water", {"diameter": 300.0, "spacing": (3, 1, 1)}, "show 256 mm"),
        ("rods", {"contrast": 0.0}, "positive"),
        ("rods", {"diameter": 250.0}, "takes no diameter"),
        ("low-contrast", {"spacing": (3, 2, 2)}, "too large"),
        ("water", {"blur_mm": -0.5}, "blur"),
    ],
)
def test_what_cannot_be_is_refused(kind, choice, words):
    with pytest.raises(InputError, match=words):
        build(kind, **choice)


@pytest.mark.parametrize("kind", ["body", "water", "low-contrast", "brain"])
def test_slices_are_as_far_apart_as_the_help_says_and_the_object_is_inside(kind: str) -> None:
    told = re.search(r"default: (\d+)", str(PhantomSpacing.__metadata__[0].help), re.IGNORECASE)
    image = build(kind, 2, 128).image
    assert told is not None and image.spacing[0] == float(told[1])
    border = np.concatenate([image.voxels[:, 0].ravel(), image.voxels[:, :, -1].ravel()])
    assert (border == image.voxels.min()).all()
