import numpy as np
import pytest

from demottle.errors import InputError
from demottle.physics.fluoroscopy.dynamic import Part, dynamic_phantom
from demottle.physics.fluoroscopy.moving import Rib, mean_chord

FRAMES, SIZE, RATE = 12, 96, 4.0


@pytest.fixture(scope="module")
def scene():
    return dynamic_phantom(FRAMES, SIZE, RATE, seed=1)


def test_frames_are_the_part_of_the_rays_that_comes_through(scene):
    assert scene.image.shape == (FRAMES, SIZE, SIZE)
    assert scene.image.modality == "XA"
    assert scene.image.spacing == pytest.approx((1 / RATE, 200 / SIZE, 200 / SIZE))
    assert scene.image.voxels.min() > 0 and scene.image.voxels.max() < 1
    assert set(np.unique(scene.parts)) == {int(part) for part in Part}


def test_what_lies_at_a_pixel_is_found_where_its_flow_leads(scene):
    rows, columns = np.indices((SIZE, SIZE))
    for part in (Part.DIAPHRAGM, Part.HEART):
        arrived = total = 0
        for index in range(FRAMES - 1):
            here = scene.parts[index] == part
            to_row, to_column = (
                np.rint(place[here] + scene.flow[index][here][:, axis]).astype(int)
                for axis, place in enumerate((rows, columns))
            )
            shown = (to_row >= 0) & (to_row < SIZE) & (to_column >= 0) & (to_column < SIZE)
            arrived += (scene.parts[index + 1][to_row[shown], to_column[shown]] == part).sum()
            total += shown.sum()
        assert arrived / total > 0.9  # the rest is hidden by what lies in front, or rounding at a border


def test_the_wire_ends_at_its_tip_and_the_tip_moves_as_the_flow_says(scene):
    for index in range(FRAMES - 1):
        row, column = scene.tip[index]
        at = round(row), round(column)
        near = scene.parts[index][at[0] - 1 : at[0] + 2, at[1] - 1 : at[1] + 2]
        assert (near == Part.GUIDEWIRE).any()
        if scene.parts[index][at] == Part.GUIDEWIRE:  # scale changes over half a pixel are small
            assert scene.flow[index][at] == pytest.approx(scene.tip[index + 1] - scene.tip[index], abs=0.1)


def test_the_table_pans_by_what_the_facts_say_and_only_then(scene):
    patient = [np.median(scene.flow[i][scene.parts[i] == Part.PATIENT], axis=0) for i in range(FRAMES - 1)]
    before = int(scene.facts["table_pan_from_s"] * RATE)
    assert np.abs(patient[: before - 1]).max() == 0
    assert np.sum(patient, axis=0)[1] == pytest.approx(scene.facts["table_pan_mm"] / scene.image.spacing[1], rel=1e-4)


def test_a_wire_thinner_than_a_pixel_keeps_its_strength():
    at = np.linspace(-2, 2, 4001)
    for width in (0.1, 1.0):
        strength = mean_chord(np.abs(at), 0.18, width).sum() * (at[1] - at[0])
        assert strength == pytest.approx(np.pi * 0.18**2, rel=1e-3)


def test_same_seed_same_bits_another_seed_another_patient(scene):
    again = dynamic_phantom(FRAMES, SIZE, RATE, seed=1)
    np.testing.assert_array_equal(again.image.voxels, scene.image.voxels)
    other = dynamic_phantom(1, SIZE, RATE, seed=2)
    assert np.abs(other.image.voxels[0] - scene.image.voxels[0]).max() > 0.01


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"size": 0}, {"rate": 0.0}, {"pixel": -1.0}, {"rate": float("nan")}])
def test_impossible_sequence_is_refused(wrong):
    with pytest.raises(InputError, match="positive"):
        dynamic_phantom(**wrong)


def test_the_middle_of_a_rib_is_marrow_of_half_the_density() -> None:
    rib = Rib(top=0.0, sag=0.0, reach=50.0, radius=5.0, mu=0.05)
    (value,) = rib.integral(np.zeros((1, 1)), np.zeros((1, 1)), 0.01).ravel()
    assert value == pytest.approx(0.05 * (10 - 0.5 * 7), rel=1e-3)
