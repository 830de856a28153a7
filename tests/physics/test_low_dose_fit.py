"""What the scan's own noise tells of kernel and scanner is found, and what it does not tell stays as usual."""

from dataclasses import replace

import numpy as np
import pytest

from demottle.image import Image
from demottle.noise.flat import flat_mask
from demottle.noise.spectrum import spectrum_of_noise
from demottle.noise.synthesis import NoiseSource
from demottle.physics.ct.ct_noise import Scanner, independent_noise
from demottle.physics.ct.projection import Response, apodisation
from demottle.physics.low_dose.beam import ParallelBeam
from demottle.physics.low_dose.fit import Seen, fit_tube
from demottle.physics.low_dose.response import matching_response
from demottle.physics.low_dose.scan import LowDose, LowDoseSettings
from demottle.physics.low_dose.texture import matching_cut_off, noise_power
from demottle.physics.low_dose.tube import Tube, rays_per_photon

SIZE, PIXEL = 120, 3.0
USUAL = Tube(water=0.0193, electronic=8.0, bow_tie=0.5, diameter_mm=500.0, modulation=0.5)
FREE = ("electronic", "bow_tie", "modulation", "lag", "hardening")


def body():
    at = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    return np.where((at[:, None] / 110) ** 2 + (at[None] / 165) ** 2 < 1, 40, -1000).astype(np.float32)


def variance_of(tube, rim=0.0):
    """Variance in HU^2 at a hundred thousand photons."""
    beam = ParallelBeam((SIZE, SIZE), PIXEL, 180, "soft")
    rays = rays_per_photon(beam.integrals(body(), tube.water), beam, tube) / 1e5
    added = beam.variance(rays + (tube.electronic * rays) ** 2, 1) * (1000 / tube.water) ** 2
    at = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL / 250
    return (added * np.exp(rim * (at[:, None] ** 2 + at[None] ** 2))).astype(np.float32)


def test_the_spectrum_of_a_kernel_that_boosts_edges_is_found() -> None:
    """The Hann kernel of the same mean frequency is far from it."""
    pixel = 0.8
    f = np.linspace(0, 1, 101)
    true = Response(tuple(f), tuple((1 + 0.8 * np.exp(-(((f - 0.35) / 0.12) ** 2))) * np.exp(-((f / 0.55) ** 6))))
    plane = np.fft.fftfreq(256, pixel)
    power = noise_power(np.hypot(plane[:, None], plane[None]), pixel, true)
    spectrum = spectrum_of_noise(NoiseSource(power, 256).draw(4, np.random.default_rng(1)), (pixel, pixel))
    cut_off = matching_cut_off(spectrum.mean, pixel)
    found = matching_response(spectrum, cut_off)
    asked = np.arange(0.1, 0.6, 0.05)
    wanted = noise_power(asked, pixel, true)

    def apart(kernel):
        power = noise_power(asked, pixel, kernel)
        return np.abs(power / power.sum() - wanted / wanted.sum()).sum()

    assert apart(found) < 0.12 < 0.4 < apart(cut_off)
    assert apodisation(found, np.array([0.0]))[0] == 1


def test_bow_tie_modulation_and_geometry_are_found_in_the_map_of_the_level() -> None:
    true = replace(USUAL, bow_tie=0.9, modulation=0.8, lag=15.0)
    variance, weight = variance_of(true, rim=0.5), (body() > 0).astype(np.float32)
    found = fit_tube([Seen(body(), variance, weight)], USUAL, PIXEL, "soft", FREE)
    left, before = (
        np.std(np.log(variance / np.exp(rim) / variance_of(tube))[weight > 0])
        for tube, rim in ((found.tube, found.outward((SIZE, SIZE), PIXEL)), (USUAL, np.zeros((SIZE, SIZE))))
    )
    assert left < 0.03 < 0.1 < before
    assert found.tube.lag == pytest.approx(15, abs=6)
    assert set(found.values) == {*FREE, "rim"}


def test_a_scan_that_tells_nothing_keeps_the_usual_values() -> None:
    dark = Seen(body(), np.ones((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32))
    assert fit_tube([dark], USUAL, PIXEL, "soft", FREE).tube == USUAL
    usual = Seen(body(), variance_of(USUAL), (body() > 0).astype(np.float32))
    found = fit_tube([usual], USUAL, PIXEL, "soft", FREE)
    assert found.tube.bow_tie == pytest.approx(0.5, abs=0.1) and found.rim == pytest.approx(0, abs=0.15)


def test_the_variance_that_is_foretold_is_that_of_the_noise_that_is_drawn() -> None:
    plane = np.pad(body()[10:-10, 4:-4], ((10, 10), (4, 4)), constant_values=-1000)
    truth = Image(np.stack([plane] * 2), (3, PIXEL, PIXEL), "CT", "HU", slice_thickness=3.0)
    noise = independent_noise(truth, 15.0, Scanner(angles=160), seed=1)[1:-1]
    scan = truth.with_voxels(truth.voxels + noise)
    simulation = LowDose(scan, 0.25, LowDoseSettings(kernel="soft"))
    drawn = np.stack([simulation.noise(0, repeat)[0] for repeat in range(8)])
    where = flat_mask(scan)[0]
    foretold = simulation.variance(0)
    assert np.sqrt((drawn[:, where] ** 2).mean() / foretold[where].mean()) == pytest.approx(1, abs=0.03)
