"""The error bar of a contrast is the spread that contrasts of the same disc have over many noise realizations."""

import numpy as np
import pytest
from tests.quality.analytic import colored, frequencies, ramp

from demottle.noise.correlation import Correlation
from demottle.noise.spectrum import Spectrum
from demottle.quality.objects.contrast import Disc, Recovered, disc_contrast
from demottle.quality.objects.contrast_noise import ContrastNoise

SIZE, SPACING = 64, 0.8


def known(power: np.ndarray) -> Spectrum:
    """A spectrum that is known and not measured."""
    none = np.zeros(1)
    return Spectrum(none, none, power, (SPACING, SPACING), 0.0, 0.0, 0.0, 0)


@pytest.mark.parametrize("color", ["white", "ramp"])
def test_it_is_the_spread_over_realizations(color: str) -> None:
    power = np.full((SIZE, SIZE), 300.0) if color == "white" else ramp(frequencies(SIZE, SPACING))
    planes = colored(power, SPACING, 600, seed=3)
    disc = Disc(SIZE // 2, SIZE // 2, 7.0, 0.0)
    spread = np.std([disc_contrast(plane, disc) for plane in planes])
    assert ContrastNoise(known(power)).error(7.0, 1) == pytest.approx(spread, rel=0.1)


def test_more_slices_and_scans_make_it_smaller_and_shared_noise_less_so() -> None:
    spectrum = known(np.full((SIZE, SIZE), 300.0))
    one = ContrastNoise(spectrum).error(5.0, 1)
    assert ContrastNoise(spectrum, scans=4).error(5.0, 4) == pytest.approx(one / 4)
    shared = ContrastNoise(spectrum, Correlation((0.5,), 0.0, 100)).error(5.0, 2)
    assert shared == pytest.approx(one * np.sqrt(0.75))


def test_a_contrast_below_three_standard_errors_is_lost_in_noise() -> None:
    for error, lost in ((8.0, True), (6.0, False), (np.nan, False)):
        one = Recovered("a", 6.0, -20.0, -25.0, -38.0, np.nan, error)
        assert one.lost_in_noise == lost
        assert one.share_error == pytest.approx(error / 20, nan_ok=True)
