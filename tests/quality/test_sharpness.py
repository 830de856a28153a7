"""Structures of one size and contrast are judged together."""

import numpy as np
import pytest
from tests.quality.analytic import blurred_disc
from tests.quality.phantoms import ct

from demottle.physics.phantoms.inserts import Insert
from demottle.physics.phantoms.structures import Structure
from demottle.quality.objects.sharpness import pooled, sharpness

SIZE, RADIUS = 144, 9
CENTERS = ((40.3, 40.8), (40.0, 104.0), (104.5, 40.0))


def planes(sigma: float) -> np.ndarray:
    """Discs of +35, -35 and 120 HU, blurred by a Gaussian of sigma pixels."""
    discs = zip(CENTERS, (35, -35, 120), strict=True)
    made = [blurred_disc(at, RADIUS, hu, lambda f: np.exp(-2 * (np.pi * sigma * f) ** 2), SIZE) for at, hu in discs]
    return np.sum(made, axis=0)


def test_two_discs_of_one_contrast_are_known_better_than_one() -> None:
    noise = np.random.default_rng(1).normal(0, 0.7, (2, SIZE, SIZE))
    before, after = (ct((planes(s) + n)[None], (3.0, 1.0, 1.0)) for s, n in zip((1.0, 1.3), noise, strict=True))
    structures = [
        Structure(f"disc {n}", Insert((0.0, *center), float(RADIUS), contrast, np.inf), 0.0, "edge")
        for n, (center, contrast) in enumerate(zip(CENTERS, (35.0, -35.0, 120.0), strict=True))
    ]
    found, refused = sharpness(before, after, structures)
    assert refused == []
    both, strong = pooled(found)
    assert (both.name, both.count, strong.name, strong.count) == ("2 structures of 35 HU", 2, "disc 2", 1)
    assert both.f50_error < min(found[0].f50_error, found[1].f50_error)
    assert both.f50_change == pytest.approx(1 / 1.3 - 1, abs=3 * both.f50_error)
    assert strong.f50_change == found[2].f50_change


def test_pixels_that_are_not_square_are_a_reason_not_to_measure() -> None:
    scan = ct(planes(1.0)[None], (3.0, 1.0, 1.2))
    disc = Structure("disc", Insert((0.0, *CENTERS[0]), float(RADIUS), 35.0, np.inf), 0.0, "edge")
    reason = "disc: Its pixels are not square, and an edge profile needs square ones."
    assert sharpness(scan, scan, [disc]) == ([], [reason])
