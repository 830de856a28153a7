"""The public scans of the CCT189 layout (FDA, LCD_CT): made by other people's projector and filter, in our layout."""

import os
from pathlib import Path

import numpy as np
import pytest

from demottle.image import Image
from demottle.quality.phantoms.found import find
from demottle.quality.phantoms.measured import examine

pytestmark = pytest.mark.real_data
PIXEL = 0.645


def scan(dose: str, signal: str = "signal_present") -> Image:
    """Ten repeats as ten slices."""
    folder = os.environ.get("DEMOTTLE_REAL_DATA")
    if not folder:
        pytest.skip("DEMOTTLE_REAL_DATA is not set")
    files = sorted((Path(folder) / "low-contrast-phantom" / dose / signal).glob("*.raw"))
    planes = [np.fromfile(file, "<i2").reshape(256, 256).astype(np.float32) - 1000 for file in files]
    return Image(np.stack(planes), (1.0, PIXEL, PIXEL), "CT", "HU")


@pytest.mark.parametrize("dose", ["dose_055", "dose_100"])
def test_the_discs_are_recognized_and_lie_straight(dose: str) -> None:
    found = examine(scan(dose))
    assert found.found.layout.kind == "cct189"
    assert found.found.pose.roll == pytest.approx(0, abs=1)
    assert 2 * found.found.body.radius == pytest.approx(150, abs=0.5)
    assert found.before.uniformity is not None
    assert abs(found.before.uniformity.worst) < 3


@pytest.mark.parametrize("dose", ["dose_010", "dose_055", "dose_100"])
def test_without_the_discs_it_is_water(dose: str) -> None:
    assert find(scan(dose, "signal_absent")).layout.kind == "water"
