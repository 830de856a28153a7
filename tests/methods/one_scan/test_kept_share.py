"""The share of the shipped weights that is kept is the one with the least error, found without the truth."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn
from torch.nn import functional

from demottle.image import Image
from demottle.methods.one_scan.kept_share import keep_what_the_scan_says
from demottle.methods.one_scan.scan_noise import ScanNoise
from demottle.methods.one_scan.scan_samples import scan_samples
from demottle.noise.correlation import Correlation
from demottle.noise.synthesis import NoiseSource

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
PATCH = 64


class Blend(nn.Module):
    """`w x + (1 - w) blurred x`: w decides how much is smoothed."""

    def __init__(self, w: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w))

    def forward(self, x: Tensor, deviation: Tensor) -> Tensor:
        del deviation
        return self.w * x + (1 - self.w) * functional.avg_pool2d(x, 5, 1, 2, count_include_pad=False)


def scan_of(texture: float, sigma: float, kernel: float) -> tuple[Image, np.ndarray]:
    """Fine tissue texture of that strength, alike in all slices, and noise of that level and grain; and the clean slices."""
    random = np.random.default_rng(3)
    fine = gaussian_filter(random.standard_normal((160, 160)), 1.0)
    clean = np.repeat((40 + texture * fine / fine.std())[None], 12, axis=0).astype(np.float32)
    noise = gaussian_filter(random.standard_normal(clean.shape), (0, kernel, kernel))
    return Image(clean + np.float32(sigma / noise.std()) * noise.astype(np.float32), (3, 1, 1), "CT", "HU"), clean


@pytest.mark.parametrize(
    ("texture", "sigma", "kernel"), [(0.5, 20, 0), (20, 20, 0), (20, 5, 0), (10, 20, 0.6), (30, 12, 0.6)]
)
def test_the_least_error_is_found(texture: float, sigma: float, kernel: float) -> None:
    image, clean = scan_of(texture, sigma, kernel)
    correlation = Correlation((0.0, 0.0), 0.0, 10_000)
    samples = scan_samples(image, correlation, sigma, PATCH)
    white = np.random.default_rng(0).standard_normal((400, 64, 64))
    grain = gaussian_filter(white, (0, kernel, kernel))
    spectrum = (np.abs(np.fft.fft2(grain)) ** 2).mean(axis=0).astype(np.float32)
    noise = ScanNoise(image, samples, correlation, NoiseSource(spectrum, PATCH))
    student = Blend(0.0)
    begun = {"w": torch.tensor(1.0)}
    chosen = keep_what_the_scan_says(student, begun, student, SHARES, samples, noise, PATCH, seed=0)
    assert float(student.w.detach()) == pytest.approx(chosen)  # learned is 0, begun 1

    def error(share: float) -> float:
        with torch.inference_mode():
            out = Blend(share)(torch.from_numpy(image.voxels.copy())[:, None], torch.ones(1))[:, 0].numpy()
        return float(((out - clean)[:, 8:-8, 8:-8] ** 2).mean())

    assert error(chosen) <= 1.05 * min(error(share) for share in SHARES)


def test_one_share_is_taken_unasked() -> None:
    student = Blend(0.0)
    none = None  # nothing is measured
    assert keep_what_the_scan_says(student, {"w": torch.tensor(1.0)}, student, (0.3,), none, none, PATCH, 0) == 0.3  # type: ignore[arg-type]
    assert float(student.w.detach()) == pytest.approx(0.3)
