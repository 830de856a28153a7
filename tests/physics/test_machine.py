"""The simulated scanner: noise as its formula says, and what real scanners do that a simple model does not."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.physics.ct.machine import Exposure, Machine, seen_through
from demottle.physics.ct.polychromatic import REFERENCE_KEV, attenuation, transmitted, tube_spectrum
from demottle.physics.ct.projection import Response

SIZE, PIXEL = 96, 3.0
FLAT = Response((0.0, 0.1, 0.17), (1.0, 0.8, 0.0))


def water(radius=110.0, off=0.0):
    at = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    return np.where((at[:, None] / radius) ** 2 + ((at[None] - off) / radius) ** 2 < 1, 0, -1000).astype(np.float32)


def machine(**changes):
    return Machine(FLAT, **{"pitch": 2.4, "views": 240, "modulation": 0.0, **changes})


@pytest.mark.parametrize("photons", [1e5, 3e3])
def test_draws_have_the_variance_that_is_foretold(photons):
    exposed = Exposure(water(), PIXEL, machine())
    draws = np.stack([exposed.noise(photons, np.random.default_rng(n)) for n in range(12)])
    found = draws.var(axis=0, ddof=1)
    wanted = np.kron(exposed.variance_map(photons, 4), np.ones((4, 4)))
    distance = np.hypot(*np.indices(found.shape) - (SIZE - 1) / 2) * PIXEL
    for inner, outer in ((0, 45), (45, 80), (80, 108)):
        ring = (distance >= inner) & (distance < outer)
        assert np.sqrt(found[ring].mean() / wanted[ring].mean()) == pytest.approx(1, abs=0.03)


def test_a_quarter_of_the_dose_has_more_than_twice_the_noise_where_electronics_count():
    ratios = []
    for electronic in (0.0, 20.0):
        exposed = Exposure(water(), PIXEL, machine(electronic=electronic))
        full, quarter = (exposed.variance_map(share * 1e5, 8)[6, 6] for share in (1, 0.25))
        ratios.append(np.sqrt(quarter / full))
    assert ratios[0] == pytest.approx(2, rel=0.01)
    assert ratios[1] > 2.05


def test_a_bow_tie_moves_noise_to_the_rim():
    def rim_over_middle(most):
        found = np.sqrt(Exposure(water(), PIXEL, machine(bow_tie=(most, 2.0))).variance_map(1e6, 4))
        return found[12, 4] / found[12, 12]

    assert rim_over_middle(70.0) > 1.1 * rim_over_middle(0.0)


def test_thick_objects_harden_the_beam():
    kev, share = tube_spectrum(120.0)
    assert 50 < share @ kev < 70
    none = np.zeros(1, np.float32)
    thin, thick = (transmitted(np.full(1, mm, np.float32), none, none, 120.0) for mm in (10, 350))
    reference = float(attenuation("water", REFERENCE_KEV))
    assert -np.log(thick.signal[0]) < 0.97 * 350 * reference / (10 * reference) * -np.log(thin.signal[0])
    assert thick.slope[0] < thin.slope[0]


def test_the_tube_works_harder_where_a_patient_is_wide():
    at = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    wide = np.where((at[:, None] / 60) ** 2 + (at[None] / 120) ** 2 < 1, 0, -1000).astype(np.float32)
    current = Exposure(wide, PIXEL, machine(modulation=0.6)).current
    assert current.mean() == pytest.approx(1, abs=1e-5)
    late = round(20 / 360 * 240)
    assert current[60 + late] > 1.5 * current[late]  # from the side and from the front


def test_a_kernel_that_boosts_edges_overshoots_and_keeps_the_mean():
    plane = water()
    boosted = seen_through(plane, PIXEL, Response((0.0, 0.05, 0.1, 0.17), (1.0, 1.3, 1.0, 0.2)))
    assert boosted.mean() == pytest.approx(plane.mean(), abs=0.1)
    assert boosted.max() > 30


def test_what_no_scanner_has_is_refused():
    with pytest.raises(InputError, match="140 kV"):
        tube_spectrum(200.0)
    with pytest.raises(InputError, match="as many gains"):
        Response((0.0, 0.0), (1.0, 1.0))
    with pytest.raises(InputError, match="negative"):
        Response((0.0, 0.1), (1.0, -1.0))
