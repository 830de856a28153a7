"""Where the body is, in absolute units and without."""

import numpy as np
import pytest

from demottle.noise.body import body_plane


@pytest.mark.parametrize(
    ("unit", "air", "tissue"), [("HU", -1000, 40), ("a.u.", -1000, 40), ("a.u.", 0, 300), ("a.u.", 30, 300)]
)
def test_a_disc_in_air_is_found_whole(unit: str, air: float, tissue: float) -> None:
    """CT numbers nobody named have their air at -1000: a tenth of what is bright lay above most of the tissue."""
    y, x = np.mgrid[:96, :96] - 48
    distance = np.hypot(y, x)
    plane = np.where(distance < 30, tissue, air).astype(np.float32)
    plane += np.random.default_rng(0).normal(0, 0.02 * (tissue - air), plane.shape).astype(np.float32)
    body = body_plane(plane, unit)
    assert body[distance < 29].all()
    assert not body[distance > 36].any()
