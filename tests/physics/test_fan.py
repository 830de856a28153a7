"""The fan beam, and the projectors that can stand in for each other."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.physics.ct.backends import astra_installed, check_projector, fan_integrals, parallel_integrals
from demottle.physics.ct.fan import fan_backproject, fan_bins, fan_project, full_turn
from demottle.physics.ct.projection import OVERSAMPLING, filter_projections, half_turn

SIZE, PIXEL, SOURCE = 128, 2.5, 570.0
MU, MIDDLE, RADIUS = 0.0193, (30.0, -45.0), 80.0


@pytest.fixture(scope="module")
def disc():
    at = ((np.arange(SIZE * 4) + 0.5) / 4 - SIZE / 2) * PIXEL
    inside = np.hypot(at[:, None] - MIDDLE[0], at[None] - MIDDLE[1]) < RADIUS
    return (MU * inside.reshape(SIZE, 4, SIZE, 4).mean(axis=(1, 3))).astype(np.float32)


@pytest.fixture(scope="module")
def bins(disc):
    return fan_bins(disc.shape, PIXEL, SOURCE)


def test_projection_of_a_disc_is_its_chord(disc, bins):
    angles = full_turn(24)
    s = ((np.arange(bins) - (bins - 1) / 2) * PIXEL)[None, :]
    c, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    source_x, source_y = SOURCE * sine, -SOURCE * c
    along_x, along_y = s * c - source_x, s * sine - source_y
    length = np.hypot(along_x, along_y)
    distance = np.abs(along_x * (MIDDLE[0] - source_y) - along_y * (MIDDLE[1] - source_x)) / length
    chord = 2 * MU * np.sqrt(np.maximum(RADIUS**2 - distance**2, 0))
    clear = np.abs(distance - RADIUS) > 2 * PIXEL
    assert np.abs(fan_project(disc, PIXEL, angles, SOURCE, bins) - chord)[clear].max() < 0.015 * chord.max()


def test_reconstruction_gives_the_attenuation_back(disc, bins):
    sinogram = fan_project(disc, PIXEL, full_turn(240), SOURCE, bins)
    s = (np.arange(bins) - (bins - 1) / 2) * PIXEL
    weighted = sinogram * (SOURCE / np.sqrt(SOURCE**2 + s**2)).astype(np.float32)
    fine = filter_projections(weighted, PIXEL, "standard")
    found = fan_backproject(fine, disc.shape, PIXEL, SOURCE, OVERSAMPLING, (bins - 1) / 2) * np.pi / 240
    at = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    from_middle = np.hypot(at[:, None] - MIDDLE[0], at[None] - MIDDLE[1])
    one_hu = MU / 1000
    assert found[from_middle < 60].mean() == pytest.approx(MU, abs=2 * one_hu)
    assert abs(found[(from_middle > 95) & (from_middle < 115)].mean()) < 3 * one_hu


def test_a_source_inside_the_slice_is_refused():
    with pytest.raises(InputError, match="parallel"):
        fan_bins((512, 512), 1.5, 540.0)


def test_astra_that_is_not_installed_is_one_sentence(monkeypatch):
    monkeypatch.setattr("demottle.physics.ct.backends.astra_installed", lambda: False)
    with pytest.raises(InputError, match="pip install astra-toolbox"):
        check_projector("astra")


def test_astra_that_cannot_be_loaded_is_one_sentence(monkeypatch, disc):
    def missing(name):
        raise ImportError("libcudart.so.12: cannot open shared object file")

    monkeypatch.setattr("demottle.physics.ct.backends.astra_installed", lambda: True)
    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(InputError, match="cannot be loaded"):
        parallel_integrals(disc, PIXEL, np.zeros(1), "astra")


@pytest.mark.skipif(not astra_installed(), reason="needs astra-toolbox")
def test_astra_gives_the_same_line_integrals(disc, bins):
    parallel, fan = half_turn(60), full_turn(60)
    for ours, theirs in (
        (parallel_integrals(disc, PIXEL, parallel), parallel_integrals(disc, PIXEL, parallel, "astra")),
        (
            fan_integrals(disc, PIXEL, fan, SOURCE, bins),
            fan_integrals(disc, PIXEL, fan, SOURCE, bins, "astra"),
        ),
    ):
        assert np.sqrt(np.mean((ours - theirs) ** 2)) < 0.005 * ours.max()
