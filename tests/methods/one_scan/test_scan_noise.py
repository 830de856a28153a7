"""Noise taken from the scan: its direction and level belong to the place, and it is not the slice's own."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from demottle.image import Image
from demottle.methods.one_scan.scan_noise import NEAREST, ScanNoise
from demottle.methods.one_scan.scan_samples import ScanSamples, scan_samples
from demottle.noise.correlation import Correlation
from demottle.noise.synthesis import NoiseSource

SIZE = 64


@pytest.fixture(scope="module")
def streaky() -> tuple[ScanNoise, ScanSamples]:
    """A scan whose noise is streaky along the rows in its left half and along the columns in its right half."""
    white = np.random.default_rng(0).standard_normal((12, 192, 192), dtype=np.float32)
    noise = np.concatenate(
        [gaussian_filter1d(white[..., :96], 0.7, axis=2), gaussian_filter1d(white[..., 96:], 0.7, axis=1)], axis=2
    )
    image = Image(40 + 20 * noise / noise.std(), (3, 1, 1), "CT", "HU")
    correlation = Correlation((0.0, 0.0), 0.0, 10_000)
    samples = scan_samples(image, correlation, 20.0, SIZE)
    return ScanNoise(image, samples, correlation, NoiseSource(np.ones((64, 64)), SIZE)), samples


def neighbors(patches: np.ndarray, axis: int) -> float:
    """Correlation of a pixel and the next along an axis."""
    one, two = np.take(patches, range(SIZE - 1), axis), np.take(patches, range(1, SIZE), axis)
    return float((one * two).mean() / (patches**2).mean())


@pytest.mark.parametrize(("column", "along", "across"), [(16, 2, 1), (112, 1, 2)])
def test_streaks_keep_their_direction(
    streaky: tuple[ScanNoise, ScanSamples], column: int, along: int, across: int
) -> None:
    places = np.array([[z, 60, column] for z in range(3, 9)])
    drawn = streaky[0].draw(places, SIZE, np.random.default_rng(1))
    assert drawn.var() == pytest.approx(1, rel=0.15)
    assert neighbors(drawn, along) > 0.3  # what stands in where slices do not match is white here
    assert abs(neighbors(drawn, across)) < 0.15


def test_noise_is_never_the_slice_s_own(streaky: tuple[ScanNoise, ScanSamples]) -> None:
    noise, samples = streaky
    places = np.array([[z, 60, 16] for z in range(12)] * 4)
    drawn = noise.draw(places, SIZE, np.random.default_rng(2))
    own = np.stack([samples.slices[z, r : r + SIZE, c : c + SIZE] - 40 for z, r, c in places])
    each = [abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) for a, b in zip(drawn, own, strict=True)]
    assert max(each) < 0.15  # a pair that shares its slice has 0.7
    assert NEAREST > 2


def test_short_scans_draw_from_the_spectrum() -> None:
    tissue = np.random.default_rng(0).normal(40, 20, (3, 96, 96)).astype(np.float32)
    image, correlation = Image(tissue, (3, 1, 1), "CT", "HU"), Correlation((0.0,), 0.0, 10_000)
    samples = scan_samples(image, correlation, 20.0, SIZE)
    noise = ScanNoise(image, samples, correlation, NoiseSource(np.ones((64, 64)), SIZE))
    drawn = noise.draw(np.array([[1, 10, 10]] * 8), SIZE, np.random.default_rng(0))
    assert drawn.var() == pytest.approx(1, rel=0.05)
