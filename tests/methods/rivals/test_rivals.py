"""What others learn from a scan does what its paper says: on noise that meets its assumption, and not on noise that does not."""

import time
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from demottle.errors import InputError, UnsuitableError
from demottle.image import Image
from demottle.methods import METHODS, Budget, Denoiser
from demottle.methods.one_scan.scan_samples import ScanSamples
from demottle.methods.rivals import structn2v
from demottle.methods.rivals.blind_spot import BlindSpotLesson
from demottle.methods.rivals.neighbor2neighbor import subsampled
from demottle.methods.rivals.patch_search import similar_pixels
from demottle.methods.rivals.teaching import Ground
from demottle.methods.rivals.zs_n2n import diagonals
from demottle.noise.fingerprint import measure

LEVEL = 30.0
SMALL = {"channels": (8, 16), "patch": 64, "batch": 4}
QUICK: dict[str, dict[str, Any]] = {
    "noise2void": SMALL,
    "structn2v": SMALL,
    "neighbor2neighbor": SMALL,
    "zs-n2n": {"channels": (16,), "patch": 64},
    "noise2sim": SMALL,
    "ngps": {**SMALL, "window": 5},
    "deep-image-prior": {"channels": (8, 16)},
}


LEARNED = {"zs-n2n": 160}
"""Steps after which a method has learned; 80 of the others. Its network is tiny, and is taught at half the size."""


def halves(along_rows: float = 0.0, slices: int = 3, size: int = 96) -> Image:
    """Fat on the left, muscle on the right, noise of 30 HU that is white, or correlated along the rows."""
    truth = np.where(np.arange(size) < size // 2, -100.0, 60.0) * np.ones((slices, size, 1))
    noise = np.random.default_rng(3).standard_normal(truth.shape)
    if along_rows:
        noise = gaussian_filter1d(noise, along_rows, axis=2) - noise.mean()
    return Image((truth + LEVEL * noise / noise.std()).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU")


def fit(name: str, image: Image, steps: int = 80, seed: int = 0, **settings: Any) -> Denoiser:
    module = METHODS[name].load()
    made: Denoiser = module.fit(
        image, module.Settings(**QUICK[name] | settings), measure(image), seed=seed, budget=Budget(steps=steps)
    )
    return made


def left(image: Image) -> np.ndarray:
    """Fat, 20 pixels from the edge."""
    return image.voxels[:, 8:-8, 8:28]


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_white_noise_goes_and_the_edge_stays(name: str) -> None:
    image = halves()
    out = fit(name, image, steps=LEARNED.get(name, 80))(image)
    assert left(out).std() < 0.55 * LEVEL
    assert abs(left(out).mean() - left(image).mean()) < 2
    profile = out.voxels.mean(axis=(0, 1))
    assert profile[49] - profile[46] > 0.7 * 160


@pytest.mark.slow
def test_noise_along_the_rows_comes_back_from_noise2void_and_less_so_with_neighbors_hidden() -> None:
    image = halves(along_rows=1.0)
    plain = fit("noise2void", image)(image)
    hidden = fit("structn2v", image)
    assert (hidden.fitted["hidden_direction"], hidden.fitted["hidden_span"]) == ("horizontal", 2)
    assert left(plain).std() > 0.7 * LEVEL
    assert left(hidden(image)).std() < 0.8 * left(plain).std()


@pytest.mark.parametrize("name", ["noise2void", "noise2sim"])
def test_the_budget_is_kept(name: str) -> None:
    image = halves()
    assert fit(name, image, steps=3).fitted["steps"] == 3
    module = METHODS[name].load()
    timed = module.fit(image, module.Settings(**QUICK[name]), measure(image), budget=Budget(steps=9999, minutes=0.01))
    assert timed.fitted["ended"] == "time used up"


@pytest.mark.slow
def test_deep_image_prior_stops_at_the_noise_and_in_time() -> None:
    image = halves(size=64)
    module = METHODS["deep-image-prior"].load()
    settings = module.Settings(channels=(8, 8))
    out = module.fit(image, settings, measure(image), budget=Budget(steps=400))(image)
    left_over = (image.voxels - out.voxels)[:, 4:-4, 4:-4]
    assert left_over.std() == pytest.approx(LEVEL, rel=0.25)
    for half in (slice(8, 24), slice(-24, -8)):
        assert abs((image.voxels - out.voxels)[:, 8:-8, half].mean()) < 2
    started = time.monotonic()
    module.fit(image, settings, measure(image), budget=Budget(steps=100_000, minutes=0.01))(
        image.with_voxels(image.voxels)
    )
    assert time.monotonic() - started < 30


def test_noise_that_cannot_be_measured_is_refused() -> None:
    air = Image(np.full((3, 64, 64), -1000, np.float32), (3.0, 1.0, 1.0), "CT", "HU")
    for name in QUICK:
        with pytest.raises(UnsuitableError, match=name):
            fit(name, air)


class Spy(torch.nn.Module):
    """Keeps what it is shown and answers with it."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.shown = image
        return image


def lesson(image: np.ndarray, offsets: list[tuple[int, int]], nearest: int, farthest: int) -> BlindSpotLesson:
    body = np.ones(image.shape, np.bool_)
    samples = ScanSamples((0,), image, (), np.ones_like(image), body, (slice(None), slice(None)))
    ground = Ground(samples, 1.0, 32, 1, 1, 0, torch.device("cpu"))
    return BlindSpotLesson(ground, 0.02, offsets, nearest, farthest)


def test_a_blind_spot_hides_the_pixel_and_nothing_else_is_changed() -> None:
    ramp = np.arange(32 * 32, dtype=np.float32).reshape(1, 32, 32)
    spy = Spy()
    made = lesson(ramp, [(0, 0)], 1, 2)
    made.loss(spy)
    shown = np.abs(np.sort(spy.shown.numpy().ravel()) - np.arange(32 * 32))
    assert shown.any()
    rows_and_columns = np.divmod(spy.shown.numpy()[0, 0].astype(int), 32)
    turned = [axis for axis in (0, 1) if rows_and_columns[axis].mean(axis=1 - axis)[0] > 16]
    upright = np.flip(spy.shown.numpy()[0, 0], turned)
    changed = np.argwhere(upright != ramp[0])
    assert 0 < len(changed) < 0.04 * 32 * 32
    for row, column in changed:
        there = divmod(int(upright[row, column]), 32)
        assert max(abs(there[0] - row), abs(there[1] - column)) <= 2


def test_a_bar_is_hidden_whole_by_values_from_outside_of_it() -> None:
    random = np.random.default_rng(0).standard_normal((1, 32, 32)).astype(np.float32)
    spy = Spy()
    made = lesson(random, structn2v.offsets("horizontal", 2), 3, 5)
    loss = made.loss(spy)
    same = np.isin(spy.shown.numpy(), random)
    assert same.all()  # values are those of other pixels
    assert float(loss) > 0.5  # what was hidden cannot be read off what is shown


def test_what_is_hidden_follows_the_direction_of_the_noise() -> None:
    frequency = np.fft.fftfreq(32)
    density = np.exp(-((frequency[:, None] / 0.1) ** 2)) * np.ones((32, 32))  # low frequencies down the columns
    down, right = structn2v.correlation(density)
    assert down[0] > 0.8
    assert np.abs(right).max() < 1e-9
    assert len(structn2v.offsets("both", 1)) == 9
    with pytest.raises(InputError, match="direction"):
        structn2v.StructN2VSettings(direction="diagonal")


def test_subsampled_pixels_are_neighbors_of_one_cell() -> None:
    image = torch.arange(64.0).view(1, 1, 8, 8)
    choice = torch.tensor([1, 3]).expand(1, 4, 4, 2)
    one, two = subsampled(image, choice)
    assert torch.equal(one, image[..., ::2, 1::2])
    assert torch.equal(two, image[..., 1::2, 1::2])


def test_diagonals_are_means_of_opposite_corners() -> None:
    one, two = diagonals(torch.tensor([[1.0, 2.0], [4.0, 8.0]]).view(1, 1, 2, 2))
    assert (float(one), float(two)) == (3.0, 4.5)


def test_a_structure_that_moved_is_found_again() -> None:
    guide = np.random.default_rng(1).standard_normal((40, 40)).astype(np.float32)
    moved = np.roll(guide, (2, -3), axis=(0, 1))
    found, cost = similar_pixels(guide, moved, moved, window=7, patch=5, best=1)
    inside = slice(8, -8)
    assert found[inside, inside] == pytest.approx(guide[inside, inside])
    assert cost[inside, inside].max() < 1e-6
    several, worst = similar_pixels(guide, moved, moved, window=7, patch=5, best=4)
    assert (worst >= cost).all()
    assert several.std() < guide.std()


def test_the_tiny_network_of_zs_n2n_takes_one_number_of_channels() -> None:
    with pytest.raises(InputError, match=r"channels is \[8, 16\]; the tiny network has a single number of them\."):
        METHODS["zs-n2n"].load().Settings(channels=(8, 16))
