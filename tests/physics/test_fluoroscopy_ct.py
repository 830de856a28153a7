"""Line integrals of a CT scan."""

import os
from pathlib import Path

import numpy as np
import pytest

from demottle import io
from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.sequence.fingerprint import measure_sequence
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire
from demottle.physics.fluoroscopy.ct import project_scan
from demottle.physics.fluoroscopy.dynamic import WATER, dynamic_phantom


def water_box(**changes: object) -> Image:
    """Water, 100 mm from front to back, in the upper half (the last slices); air below."""
    voxels = np.full((20, 60, 40), -1000, np.float32)
    voxels[10:, 5:55] = 0
    values: dict[str, object] = {"modality": "CT", "unit": "HU", **changes}
    return Image(voxels, (4.0, 2.0, 2.0), **values)  # type: ignore[arg-type]


def test_a_path_through_water_is_as_long_as_it_is() -> None:
    shadow = project_scan(water_box(), WATER)
    y, x = np.array([[-20.0], [20.0]]), np.array([[-10.0, 0.0, 10.0]])
    found = shadow.integral(y, x, 1.0)
    assert found[0] == pytest.approx(100 * WATER, rel=1e-3)  # the head is at the top
    assert found[1] == pytest.approx(0, abs=1e-3)
    assert shadow.extent == 80


def test_frames_show_the_scan_and_the_wire_in_front_of_it() -> None:
    scene = dynamic_phantom(2, 64, pixel=1.0, motion="static", patient=project_scan(water_box(), WATER))
    frame = scene.image.voxels[0]
    assert np.median(frame[:28]) == pytest.approx(np.exp(-100 * WATER), rel=0.25)  # a faint heart lies in front
    assert np.median(frame[36:]) > 0.6
    lower, parts = frame[36:], scene.parts[0, 36:]
    assert lower[parts == 4].mean() < lower[parts == 0].mean()


def test_what_is_no_volume_of_hu_is_refused() -> None:
    with pytest.raises(InputError, match="CT in HU only"):
        project_scan(water_box(modality="MR", unit="a.u."), WATER)
    with pytest.raises(InputError, match="uneven distances"):
        project_scan(water_box(evenly_spaced=False), WATER)


@pytest.mark.real_data
def test_a_real_abdomen_is_seen_through_and_its_noise_is_what_was_asked_for() -> None:
    folder = os.environ.get("DEMOTTLE_REAL_DATA")
    if not folder:
        pytest.skip("DEMOTTLE_REAL_DATA is not set")
    scan = io.read(Path(folder) / "abdomen-ct" / "ct.nii.gz", modality="CT")
    patient = project_scan(scan, WATER)
    scene = dynamic_phantom(24, 192, pixel=patient.extent / 192, motion="slow", patient=patient)
    run = acquire(scene.image, Exposure(24), seed=1)
    assert scene.image.voxels.min() > 0 and scene.image.voxels.max() < 1
    found = measure_sequence(run.noisy)
    expected = np.sqrt(run.facts["gain"] * (found.curve.signal - run.facts["black"]) + run.facts["noise_offset"])
    assert np.median(found.curve.deviation / expected) == pytest.approx(1, abs=0.05)
    assert abs(found.held) < 0.03
