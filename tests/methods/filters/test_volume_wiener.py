"""Windows of several slices: what they keep, what they remove, and that a part comes out as in the whole."""

import numpy as np
import pytest

from demottle.methods.filters.volume_wiener import Pass, reach, volume_wiener

PASSES = (Pass(16, 2), Pass(12, 2), Pass(8, 4))
WHITE = np.ones((64, 64))


def _noise(rho: float, slices: int = 12) -> np.ndarray:
    """Noise of deviation 20 whose neighboring slices share `rho` of it."""
    rng = np.random.default_rng(1)
    white = rng.normal(0, 20, (slices + 1, 64, 64))
    share = (1 - np.sqrt(1 - 4 * rho**2)) / (2 * rho) if rho else 0.0
    mixed = white[1:] + share * white[:-1]
    return (mixed / np.sqrt(1 + share**2)).astype(np.float32)


@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_most_noise_goes_also_where_slices_share_it(rho: float) -> None:
    noisy = _noise(rho) + 40
    out = volume_wiener(noisy, np.full_like(noisy, 20), WHITE, [rho], PASSES)
    assert out.std() < 0.25 * noisy.std()
    assert out.mean() == pytest.approx(noisy.mean(), abs=0.2)


def test_more_slices_in_a_window_remove_more() -> None:
    noisy = _noise(0.0)
    alone, together = (
        volume_wiener(noisy, np.full_like(noisy, 20), WHITE, [0.0], PASSES, depth=depth) for depth in (1, 4)
    )
    assert together.std() < 0.8 * alone.std() < 0.3 * noisy.std()


def test_without_noise_everything_stays() -> None:
    rng = np.random.default_rng(2)
    image = rng.normal(0, 50, (5, 40, 40)).astype(np.float32)
    out = volume_wiener(image, np.zeros_like(image), WHITE, [], PASSES)
    assert np.abs(out - image).max() < 0.01


def test_what_only_one_slice_shows_stays_in_it() -> None:
    image = np.zeros((9, 64, 64), np.float32)
    image[4, 28:36, 28:36] = 200
    out = volume_wiener(image + _noise(0.0, 9), np.full_like(image, 20), WHITE, [0.0], PASSES)
    assert out[4, 30:34, 30:34].mean() > 180
    assert abs(out[2, 30:34, 30:34].mean()) < 15


def test_a_part_comes_out_as_in_the_whole() -> None:
    noisy = _noise(0.3, 40)
    level = np.full_like(noisy, 20)
    whole = volume_wiener(noisy, level, WHITE, [0.3], PASSES)
    margin = reach(PASSES, 4)
    low, high = 10, 10 + 2 * margin + 5
    part = volume_wiener(noisy[low:high], level[low:high], WHITE, [0.3], PASSES, lies=(low, 40))
    inside = slice(low + margin, high - margin)
    np.testing.assert_allclose(part[margin : margin + 5], whole[inside], atol=1e-3)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("slices", [1, 2, 5, 9])
def test_every_slice_is_filtered(slices: int, depth: int) -> None:
    noisy = _noise(0.0, slices) + 500
    out = volume_wiener(noisy, np.full_like(noisy, 20), WHITE, [], PASSES[:1], depth=depth)
    assert out.mean((1, 2)) == pytest.approx(noisy.mean((1, 2)), abs=5)
    assert (out.std((1, 2)) < 15).all()


@pytest.mark.parametrize("slices", [1, 2, 3, 5, 7, 8])
def test_the_order_of_the_slices_does_not_matter(slices: int) -> None:
    noisy = _noise(0.2, slices)
    level = np.full_like(noisy, 20)
    forth = volume_wiener(noisy, level, WHITE, [0.2], PASSES)
    back = volume_wiener(noisy[::-1].copy(), level, WHITE, [0.2], PASSES)
    np.testing.assert_allclose(back[::-1], forth, atol=1e-2)


def test_slices_smaller_than_a_window_are_filtered() -> None:
    noisy = _noise(0.0)[:, :9, :7].copy()
    out = volume_wiener(noisy, np.full_like(noisy, 20), WHITE, [0.0], PASSES)
    assert out.shape == noisy.shape
    assert out.std() < noisy.std()
