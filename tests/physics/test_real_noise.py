"""The simulated noise beside a real scanner's: the abdomen scan has a large cyst, flat over many slices."""

import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from demottle.image import Image
from demottle.physics.ct.ct_noise import independent_noise

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif("DEMOTTLE_REAL_DATA" not in os.environ, reason="needs the public scans"),
]
PIXEL = 1.03


def radial_spectrum(planes):
    """Noise power over frequency, of unit sum, in rings of 1/64 per pixel up to Nyquist."""
    planes = planes - planes.mean(axis=(1, 2), keepdims=True)
    power = np.mean(np.abs(np.fft.fft2(planes * np.outer(np.hanning(64), np.hanning(64)))) ** 2, axis=0)
    frequency = np.fft.fftfreq(64)
    ring = np.round(np.hypot(*np.meshgrid(frequency, frequency)) * 64).astype(int).ravel()
    radial = (np.bincount(ring, power.ravel()) / np.bincount(ring))[:33]
    return radial / radial.sum()


def test_soft_kernel_has_the_noise_of_the_real_body_kernel():
    folder = Path(os.environ["DEMOTTLE_REAL_DATA"])
    scan = np.asarray(nibabel.load(folder / "abdomen-ct" / "ct.nii.gz").dataobj, np.float32).transpose(2, 1, 0)
    real = radial_spectrum(np.diff(scan[18:40, 130:194, 240:304], axis=0))  # differences of slices: no anatomy

    at = (np.arange(256) - 127.5) * PIXEL
    plane = np.where(np.hypot(at[:, None], at[None]) < 120, 0, -1000).astype(np.float32)
    water = Image(np.stack([plane] * 10), (3, PIXEL, PIXEL), modality="CT", unit="HU")
    simulated = radial_spectrum(independent_noise(water, 20.0, seed=0)[:, 96:160, 96:160])

    rings = np.arange(33) / 64 / PIXEL
    assert rings @ simulated == pytest.approx(rings @ real, abs=0.02)  # mean frequency in 1/mm; 0.02 is just visible
    assert rings[simulated.argmax()] == pytest.approx(rings[real.argmax()], abs=0.06)
