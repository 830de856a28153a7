"""Slices are looked at in several threads: in order, with the same bits whatever their number, and once."""

import threading
import time
from collections.abc import Iterator
from weakref import ref

import numpy as np
import pytest

from demottle import threads
from demottle.image import Image, Voxels
from demottle.methods.one_scan.calibration import keep_ct_numbers
from demottle.methods.one_scan.restoration import restore_agreed
from demottle.noise import correlation
from demottle.noise.correlation import slice_correlation
from demottle.noise.fingerprint import measure
from demottle.noise.level import noise_level
from demottle.noise.local import noise_map
from demottle.noise.remembered import _known
from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan
from demottle.quality.check.whole import check


@pytest.fixture(scope="module")
def truth() -> Image:
    return body_phantom(slices=6, size=96, spacing=(3.0, 4.0, 4.0))


@pytest.fixture(scope="module")
def noisy(truth: Image) -> Image:
    return low_dose_scan(truth, sigma=30.0, rho=0.2, seed=1)


def _anew(image: Image) -> Image:
    """The same image, of which nothing is remembered."""
    return image.with_voxels(image.voxels.copy())


def _everywhere(index: int) -> Voxels:
    return np.ones((96, 96), np.float32)


def test_the_environment_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, many in (("3", 3), ("64", threads.MOST), ("2,1", 2), ("0", 1)):
        monkeypatch.setenv("OMP_NUM_THREADS", said)
        assert threads.count() == many
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert 1 <= threads.count() <= threads.MOST


def test_what_is_made_comes_in_order_and_a_few_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    taken: list[int] = []

    def items() -> Iterator[int]:
        for one in range(20):
            taken.append(one)
            yield one

    def make(one: int) -> tuple[int, str]:
        time.sleep(0.002 * (one % 3))
        return one, threading.current_thread().name

    for place, (one, name) in enumerate(threads.in_order(make, items())):
        assert one == place and name.startswith("slices") and len(taken) <= place + 4


def test_an_error_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        threads.each(lambda one: 1 / (5 - one), range(50))
    assert not [one for one in threading.enumerate() if one.name.startswith("slices")]


def test_measures_and_corrections_are_the_same_bits_in_one_thread_and_in_three(
    monkeypatch: pytest.MonkeyPatch, truth: Image, noisy: Image
) -> None:
    found = []
    for many in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", many)
        scan = _anew(noisy)
        told = measure(scan)
        out = (0.9 * truth.voxels + 0.1 * scan.voxels).astype(np.float32)
        local = noise_map(scan, slice_correlation(scan, lags=2), noise_level(scan))
        assert told.spectrum is not None
        restore_agreed(scan, out, local, told.correlation, told.spectrum.density_2d, _everywhere)
        keep_ct_numbers(scan, out, _everywhere)
        checked = check(scan, scan.with_voxels(out), told)
        found.append((out.tobytes(), repr(told.to_dict()), repr(checked.to_dict())))
    assert found[0] == found[1]


def test_what_was_measured_is_not_measured_again(monkeypatch: pytest.MonkeyPatch, noisy: Image) -> None:
    scan, fresh = _anew(noisy), _anew(noisy)
    lone, whole = noise_level(scan), slice_correlation(fresh, lags=2)
    told = measure(fresh)
    monkeypatch.setattr(correlation, "_by_lag", None)  # it would be an error to call it
    assert noise_level(fresh) == told.noise_level == lone
    assert slice_correlation(fresh) is told.correlation and slice_correlation(fresh, lags=2) == whole


def test_what_is_remembered_goes_with_its_image(noisy: Image) -> None:
    scan = _anew(noisy)
    slice_correlation(scan)
    assert scan in _known
    gone = ref(scan)
    del scan
    assert gone() is None
