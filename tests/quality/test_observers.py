"""Hotelling observers of a phantom's discs: what they say follows from what was done to the scans."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.phantoms import ct

from demottle.image import Image
from demottle.noise.correlation import Correlation
from demottle.physics.phantoms.inserts import Insert
from demottle.physics.phantoms.structures import GroundTruth, Structure
from demottle.quality.check.leak import Leak
from demottle.quality.evaluation import evaluate
from demottle.quality.figures import figures_of
from demottle.quality.objects.observers import Observed, independent_step
from demottle.quality.objects.repeats import Many, Pair, gather
from demottle.quality.verdict import FAILED, NOT_SHOWN, PASSED

SLICES, SIZE, SPACING = 24, 144, (3.0, 1.0, 1.0)
MIDDLE = (11.5, 72.0, 72.0)
BODY = Structure("body", Insert(MIDDLE, 68.0, 1000.0, np.inf), -1000.0, "uniform")
SMALL = Structure("small", Insert((11.5, 72.3, 110.4), 4.0, 14.0, np.inf), 0.0, "detection")
LARGE = Structure("large", Insert((11.5, 72.0, 33.6), 6.0, 9.0, np.inf), 0.0, "detection")
KNOWN = GroundTruth("low-contrast", (SLICES, SIZE, SIZE), SPACING, (BODY, SMALL, LARGE))
Y, X = np.mgrid[:SIZE, :SIZE]
EMPTY = np.where(np.hypot(Y - 72, X - 72) < 68, 0.0, -1000.0)
FULL = EMPTY + sum(
    s.insert.contrast
    * np.clip(s.insert.radius_mm - np.hypot(Y - s.insert.center[1], X - s.insert.center[2]) + 0.5, 0, 1)
    for s in (SMALL, LARGE)
)


def grain(seed: int) -> np.ndarray:
    return gaussian_filter(np.random.default_rng(seed).normal(0, 40, (SLICES, SIZE, SIZE)), (0, 0.7, 0.7))


def scan(seed: int, share: float, truth: np.ndarray = FULL, blur: float = 0.0) -> Pair:
    """A scan, and the same with a share of its noise, and with its discs blurred but not its noise."""
    shown = gaussian_filter(truth, blur) if blur else truth
    return ct(truth + grain(seed), SPACING), ct(shown + share * grain(seed), SPACING)


def found(first: Pair, repeats: list[Pair] | None = None, absent: list[Pair] | None = None) -> Many:
    return gather(first, repeats or [], absent or [], KNOWN, None, without=bool(absent))


def named(many: Many) -> dict[str, Observed]:
    return {one.name: one for one in many.observed}


def test_half_the_noise_doubles_dprime_of_every_task() -> None:
    seen = named(found(scan(1, 0.5), [scan(2, 0.5)]))
    assert set(seen) == {"small", "large", "small or large"}
    for one in seen.values():
        assert one.before.dprime > 1
        assert one.after.dprime / one.before.dprime == pytest.approx(2, rel=0.15)
        assert one.change_low > 0
    assert seen["small"].before.present == 2 * SLICES
    assert seen["small"].before.absent > seen["small"].before.present  # several empty places in each slice


def test_a_blur_makes_shapes_hard_to_tell_apart_though_discs_are_still_seen() -> None:
    seen = named(found(scan(1, 1, blur=4), [scan(2, 1, blur=4)]))
    assert seen["small or large"].change_high < 0
    assert seen["large"].change_low < 0 < seen["large"].change_high


def test_scans_without_the_discs_are_looked_at_in_the_discs_own_place() -> None:
    many = found(scan(1, 0.5), absent=[scan(5, 0.5, EMPTY), scan(6, 0.5, EMPTY)])
    assert (many.scans, many.without) == (1, 2)
    small = named(many)["small"]
    assert (small.before.present, small.before.absent) == (SLICES, 2 * SLICES)
    assert small.before.dprime == pytest.approx(named(found(scan(1, 0.5)))["small"].before.dprime, rel=0.3)


def test_what_becomes_of_pure_noise_is_told_where_it_was_scanned() -> None:
    blobs = np.zeros((SIZE, SIZE))
    blobs[50:56, 60:66] = 30
    before, after = scan(5, 0.5, EMPTY)
    many = found(scan(1, 0.5), absent=[(before, ct(after.voxels + blobs, SPACING))])
    assert many.noise_only is not None
    strongest = {disc.diameter: disc for disc in many.noise_only.discs}[5.0]
    assert strongest.after > 20
    assert found(scan(1, 0.5)).noise_only is None
    water = replace(KNOWN, structures=(BODY,))
    pair = scan(5, 0.5, EMPTY)
    alone = gather(pair, [], [], water, None, without=False)
    assert alone.noise_only is not None
    assert alone.noise_only.after / alone.noise_only.before == pytest.approx(0.5, rel=0.01)
    assert any("no disc that is there to be detected" in s for s in alone.refused)


def test_too_few_images_give_a_sentence_and_no_figure() -> None:
    few = replace(KNOWN, shape=(6, SIZE, SIZE))
    pair = tuple(Image(image.voxels[:6], SPACING, "CT", "HU") for image in scan(1, 0.5))
    many = gather((pair[0], pair[1]), [], [], few, None, without=False)
    assert many.observed == ()
    assert any("needs 10 independent images, and there are only 6;" in s and "repeats" in s for s in many.refused)


def test_without_an_empty_place_like_its_own_a_lesion_is_not_judged() -> None:
    inside = replace(SMALL, background=50.0)  # something lies between it and the uniform body
    other = gather(scan(1, 0.5), [], [], replace(KNOWN, structures=(BODY, inside)), None, without=False)
    assert other.observed == ()
    assert any("no empty place" in s for s in other.refused)


def test_slices_that_share_noise_do_not_count_twice() -> None:
    def leak(*rho: float) -> Leak:
        return Leak(Correlation(rho, 0.0, 1000), Correlation((0.0,) * len(rho), 0.0, 1000), 0.0)

    assert independent_step(None) == 1
    assert independent_step(leak(0.05, 0.0)) == 1
    assert independent_step(leak(0.3, 0.05)) == 2
    assert independent_step(leak(0.6, 0.3)) == 3
    assert independent_step(leak(float("nan"), float("nan"))) >= 1


@pytest.mark.slow
def test_an_evaluation_holds_the_observer_against_its_limit_and_means_of_repeats_against_the_list() -> None:
    blurred, before = scan(1, 1, blur=4), scan(1, 1)[0]

    def more() -> Iterator[Pair]:
        yield scan(2, 1, blur=4)

    bad = evaluate(before, blurred[1], structures=KNOWN, repeats=more())
    verdicts = {v.what: v.status for v in bad.gate.verdicts if v.name == "detectability"}
    assert verdicts["share of d' lost, small or large"] == FAILED
    good = evaluate(*scan(1, 0.5), structures=KNOWN, repeats=[scan(2, 0.5)])
    assert {v.status for v in good.gate.verdicts if v.name == "detectability"} <= {PASSED, NOT_SHOWN}
    assert good.known is not None and all(abs(one.share - 1) < 0.3 for one in good.known.contrast)
    assert any(f.name == "d' CHO of seeing small" and f.after > f.before for f in figures_of(good))
    assert good.to_dict()["scans"] == {"with": 2, "without": 0}


@pytest.mark.real_data
def test_on_the_public_phantom_discs_are_seen_better_with_dose() -> None:
    """Ten repeats of one slice of a phantom that is not ours, taken as slices; each dose is "after" once."""
    if "DEMOTTLE_REAL_DATA" not in os.environ:
        pytest.skip("DEMOTTLE_REAL_DATA is unset")
    root = Path(os.environ["DEMOTTLE_REAL_DATA"]) / "low-contrast-phantom"
    spacing = (1.0, 150 / 232, 150 / 232)

    def images(dose: str) -> Image:
        paths = sorted((root / dose / "signal_present").glob("*.raw"))
        planes = [np.fromfile(path, "<u2").reshape(256, 256) for path in paths]
        return Image(np.stack(planes).astype(np.float32) - 1000, spacing, "CT", "HU")

    truth = np.fromfile(root / "ground_truth.raw", "<u2").reshape(256, 256).astype(int) - 1000
    discs = [np.argwhere(truth == contrast) for contrast in (14, 7, 5, 3)]
    structures = [Structure("body", Insert((4.5, 127.5, 127.5), 75.0, 1000.0, np.inf), -1000.0, "uniform")]
    for contrast, disc in zip((14.0, 7.0, 5.0, 3.0), discs, strict=True):
        row, column = (float(at) for at in disc.mean(axis=0))
        insert = Insert((4.5, row, column), float(np.sqrt(len(disc) / np.pi) * spacing[1]), contrast, np.inf)
        structures.append(Structure(f"{contrast:g} HU", insert, 0.0, "detection"))
    known = GroundTruth("low-contrast", (10, 256, 256), spacing, tuple(structures))
    low, middle, high = (images(dose) for dose in ("dose_010", "dose_055", "dose_100"))
    seen = [gather(pair, [], [], known, None, without=False).observed for pair in ((low, middle), (low, high))]
    dprime = [
        np.mean([getattr(one, side).dprime for one in found if one.task == "detection"])
        for found, side in ((seen[0], "before"), (seen[0], "after"), (seen[1], "after"))
    ]
    assert dprime[0] < dprime[1] < dprime[2]
    assert dprime[2] - dprime[0] > 0.8
