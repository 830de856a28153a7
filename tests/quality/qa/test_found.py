"""Which phantom it is and how it lies is found from the image alone, in any pose a phantom is left in."""

from itertools import product

import numpy as np
import pytest
from tests.quality.qa.scans import SIZE, SPACING, examined, scan_of

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.qa.layouts import LAYOUTS
from demottle.quality.phantoms.found import find

RODS = [kind for kind, layout in LAYOUTS.items() if layout.key is not None and layout.key.role == "rods"]
POSES = [(-4.6, (3.4, -3.4), False), (5.0, (0.0, 4.9), True), (1.7, (-2.0, 1.0), True), (177.0, (0.5, 0.5), False)]


def agrees(kind, roll, tilt, round_about, z_tolerance=1.0):
    """Find a phantom and compare the pose with the one that was painted; return what was found."""
    scan, pose = scan_of(kind, roll, tilt, round_about)
    found = find(scan)
    assert found.layout.kind == kind
    assert (found.pose.mirrored, found.pose.reversed) == (round_about, round_about)
    assert abs((found.pose.roll - pose.roll + 180) % 360 - 180) < 0.5
    np.testing.assert_allclose(found.pose.tilt, pose.tilt, atol=0.1)
    np.testing.assert_allclose(found.pose.origin[:2], pose.origin[:2], atol=0.3)
    assert abs(found.pose.origin[2] - pose.origin[2]) < z_tolerance
    return found


@pytest.mark.parametrize(("kind", "pose"), [("catphan-504", POSES[0]), ("acr-464", POSES[1])])
def test_it_is_recognized_however_it_lies(kind, pose):
    found = agrees(kind, *pose)
    assert found.scale == pytest.approx(1, abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "pose"), list(product(RODS, POSES)))
def test_every_phantom_with_rods_is_recognized_however_it_lies(kind, pose):
    assert agrees(kind, *pose).scale == pytest.approx(1, abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("roll", [-5.0, 2.5])
def test_the_faint_discs_are_enough_to_recognize_the_low_contrast_phantom(roll):
    scan, _ = scan_of("cct189", roll, (2.0, -1.0), noise=6.0, spacing=(1.0, 0.8, 0.8))
    found = find(scan)
    assert found.layout.kind == "cct189"
    assert found.pose.roll == pytest.approx(roll, abs=0.5)
    np.testing.assert_allclose(found.pose.tilt, (2.0, -1.0), atol=0.15)


def test_water_is_not_taken_for_a_phantom_with_faint_discs():
    for seed in range(2, 5):
        found = find(scan_of("water", noise=20.0, seed=seed)[0])
        assert found.layout.kind == "water"
        assert 2 * found.body.radius == pytest.approx(200, abs=0.5)


def test_without_the_line_pairs_it_is_asked_which_catphan_it_is():
    scan, _ = scan_of("catphan-504", part=(-12.0, 12.0))
    with pytest.raises(InputError, match=r"Catphan 50[34] or a Catphan") as refused:
        find(scan)
    assert refused.value.remedy == "kind"
    assert find(scan, "catphan-504").layout.kind == "catphan-504"
    with pytest.raises(InputError, match="rods or discs of a Catphan 700 were not found"):
        find(scan, "catphan-700")


def test_a_couch_that_touches_the_phantom_does_not_move_it():
    scan, pose = scan_of("acr-464", *POSES[1])
    voxels = scan.voxels.copy()
    bottom = round((pose.origin[1] + 99) / SPACING[1])
    voxels[:, bottom : bottom + 9, 20:-20] = np.maximum(voxels[:, bottom : bottom + 9, 20:-20], 80)
    found = find(scan.with_voxels(voxels))
    np.testing.assert_allclose(found.pose.origin[:2], pose.origin[:2], atol=0.5)
    assert found.pose.roll == pytest.approx(pose.roll, abs=0.5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"modality": "MR", "unit": "a.u."}, "MR in a.u.; QA phantoms are measured in CT"),
        ({"spacing": (3.0, 1.0, 1.2)}, "not square"),
        ({"empty": True}, "No round phantom was found"),
        ({"square": True}, "No round phantom was found"),
        ({"size": 0.8}, "none of the phantoms"),
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(change, words):
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    inside = np.hypot(y, x) < 100 * change.get("size", 1.0)
    if change.get("square"):
        inside = (abs(y) < 80) & (abs(x) < 80)
    plane = np.where(inside & (not change.get("empty")), 0.0, -1000.0)
    if "size" in change:  # a body of 160 mm with a bone in it
        plane[np.hypot(y - 20, x) < 12] = 900
    scan = Image(
        np.repeat(plane[None].astype(np.float32), 6, axis=0),
        change.get("spacing", SPACING),
        change.get("modality", "CT"),
        change.get("unit", "HU"),
    )
    with pytest.raises(InputError, match=words):
        find(scan, "catphan-504" if change.get("kind") else None)


def test_what_is_found_says_how_well_it_agrees():
    found, _ = examined("catphan-504", *POSES[0])
    assert found.found.score > 1
