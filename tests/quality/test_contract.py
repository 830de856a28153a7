"""Promises: what was put into a scan tells how sharp it stays, and the strength follows from one denoised image."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.errors import InputError
from demottle.image import Image
from demottle.quality.check.level import flat_noise, noise_levels
from demottle.quality.check.shifts import TissueShift
from demottle.quality.check.whole import check
from demottle.quality.contract.curves import Curves
from demottle.quality.contract.inserted import BLUR_MM, measure_edges, places_for_edges
from demottle.quality.contract.promise import Promise, refuse_unpromising
from demottle.quality.contract.solve import strength_for, strength_for_noise, strongest_sharp, worth
from demottle.quality.contract.terms import BROKEN, KEPT, NOT_SHOWN, Contract, terms_of


def smooth(image: Image, pixels: float = 1.0) -> Image:
    return image.with_voxels(gaussian_filter(image.voxels, [0, pixels, pixels]))


@pytest.fixture(scope="module")
def scan() -> Image:
    noise = np.random.default_rng(1).normal(0, 20, (6, 160, 160))
    return Image(noise.astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU")


@pytest.fixture(scope="module")
def curves(scan: Image) -> Curves:
    full = smooth(scan)
    places = places_for_edges(smooth(scan, 3.0), seed=0)
    edges = [measure_edges(scan, smooth, places, contrast) for contrast in (35.0, 100.0)]
    return Curves(edges, flat_noise(scan, full), [], seed=0)


def test_a_known_blur_is_found_on_discs_in_noise(curves: Curves) -> None:
    # Gaussians of 0.7 and 1 mm and a pixel of 1 mm (variance 1/12), together and without the second
    put_in = BLUR_MM**2 + 1 / 12
    expected = np.sqrt(put_in / (put_in + 1))
    for number in range(2):
        f50, f10, contrast = curves.sharpness(number, 1.0)
        assert f50.value == pytest.approx(expected, abs=0.03)
        assert f50.low <= f50.value <= f50.high
        assert f10.value == pytest.approx(expected, abs=0.06) or f10.value < 1
        assert contrast.value == pytest.approx(1, abs=0.02)
        assert curves.sharpness(number, 0.0)[0].value == pytest.approx(1)


def test_noise_of_a_blend_follows_from_one_result(scan: Image) -> None:
    full = smooth(scan)
    half = scan.with_voxels(scan.voxels + np.float32(0.5) * (full.voxels - scan.voxels))
    told = float(np.median(flat_noise(scan, full).blended(0.5)))
    assert told == pytest.approx(noise_levels(scan, half).after, rel=1e-3)


@pytest.mark.parametrize("change", [-0.2, -0.45])
def test_the_strength_for_a_noise_gives_that_noise(scan: Image, curves: Curves, change: float) -> None:
    strength = strength_for_noise(curves, change)
    result = scan.voxels + strength * (smooth(scan).voxels - scan.voxels)
    assert result.std() / scan.voxels.std() - 1 == pytest.approx(change, abs=0.02)


def test_the_most_that_keeps_the_sharpness_keeps_it_and_a_little_more_does_not(curves: Curves) -> None:
    strength = strongest_sharp(curves, 0.9)
    assert 0 < strength < 1
    assert min(curves.sharpness(n, strength)[0].low for n in range(2)) >= 0.9
    assert min(curves.sharpness(n, strength + 0.01)[0].low for n in range(2)) < 0.9


def test_terms_are_kept_not_shown_or_broken_by_their_interval(curves: Curves) -> None:
    f50 = curves.sharpness(0, 0.5)[0]
    for share, status in ((f50.low - 0.01, KEPT), ((f50.low + f50.value) / 2, NOT_SHOWN), (f50.value + 0.01, BROKEN)):
        first = terms_of(Promise(keep_mtf=share), curves, 0.5)[0]
        assert (first.what, first.status) == ("f50 of edges of 35 HU", status)


def test_means_that_move_bound_the_strength(curves: Curves) -> None:
    moved = TissueShift("fat", 1000, -100.0, -96.0, 4.0, 3.5, 4.5, False, blocks=50)
    bound = Curves(curves.edges, curves.flat, [moved], seed=0)
    strength = strength_for(Promise(keep_hu=1.0), bound)
    assert 1 / 4.7 < strength < 1 / 4.5  # 4.5 is the end of the 90 % interval, that of 95 % is a little farther
    kept = [term for term in terms_of(Promise(keep_hu=1.0), bound, strength) if term.name == "keep_hu"]
    assert [term.status for term in kept] == [KEPT]


def test_a_tissue_that_the_check_of_the_result_no_longer_finds_is_told_as_foretold(curves: Curves, scan: Image) -> None:
    moved = TissueShift("fluid", 1000, 0.0, 2.0, 2.0, 1.8, 2.2, False, blocks=50)
    known = Curves(curves.edges, curves.flat, [moved], seed=0)
    seen = replace(check(scan, scan), tissues=())
    means = [term for term in terms_of(Promise(keep_hu=1.0), known, 0.25, seen) if term.name == "keep_hu"]
    assert [(term.what, term.found.value, term.status) for term in means] == [("mean of fluid", 0.5, KEPT)]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({}, "Nothing is promised"),
        ({"keep_mtf": 1.2}, "Give 0.98 for 98 %"),
        ({"keep_mtf": 1.0}, "less than 1"),
        ({"keep_mtf": 0.0}, "more than 0"),
        ({"keep_mtf": float("nan")}, "share of f50"),
        ({"keep_hu": 0.0}, "more than 0"),
        ({"keep_hu": -1.0}, "more than 0"),
        ({"keep_hu": float("inf")}, "inf HU"),
        ({"noise": 0.45}, "such as -45 %"),
        ({"noise": -1.0}, "between 0 and -100 %"),
        ({"noise": 0.0}, "between 0 and -100 %"),
    ],
)
def test_promises_that_nothing_can_keep(wrong: dict[str, float], word: str) -> None:
    with pytest.raises(InputError, match=word):
        Promise(**wrong)


@pytest.mark.parametrize(
    ("image", "word"),
    [
        (Image(np.zeros((2, 8, 8), np.float32), (1.0, 1.0, 1.0), "MR", "a.u."), "MR in a.u."),
        (Image(np.zeros((2, 8, 8), np.float32), (0.1, 1.0, 1.0), "XA", "a.u."), "a run of frames"),
        (Image(np.zeros((2, 8, 8), np.float32), (1.0, 1.0, 2.0), "CT", "HU"), "square pixels"),
    ],
)
def test_nothing_is_promised_of_other_images(image: Image, word: str) -> None:
    with pytest.raises(InputError, match=word):
        refuse_unpromising(image)


def test_of_two_ways_the_one_that_keeps_a_promise_then_the_sharper_or_the_stronger_is_worth_more(
    curves: Curves, scan: Image
) -> None:
    gentle = smooth(scan, 0.5)
    places = places_for_edges(smooth(scan, 3.0), seed=0)
    edges = [measure_edges(scan, lambda image: smooth(image, 0.5), places, c) for c in (35.0, 100.0)]
    other = Curves(edges, flat_noise(scan, gentle), [], seed=0)

    def worth_of(promise: Promise, of: Curves) -> tuple[bool, bool, float]:
        strength = strength_for(promise, of)
        return worth(Contract(promise, "smooth", strength, terms_of(promise, of, strength), 1), of)

    beyond = Promise(noise=-0.6)  # more than the gentle one takes at all
    assert worth_of(beyond, curves) > worth_of(beyond, other)
    within, sharp = Promise(noise=-0.3), Promise(keep_mtf=0.9)
    assert worth_of(within, curves)[:2] == worth_of(within, other)[:2] == (True, True)
    assert worth_of(within, curves)[2] == min(curves.sharpness(n, strength_for(within, curves))[0].low for n in (0, 1))
    assert worth_of(sharp, other)[2] == pytest.approx(-other.noise_change(strength_for(sharp, other)))


def test_noise_that_comes_back_with_an_edge_does_not_count_as_its_sharpness(scan: Image) -> None:
    """A method that leaves the scan as it is where it sees a disc keeps all of it, noise included."""
    flat, level = smooth(scan, 3.0).voxels, 35.0
    places = places_for_edges(scan.with_voxels(flat), seed=0)

    def apply(image: Image) -> Image:
        seen = np.abs(gaussian_filter(image.voxels - scan.voxels, [0, 1, 1])) > 0.01 * level
        return image.with_voxels(np.where(seen, image.voxels, flat))

    edges = measure_edges(scan, apply, places, level)
    f50, _, _ = Curves([edges], flat_noise(scan, apply(scan)), [], seed=0).sharpness(0, 1.0)
    assert f50.value == pytest.approx(1, abs=0.05)
    assert f50.high - f50.low < 0.1
