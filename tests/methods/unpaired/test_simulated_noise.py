"""Noise is simulated as every low-dose scan has it, not as one of them has."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from demottle.errors import UnsuitableError
from demottle.image import Image
from demottle.learning.data.dataset import entries_of, sets_of
from demottle.learning.players import Share
from demottle.methods.unpaired.simulated_noise import LOW, NoisyPatches, ScanNoises


def large_scan(number: int, level: float, coarse: bool = False, pixel: float = 1.5) -> Image:
    """A uniform body wide enough for a spectrum, of a fine or of a coarse kernel."""
    z, y, x = np.ogrid[0:4, -96:96, -96:96]
    noise = np.random.default_rng(number).normal(0, level, (4, 192, 192))
    if coarse:
        noise = 4 * (gaussian_filter(noise, (0, 0.9, 0.9)) - gaussian_filter(noise, (0, 2, 2)))
    body = np.where((y / 84) ** 2 + (x / 90) ** 2 < 1, 40.0, -1000.0) + 0.0 * z
    return Image(np.rint(body + noise).astype(np.float32), (3.0, pixel, pixel), "CT", "HU")


def neighbor_correlation(noise: np.ndarray) -> float:
    return float(np.corrcoef(noise[..., 1:].ravel(), noise[..., :-1].ravel())[0, 1])


def test_patches_get_the_noise_of_every_low_dose_scan_in_turn(tmp_path: Path) -> None:
    low = [(f"l{n}", large_scan(n, 40.0, coarse=bool(n % 2))) for n in range(6)]
    full = [(f"f{n}", large_scan(n + 6, 10.0)) for n in range(2)]
    sets = sets_of(entries_of(low), entries_of(full), tmp_path)
    noisy, clean = NoisyPatches(sets, 48)(Share(0, 0, range(24), torch.device("cpu")))
    found = sorted(neighbor_correlation(patch) for patch in (noisy - clean).numpy())
    assert found[0] < 0.2
    assert found[-1] > 0.5


def test_scans_with_pixels_of_the_same_size_are_preferred(tmp_path: Path) -> None:
    low = [(f"l{n}", large_scan(n, 40.0, pixel=pixel)) for n, pixel in enumerate((0.7, 0.7, 0.7, 1.5, 1.5, 1.5))]
    full = [(f"f{n}", large_scan(n + 6, 10.0, pixel=0.7)) for n in range(2)]
    sets = sets_of(entries_of(low), entries_of(full), tmp_path)
    alike = ScanNoises(sets.low.scans, 32, LOW).alike(sets.full.scans[0])
    assert len(alike) == sum(scan.facts.spacing[1] == 0.7 for scan in sets.low.scans) < len(sets.low.scans)


def test_without_measurable_noise_the_way_out_is_named() -> None:
    with pytest.raises(UnsuitableError, match="warm_up=0"):
        ScanNoises((), 32, LOW)
