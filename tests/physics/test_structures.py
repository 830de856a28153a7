import json
from math import inf

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.physics.phantoms.catalog import build
from demottle.physics.phantoms.inserts import Insert
from demottle.physics.phantoms.structures import GroundTruth, Structure
from demottle.quality.objects.edge import disc_edge

TRUTH = GroundTruth(
    "rods",
    (4, 64, 64),
    (3.0, 0.5, 0.5),
    (
        Structure("rod", Insert((1.5, 20.25, 40.5), 4.0, -100, inf), 0.0, "edge"),
        Structure("ball", Insert((1.0, 30.0, 31.0), 5.0, 12.0), 50.0, "detection"),
        Structure("wire", Insert((1.5, 31.5, 31.5), 0.02, 3e5, inf), 0.0, "point", (0.03, -0.02)),
    ),
    0.4,
    {"seed": 3},
)


def test_it_comes_back_from_json_as_it_was():
    assert GroundTruth.from_json(TRUTH.to_json()) == TRUTH


def test_the_record_has_places_in_mm_and_pixels():
    rod = json.loads(TRUTH.to_json())["structures"][0]
    assert rod["center_mm"] == pytest.approx([0, -11.25 / 2, 9 / 2])
    assert (rod["diameter_mm"], rod["diameter_pixels"]) == (8, 16)
    assert (rod["hu"], rod["background_hu"], rod["contrast_hu"]) == (-100, 0, -100)


def test_where_a_slice_cuts_a_structure():
    rod, ball, wire = TRUTH.structures
    assert rod.in_slice(3, TRUTH.spacing) == (20.25, 40.5, 8)
    assert ball.in_slice(2, TRUTH.spacing) == pytest.approx((30, 31, 8))  # 3 mm off the middle of a 5 mm ball
    assert ball.in_slice(3, TRUTH.spacing) is None
    assert wire.in_slice(2.5, TRUTH.spacing)[:2] == pytest.approx((31.5 + 0.18, 31.5 - 0.12))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "demottle truth", "version": 2}'])
def test_anything_else_is_refused(text):
    with pytest.raises(InputError, match=r"truth\.json"):
        GroundTruth.from_json(text)


def test_the_edge_of_a_rod_has_the_mtf_that_the_record_states():
    scene = build("rods", slices=1, size=512)
    truth = GroundTruth("rods", scene.image.shape, scene.image.spacing, scene.structures, scene.blur_mm)
    rod = next(s for s in scene.structures if s.name == "acrylic")
    row, column, radius = rod.in_slice(0, truth.spacing)
    noise = np.random.default_rng(0).normal(0, 0.5, scene.image.shape[1:])
    edge = disc_edge(scene.image.voxels[0] + noise, truth.spacing[1], (row, column), radius)
    assert edge.f50 == pytest.approx(truth.frequency_at(0.5), rel=0.02)
    assert edge.f10 == pytest.approx(truth.frequency_at(0.1), rel=0.03)
