"""Gaussian, bilateral, non-local means, total variation, BM3D and BM4D do what they are known for."""

import cv2
import numpy as np
import pytest

from demottle.errors import InputError, UnsuitableError
from demottle.image import Image
from demottle.methods import METHODS, Denoiser
from demottle.methods.filters.block_matching import across_slices, stretched
from demottle.noise.fingerprint import measure

LEVEL = 30.0


def halves(slices: int = 3, size: int = 96, smooth: float = 0.0) -> Image:
    """Fat on the left, muscle on the right, noise of 30 HU, white or with a grain (without low frequencies, as in CT)."""
    truth = np.where(np.arange(size) < size // 2, -100.0, 60.0) * np.ones((slices, size, 1))
    noise = np.random.default_rng(3).standard_normal(truth.shape)
    if smooth:
        noise = np.stack([cv2.GaussianBlur(p, (0, 0), smooth) - cv2.GaussianBlur(p, (0, 0), 3 * smooth) for p in noise])
    return Image((truth + LEVEL * noise / noise.std()).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU")


def left(image: Image, right: bool = False) -> np.ndarray:
    """What is 20 pixels from the edge."""
    return image.voxels[:, 8:-8, -28:-8] if right else image.voxels[:, 8:-8, 8:28]


def fitted(name: str, image: Image, **settings: object) -> Denoiser:
    module = METHODS[name].load()
    made: Denoiser = module.fit(image, module.Settings(**settings), measure(image))
    return made


def test_a_gaussian_takes_out_what_its_width_says_and_blurs_the_edge_by_it() -> None:
    image = halves()
    out = fitted("gaussian", image, sigma=2.0)(image)
    expected = LEVEL / (2 * np.sqrt(np.pi) * 2.0)  # white noise after a Gaussian of 2 pixels
    assert left(out).std() == pytest.approx(expected, rel=0.15)
    profile = out.voxels.mean(axis=(0, 1))
    assert (profile[49] - profile[46]) / 160 == pytest.approx(0.547, abs=0.08)  # erf(1.5 / (2 sqrt 2))


@pytest.mark.parametrize(("name", "noise", "edge"), [("bilateral", 0.5, 0.6), ("nlm", 0.45, 0.8), ("tv", 0.35, 0.8)])
def test_white_noise_goes_and_the_edge_stays(name: str, noise: float, edge: float) -> None:
    image = halves()
    out = fitted(name, image)(image)
    assert left(out).std() < noise * LEVEL
    assert abs(left(out).mean() - left(image).mean()) < 2
    profile = out.voxels.mean(axis=(0, 1))
    assert profile[48] - profile[47] > edge * 160


@pytest.mark.parametrize("name", ["bilateral", "nlm", "tv"])
def test_strength_follows_the_measured_noise(name: str) -> None:
    image = halves()
    half = image.with_voxels(image.voxels / 2)  # both halves are soft tissue still
    one, two = fitted(name, half)(half), fitted(name, image)(image)
    assert two.voxels[:, 8:-8, 8:-8] == pytest.approx(2 * one.voxels[:, 8:-8, 8:-8], abs=2.0)


@pytest.mark.parametrize("name", ["bilateral", "nlm", "tv", "bm3d"])
def test_uneven_noise_goes_everywhere_alike(name: str) -> None:
    size = 128
    level = np.geomspace(12, 72, size, dtype=np.float32) * np.ones((3, size, 1), np.float32)
    noise = level * np.random.default_rng(4).standard_normal(level.shape)
    image = Image((40 + noise).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU")
    settings = {"level": "local"} if name == "bm3d" else {}
    if name == "bm3d":
        pytest.importorskip("bm3d")
    out = fitted(name, image, **settings)(image)
    quiet, strong = (
        float((out.voxels - 40)[:, 8:-8, columns].std() / noise[:, 8:-8, columns].std())
        for columns in (slice(8, 40), slice(88, 120))
    )
    assert max(quiet, strong) < 0.45
    assert max(quiet, strong) < 2 * min(quiet, strong)


def test_noise_that_cannot_be_measured_is_not_guessed() -> None:
    air = Image(np.full((3, 64, 64), -1000, np.float32), (3.0, 1.0, 1.0), "CT", "HU")
    with pytest.raises(UnsuitableError, match="cannot be measured"):
        fitted("gaussian", air)


def test_a_spectrum_stretched_to_a_slice_keeps_its_frequencies() -> None:
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(32), np.fft.fftfreq(32), indexing="ij"))
    out = stretched(frequency, (96, 64))
    wanted = np.hypot(*np.meshgrid(np.fft.fftfreq(96), np.fft.fftfreq(64), indexing="ij"))
    assert out.mean() == pytest.approx(1)
    inside = np.abs(wanted) < 0.45
    assert np.abs(out - wanted / wanted.mean())[inside].max() < 0.05
    assert stretched(np.ones((1, 1)), (8, 8)) == pytest.approx(1)


def test_power_across_slices_is_that_of_the_correlation() -> None:
    power = across_slices([0.4, 0.1], 16)
    assert power.mean() == pytest.approx(1)
    assert np.fft.ifft(power).real[:4] == pytest.approx([1, 0.4, 0.1, 0], abs=1e-9)


@pytest.mark.parametrize("name", ["bm3d", "bm4d"])
def test_who_lists_methods_reads_that_a_package_is_not_free_for_commercial_use(name: str) -> None:
    assert "not free for commercial use" in METHODS[name].title


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from demottle.methods import card
    from demottle.pipeline.run import denoise

    monkeypatch.setattr(card, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install bm3d"):
        denoise(halves(), method="bm3d")
    with pytest.raises(InputError, match="pip install bm4d"):
        fitted("bm4d", halves(6))


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not METHODS[name].is_installed, reason=f"{name} is not installed")


@pytest.mark.slow
@needs("bm3d")
def test_bm3d_told_the_measured_spectrum_takes_out_grain_that_it_leaves_when_told_white() -> None:
    image = halves(slices=8, size=160, smooth=0.8).part(0, 4)
    white, measured = (fitted("bm3d", image, spectrum=told)(image) for told in ("white", "measured"))
    assert left(white).std() > 0.3 * LEVEL
    assert left(measured).std() < 0.6 * left(white).std()
    assert abs(left(measured).mean() - left(image).mean()) < 2


@needs("bm4d")
def test_bm4d_needs_as_many_slices_as_a_cube_has() -> None:
    with pytest.raises(UnsuitableError, match="5 slices"):
        fitted("bm4d", halves(4))


@pytest.mark.slow
@needs("bm4d")
def test_bm4d_uses_what_slices_have_in_common() -> None:
    image = halves(slices=8, size=64)
    out = fitted("bm4d", image, spectrum="white")(image)
    assert left(out).std() < 0.2 * LEVEL
