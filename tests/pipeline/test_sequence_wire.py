"""A filter that makes thin moving wires harder to see is not chosen, however small its mean square error."""

from collections.abc import Callable

import numpy as np
import pytest

from demottle.benchmark.suites.decisions.fluoroscopy_wires import Measured, measured
from demottle.benchmark.suites.decisions.runs import PlanCase, run_of
from demottle.image import Image, Voxels
from demottle.methods.registry import method
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.physics.fluoroscopy.moved_still import StillMotion
from demottle.pipeline.plan import Plan
from demottle.pipeline.plan_sequence import CANDIDATES, Candidate, Risk, filter_plan
from demottle.pipeline.sequence import better_of
from demottle.pipeline.sequence_risk import wires_lost
from demottle.pipeline.sequence_wire import VISIBLE, Probe, wires, wires_seen
from demottle.pipeline.settings import make_settings

CASE = PlanCase("texture-50", StillMotion(), 24, 8, 8, 1.0)
NVCA, UDCA = (Candidate(name) for name in ("nvca", "udca"))


@pytest.fixture(scope="module")
def run() -> Image:
    return run_of(CASE)[0]


@pytest.fixture(scope="module")
def found(run: Image) -> SequenceFingerprint:
    return measure_sequence(run)


@pytest.fixture(scope="module")
def seen() -> dict[str, Measured]:
    return measured(CASE, (1.0, 2.0))


def smears(image: Image) -> Image:
    return image.with_voxels(np.broadcast_to(image.voxels.mean(axis=0), image.shape).astype(np.float32))


def fitted(name: str, run: Image, found: SequenceFingerprint) -> Callable[[Image], Image]:
    made: Callable[[Image], Image] = method(name).load().fit(run, make_settings(name, {}), found)
    return made


def of_noise(
    run: Image, filters: list[Callable[[Image], Image]], amplitude: float | None = None
) -> list[tuple[float, float]]:
    """Contrast and detectability where nothing is shown but noise of deviation 3."""
    noise: Voxels = (3 * np.random.default_rng(0).standard_normal((8, 128, 128))).astype(np.float32)
    like: Voxels = (3 * np.random.default_rng(1).standard_normal(noise.shape)).astype(np.float32)
    part = run.with_voxels(100 + noise)
    got = wires_seen(filters, Probe(part, part.voxels, np.full_like(noise, 3), like, 0.0), amplitude)
    return [(one.contrast, one.detectability) for one in got]


def test_half_of_all_contrast_is_half_the_contrast_and_as_easy_to_see_because_the_noise_is_half_as_well(
    run: Image,
) -> None:
    def half(image: Image) -> Image:
        return image.with_voxels(50 + image.voxels / 2)

    (whole, seen), (halved, seen_halved) = of_noise(run, [lambda image: image, half], amplitude=1.0)
    assert (whole, halved) == pytest.approx((1.0, 0.5), abs=1e-3)
    assert seen_halved == pytest.approx(seen, rel=0.05)
    expected = np.sqrt(np.sum(wires((8, 128, 128)) ** 2) / 8 / 4)  # of one wire in white noise, without the smooth part
    assert seen == pytest.approx(expected, rel=0.2)


def test_wires_can_just_be_seen_in_the_run_as_it_is(run: Image) -> None:
    assert of_noise(run, [lambda image: image])[0][1] == pytest.approx(VISIBLE, rel=0.02)


def test_the_wires_move_and_are_thin() -> None:
    drawn = wires((8, 96, 96))
    assert -1 <= drawn.min() < -0.9
    assert drawn.max() == 0
    assert 0.002 < np.mean(drawn < -0.5) < 0.02
    assert np.mean((drawn[0] < -0.5) & (drawn[-1] < -0.5)) < 0.2 * np.mean(drawn[0] < -0.5)


def test_what_is_estimated_on_the_run_is_what_is_seen_against_the_truth(seen: dict[str, Measured]) -> None:
    for name in ("nvca", "motion-adaptive-recursive", "recursive", "mp-pca", "udca"):
        assert seen[name].estimated == pytest.approx(seen[name].detectability[0], rel=0.2), name


def test_the_network_that_comes_with_demottle_shows_faint_wires_as_well_as_the_filters_do(
    seen: dict[str, Measured],
) -> None:
    others = [one for name, one in seen.items() if name not in ("udca", "input")]
    assert seen["udca"].contrast[0] > 0.4
    assert seen["udca"].contrast[1] > 0.55
    assert seen["udca"].detectability[1] > 0.9 * max(one.detectability[1] for one in others)


def test_what_loses_wires_is_barred_whichever_filter_it_is(run: Image, found: SequenceFingerprint) -> None:
    nvca = fitted("nvca", run, found)
    mp_pca = next(candidate for candidate in CANDIDATES if candidate.method == "mp-pca")
    for candidate in (mp_pca, UDCA):
        kept, said = wires_lost(run, found, [(NVCA, nvca), (candidate, smears)])
        assert not kept
        assert said.startswith(f"{candidate.method} is not used") and "with nvca by" in said
        assert wires_lost(run, found, [(NVCA, nvca), (candidate, nvca)]) == ["", ""]
        far, near = Risk(NVCA, 2.0, 3.0), Risk(candidate, 1.0, 3.0, said)
        plan = filter_plan((far, near), {}, ())
        assert plan.method == "nvca"
        assert said in plan.reasons
        assert filter_plan((Risk(candidate, 1.0, 3.0), far), {}, ()).method == candidate.method
        farther = Risk(candidate, 2.5, 3.0, said)  # would not have been chosen anyway
        assert said not in filter_plan((far, farther), {}, ()).reasons


def test_what_was_learned_gives_way_where_it_loses_wires(run: Image, found: SequenceFingerprint) -> None:
    class Smears:
        method, settings, fitted = "udca", {}, {}

        def __call__(self, image: Image) -> Image:
            return smears(image)

    used, plan = better_of(Smears(), Plan("udca", {}, ("first",)), run, found)  # type: ignore[arg-type]
    assert not isinstance(used, Smears)
    assert plan.reasons[0] == "first" and plan.reasons[1].startswith("What udca learned")
