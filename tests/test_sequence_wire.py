"""A filter that loses thin wires that move is not chosen, however small its mean square error."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.fluoroscopy_plan_cases import PlanCase, run_of
from demottle.image import Image
from demottle.methods.registry import method
from demottle.noise.sequence import SequenceFingerprint, measure_sequence
from demottle.physics.moved_still import StillMotion
from demottle.plan_sequence import CANDIDATES, Candidate, Risk, filter_plan
from demottle.sequence_risk import DROPS, wires_lost
from demottle.sequence_wire import wire_kept, wires
from demottle.settings import make_settings

Found = list[tuple[Candidate, Callable[[Image], Image]]]


@pytest.fixture(scope="module")
def run() -> Image:
    return run_of(PlanCase("texture-50", StillMotion(), 24, 8, 8, 1.0, size=96))[0]


@pytest.fixture(scope="module")
def found(run: Image) -> SequenceFingerprint:
    return measure_sequence(run)


def test_what_is_kept_of_wires_is_one_for_no_filter_and_a_half_for_half_a_wire(run: Image) -> None:
    sigma = np.full(run.shape, 3, np.float32)

    def half(image: Image) -> Image:
        return image.with_voxels(image.voxels / 2)

    kept = wire_kept([lambda image: image, half], run, run.voxels, sigma, 0.0)
    assert kept == pytest.approx([1.0, 0.5], abs=1e-3)


def test_the_wires_move_and_are_thin() -> None:
    drawn = wires((8, 96, 96))
    assert -1 <= drawn.min() < -0.9
    assert drawn.max() == 0
    assert 0.002 < np.mean(drawn < -0.5) < 0.02
    assert np.mean((drawn[0] < -0.5) & (drawn[-1] < -0.5)) < 0.2 * np.mean(drawn[0] < -0.5)


def test_dropping_components_is_barred_only_where_it_loses_the_wires(run: Image, found: SequenceFingerprint) -> None:
    others: Found = []
    for name in ("motion-adaptive-recursive", "recursive", "nvca"):
        others.append((Candidate(name), method(name).load().fit(run, make_settings(name, {}), found)))
    drops = next(candidate for candidate in CANDIDATES if candidate.method == DROPS)

    def smears(image: Image) -> Image:
        return image.with_voxels(np.broadcast_to(image.voxels.mean(axis=0), image.shape).astype(np.float32))

    said = wires_lost(run, found, [*others, (drops, smears)])
    assert said.startswith("mp-pca is not used")
    assert not wires_lost(run, found, [*others, (drops, lambda image: image)])
    near = Risk(drops, 1.0, 3.0, said)
    plan = filter_plan((Risk(CANDIDATES[0], 2.0, 3.0), near), {}, ())
    assert plan.method == CANDIDATES[0].method
    assert said in plan.reasons
    assert filter_plan((replace(near, loses=""), Risk(CANDIDATES[0], 2.0, 3.0)), {}, ()).method == DROPS
