"""Which images of one series form which volume: by what their headers say, never by file name."""

import random
from typing import Any

import pytest
from tests.io.volumes.headers import header, series

from demottle.errors import InputError
from demottle.io.dicom.slice_header import SliceHeader
from demottle.io.volumes.series import Part, parts_of


def parts(members: list[SliceHeader], **options: Any) -> tuple[Part, ...]:
    shuffled = members[:]
    random.Random(3).shuffle(shuffled)  # the order of files must not matter
    return parts_of(shuffled, **options)[0]


def labels(members: list[SliceHeader], **options: Any) -> list[str]:
    return [part.label for part in parts(members, **options)]


def test_a_plain_volume_is_one_part_without_a_label() -> None:
    (part,) = parts(series({}))
    assert (part.number, part.label, part.over_time, len(part.volumes[0].slices)) == (1, "", False, 5)


TWO = {
    "echoes": (
        {"EchoNumbers": 1, "EchoTime": 10},
        {"EchoNumbers": 2, "EchoTime": 30},
        "echo 1, TE 10 ms",
        "echo 2, TE 30 ms",
    ),
    "echo times alone": ({"EchoTime": 4.6}, {"EchoTime": 9.2}, "TE 4.6 ms", "TE 9.2 ms"),
    "kernels": (
        {"modality": "CT", "ConvolutionKernel": "B30f"},
        {"modality": "CT", "ConvolutionKernel": "B70f"},
        "kernel B30f",
        "kernel B70f",
    ),
    "magnitude and phase": (
        {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]},
        "magnitude",
        "phase",
    ),
    "water and fat": (
        {"ImageType": ["DERIVED", "PRIMARY", "WATER"]},
        {"ImageType": ["DERIVED", "PRIMARY", "FAT"]},
        "WATER",
        "FAT",
    ),
    "tube voltages": ({"modality": "CT", "KVP": 80}, {"modality": "CT", "KVP": 140}, "80 kV", "140 kV"),
    "energies": (
        {"modality": "CT", "MonoenergeticEnergyEquivalent": 40.0},
        {"modality": "CT", "MonoenergeticEnergyEquivalent": 70.0},
        "40 keV",
        "70 keV",
    ),
    "phases": (
        {"modality": "CT", "AcquisitionNumber": 1, "AcquisitionTime": lambda i: f"10000{i}"},
        {"modality": "CT", "AcquisitionNumber": 2, "AcquisitionTime": lambda i: f"10010{i}"},
        "acquisition 1",
        "acquisition 2",
    ),
    "heart phases": (
        {"modality": "CT", "NominalPercentageOfCardiacPhase": 40.0},
        {"modality": "CT", "NominalPercentageOfCardiacPhase": 75.0},
        "cardiac phase 40 %",
        "cardiac phase 75 %",
    ),
    "b-values": ({"DiffusionBValue": 0.0}, {"DiffusionBValue": 1000.0}, "b 0 s/mm2", "b 1000 s/mm2"),
    "flip angles": ({"FlipAngle": 3}, {"FlipAngle": 15}, "flip angle 3 degrees", "flip angle 15 degrees"),
    "moments alone": (
        {"AcquisitionTime": "100000"},
        {"AcquisitionTime": "100030.5"},
        "after 0 s",
        "after 30.5 s",
    ),
    "nothing but numbers": ({}, {}, "1st in the series", "2nd in the series"),
}


@pytest.mark.parametrize("case", TWO)
def test_two_volumes_at_the_same_places_are_told_apart_and_labelled(case: str) -> None:
    one, other, *wanted = TWO[case]
    found = parts(series(one, other))
    assert [part.label for part in found] == wanted
    for number, part in enumerate(found):
        assert sorted(h.traits["instance"] for h in part.volumes[0].slices) == [5 * number + i + 1 for i in range(5)]


def test_slices_that_each_have_a_moment_of_their_own_go_by_their_rank_at_each_place() -> None:
    """A cine of three phases, taken slice by slice: trigger times differ a little between slices."""
    members = []
    for index in range(6):
        for phase in range(3):
            members.append(header(8.0 * index, index * 3 + phase + 1, TriggerTime=40.0 * phase + index % 2))
    found = parts(members)
    assert [len(part.volumes[0].slices) for part in found] == [6, 6, 6]
    for phase, part in enumerate(found):
        assert {round(float(h.traits["trigger time"]), 2) // 0.04 for h in part.volumes[0].slices} == {phase}


def test_what_varies_from_slice_to_slice_does_not_split_a_volume() -> None:
    """Sequential CT counts an acquisition for each slice; tube current and description change too."""
    changes = {"AcquisitionNumber": lambda i: i + 1, "SeriesDescription": lambda i: f"CBF {i // 2}", "modality": "CT"}
    (part,) = parts(series(changes))
    assert len(part.volumes[0].slices) == 5


def test_two_kernels_are_two_volumes_even_at_different_places() -> None:
    soft = [header(3.0 * i, i, modality="CT", ConvolutionKernel="soft") for i in range(5)]
    sharp = [header(1.5 + 3.0 * i, 10 + i, modality="CT", ConvolutionKernel="sharp") for i in range(5)]
    assert labels(soft + sharp) == ["kernel soft", "kernel sharp"]


def test_two_pitches_are_two_slabs() -> None:
    members = [header(z, i, modality="CT") for i, z in enumerate([0, 3, 6, 9, 16, 23, 30, 37])]
    found = parts(members)
    assert [part.label for part in found] == ["slices 3 mm apart", "slices 7 mm apart"]
    (whole,) = parts(members, accept_uneven=True)
    assert len(whole.volumes[0].slices) == 8


def test_one_missing_slice_is_not_taken_for_two_slabs() -> None:
    members = [header(3.0 * i, i, modality="CT") for i in (0, 1, 2, 3, 5, 6, 7, 8)]
    assert len(parts(members)) == 1


def test_planes_are_volumes_of_their_own_and_a_stray_localizer_is_not() -> None:
    members = [header(3.0 * i, i, plane=plane) for plane in ("axial", "coronal") for i in range(6)]
    stray = header(0.0, 99, plane="sagittal")
    found, aside = parts_of([*members, stray])
    assert [part.label for part in found] == ["axial", "coronal"]
    assert aside[0].startswith("Set aside 1 image that is not part of the volume (")


def test_mr_volumes_over_time_belong_together_in_the_order_of_time() -> None:
    volumes = [{"TemporalPositionIdentifier": t, "AcquisitionTime": f"1000{t:02d}"} for t in (3, 1, 4, 2, 5)]
    (part,) = parts(series(*volumes))
    assert part.over_time and [v.traits["time point"] for v in part.volumes] == [1, 2, 3, 4, 5]


def test_each_echo_has_its_own_series_over_time() -> None:
    volumes = [{"EchoNumbers": e, "EchoTime": 10 * e, "AcquisitionNumber": t} for t in range(5) for e in (1, 2)]
    found = parts(series(*volumes))
    assert [part.label for part in found] == ["echo 1, TE 10 ms", "echo 2, TE 20 ms"]
    assert [len(part.volumes) for part in found] == [5, 5]


def test_diffusion_volumes_with_repeated_directions_belong_together_as_taken() -> None:
    table = [(0, None), (1000, [1, 0, 0]), (1000, [0, 1, 0]), (0, None), (1000, [1, 0, 0])]
    volumes = [
        {"DiffusionBValue": float(b), "DiffusionGradientOrientation": g or [0.0, 0.0, 0.0], "AcquisitionNumber": t + 1}
        for t, (b, g) in enumerate(table)
    ]
    (part,) = parts(series(*volumes))
    assert [volume.traits["b-value"] for volume in part.volumes] == [0, 1000, 1000, 0, 1000]


def test_the_last_volume_of_a_stopped_run_is_left_aside_and_named() -> None:
    members = series(*({"AcquisitionNumber": t + 1} for t in range(6)))[:-3]
    (part,), aside = parts_of(members)
    assert len(part.volumes) == 5 and "Set aside 2 images" in aside[0] and "stopped" in aside[0]


def test_a_slice_that_was_lost_within_a_series_is_not_taken_for_its_end() -> None:
    members = series(*({"AcquisitionNumber": t + 1} for t in range(6)))
    with pytest.raises(InputError, match="Of 6 volumes over time, number 3 has 4 slices and the others have 5"):
        parts(members[:12] + members[13:])


def test_slices_that_motion_correction_moved_a_little_stay_together() -> None:
    members = [header(3.0 * p + 0.03 * t, 10 * t + p, AcquisitionNumber=t + 1) for t in range(6) for p in range(10)]
    (part,) = parts(members)
    assert len(part.volumes) == 6


def test_ct_volumes_over_time_stay_volumes() -> None:
    found = parts(series(*({"modality": "CT", "AcquisitionNumber": t + 1} for t in range(5))))
    assert len(found) == 5 and not any(part.over_time for part in found)


def test_copies_that_nothing_tells_apart_stay_together_for_the_reader_to_refuse() -> None:
    members = [header(2.5 * i, i) for i in range(5)] + [header(2.5 * i, i) for i in range(5)]
    (part,) = parts(members)
    assert len(part.volumes[0].slices) == 10


def test_colors_and_localizers_alone_are_refused() -> None:
    with pytest.raises(InputError, match="only localizer"):
        parts_of(series({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}))


def test_slices_that_all_state_one_place_are_refused_unless_more_than_their_numbers_differs() -> None:
    with pytest.raises(InputError, match="All 8 slices state the same position"):
        parts(series({"modality": "CT"}, places=8, gap=0))
    timed = series({"modality": "CT", "AcquisitionTime": lambda index: f"10111{index}"}, places=8, gap=0)
    assert len(parts(timed)) == 8
