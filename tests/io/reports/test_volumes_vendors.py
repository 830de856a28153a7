"""Several volumes in one series as scanners of different makers write them, after public reports; made from scratch."""

import numpy as np
import pytest
from tests.io.enhanced import enhanced_mr
from tests.io.reports.checks import assert_written_well
from tests.io.volumes.mosaics import TILE, mosaic, volume
from tests.io.volumes.objects import GAP, classic, mr_slice, save_all

from demottle.errors import InputError
from demottle.io import open_scan, read, warnings_of, write


def labels(source, folder):
    return [part.label for part in open_scan(save_all(source, folder)).volumes]


def test_echoes_that_share_echo_time_echo_number_and_instance_number(tmp_path, denoised, program):
    """GE research sequences tell echoes apart by a private run number alone (rordenlab/dcm2niix#359, #209)."""
    source = []
    for run in range(3):
        for place in range(4):
            one = mr_slice(place, 10 * run + place + 1, EchoNumbers=1, InstanceNumber=place + 1)
            one.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0xA2, "SL", run)
            source.append(one)
    folder = save_all(source, tmp_path / "in")
    assert [part.label for part in open_scan(folder).volumes] == [f"raw data run {run}" for run in range(3)]
    image = read(folder, volume=2)
    np.testing.assert_array_equal(image.voxels[0], source[4].pixel_array)
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)


def test_without_that_number_nothing_is_guessed(tmp_path):
    """The same where the private element was taken out: images of one place are not paired by their UIDs (dcm2niix#359)."""
    source = [mr_slice(p, 10 * run + p + 1, InstanceNumber=p + 1) for run in range(3) for p in range(4)]
    with pytest.raises(InputError, match="held by more than one slice"):
        read(save_all(source, tmp_path / "in"))


def test_magnitude_and_phase_under_one_series_are_not_one_volume(tmp_path):
    """Philips field maps: M_FFE and PHASE MAP stacked together (rordenlab/dcm2niix#408)."""
    kinds = (["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"], ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"])
    source = classic([{"ImageType": kind} for kind in kinds])
    assert labels(source, tmp_path / "in") == ["magnitude", "phase"]
    phase = read(tmp_path / "in", volume=2)
    assert any("wrap" in warning for warning in warnings_of(phase))


def test_ge_says_magnitude_phase_real_and_imaginary_in_a_private_number(tmp_path):
    """0043,102F is all that tells them apart (rordenlab/dcm2niix#359 and its page on GE)."""
    source = classic([{}] * 4)
    for index, one in enumerate(source):
        one.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x2F, "SS", index // 4)
    assert labels(source, tmp_path / "in") == ["magnitude", "phase", "real", "imaginary"]


def test_a_trigger_time_that_is_none_leaves_a_functional_run_together(tmp_path):
    """Anonymized Philips runs: trigger time grows with every volume (rordenlab/dcm2niix#395, #428)."""
    volumes = [
        {"TriggerTime": str(2000 * t), "TemporalPositionIdentifier": t, "RepetitionTime": "2000"}
        for t in (3, 1, 2, 5, 4)
    ]
    image = read(save_all(classic(volumes), tmp_path / "in"))
    assert image.sequence and image.shape[0] == 5 and image.spacing[0] == 2


def test_a_functional_run_that_only_its_content_time_orders(tmp_path):
    """Four slices, 25 volumes, all in one folder: read as 100 slices elsewhere (SimpleITK/SimpleITK#879)."""
    volumes = [{"ContentTime": f"10{t:02d}00", "InstanceNumber": None} for t in (np.arange(25) * 7) % 25]
    source = classic(volumes)
    image = read(save_all(source, tmp_path / "in"))
    assert image.sequence and image.shape[0] == 25
    first = next(one for one in source if one.ContentTime == "100000" and one.ImagePositionPatient[2] == 0)
    np.testing.assert_array_equal(image.voxels[0, :40], first.pixel_array)


def stripped(numbers):
    """A functional run of five volumes of four slices without any time; `numbers` gives InstanceNumber of (time, place)."""
    gone = dict.fromkeys(("ContentTime", "AcquisitionNumber"))  # there are no others
    return [mr_slice(p, 10 * t + p, InstanceNumber=numbers(t, p), **gone) for t in range(5) for p in range(4)]


@pytest.mark.parametrize(
    "numbers",
    [
        lambda time, place: 4 * time + place + 1,  # volume by volume
        lambda time, place: 5 * place + time + 1,  # place by place
        lambda time, place: 4 * time + (0, 2, 1, 3)[place] + 1,  # interleaved
    ],
)
def test_a_run_without_times_is_ordered_by_its_numbers(tmp_path, numbers):
    """An anonymization took every time (rordenlab/dcm2niix#948); numbers by place are those of dcm2niix#614."""
    source = stripped(numbers)
    image = read(save_all(source, tmp_path / "in"))
    assert image.sequence and image.shape[0] == 5
    assert any(
        "Only the order of InstanceNumber, or of frames, tells the volumes" in said for said in warnings_of(image)
    )
    for time in range(5):
        np.testing.assert_array_equal(image.voxels[time, :40], source[4 * time].pixel_array)


def test_numbers_in_no_order_tell_nothing(tmp_path):
    """Some scanners number images as they are done (rordenlab/dcm2niix#533)."""
    shuffled = np.random.default_rng(0).permutation(20).reshape(5, 4) + 1
    with pytest.raises(InputError, match="held by more than one slice"):
        read(save_all(stripped(lambda time, place: int(shuffled[time, place])), tmp_path / "in"))


def test_a_description_that_changes_while_a_map_is_computed_splits_nothing(tmp_path):
    """GE writes the time into SeriesDescription, which then differs between slices (rordenlab/dcm2niix#382)."""
    source = classic([{"SeriesDescription": lambda place: f"CBF:Jan 10 2020 09-05-{18 + place // 2}"}])
    assert len(open_scan(save_all(source, tmp_path / "in")).volumes) == 1


def test_two_derived_means_with_the_same_numbers_are_two_volumes(tmp_path):
    """Siemens multi-echo: MEAN and MEAN MEAN under one UID, numbered alike (rordenlab/dcm2niix#300)."""
    kinds = (["DERIVED", "PRIMARY", "M", "MEAN"], ["DERIVED", "PRIMARY", "M", "MEAN", "MEAN"])
    source = []
    for run, kind in enumerate(kinds):
        source += [mr_slice(p, 10 * run + p, InstanceNumber=p + 1, ImageType=kind) for p in range(4)]
    found = labels(source, tmp_path / "in")
    assert len(found) == 2 and found[0] != found[1] and "MEAN" in found[1]


def test_a_mosaic_whose_first_tile_is_the_top_slice(tmp_path):
    """Slices numbered from head to foot: the first tile is the most superior one (rordenlab/dcm2niix#40)."""
    stored = volume(1)
    image = read(save_all([mosaic(stored, downwards=True)], tmp_path / "in"))
    np.testing.assert_array_equal(image.voxels, stored[::-1])


def test_an_enhanced_object_that_still_says_mosaic_is_its_frames(tmp_path):
    """Siemens XA30 takes the tiles apart and leaves the word in ImageType (rordenlab/dcm2niix#553)."""
    dataset = enhanced_mr()
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    image = read(save_all([dataset], tmp_path / "in"))
    assert image.shape == (5, 24, 20)


def test_a_mosaic_without_its_number_of_slices_is_refused_by_name(tmp_path):
    """A PACS that drops private elements leaves MOSAIC without a count (rordenlab/dcm2niix#364, #337): no guess."""
    with pytest.raises(InputError, match=r"Siemens MOSAIC .*does not say how many slices"):
        read(save_all([mosaic(volume(2), csa=False, count=False)], tmp_path / "in"))


def test_a_mosaic_whose_protocol_is_missing_is_placed_by_its_slice_normal(tmp_path, denoised):
    """Without the Phoenix protocol others mirror such volumes (ExploreASL/ExploreASL#1707): only the slice normal is used."""
    image = read(save_all([mosaic(volume(3), downwards=True)], tmp_path / "in"))
    assert image.shape == (7, *TILE) and not any("CSA" in warning for warning in warnings_of(image))


def test_diffusion_directions_repeat_and_stay_in_the_order_they_were_taken(tmp_path):
    """Siemens diffusion split into one file a direction (rordenlab/dcm2niix#383): one series, averages and all."""
    table = [(0, None), (1000, (1, 0, 0)), (1000, (0, 1, 0)), (1000, (1, 0, 0)), (0, None), (1000, (0, 1, 0))]
    source = []
    for t, (b, direction) in enumerate(table):
        for place in range(4):
            one = mr_slice(place, 4 * t + place + 1, AcquisitionNumber=t + 1, AcquisitionTime=f"1000{5 * t:02d}")
            block = one.private_block(0x0019, "SIEMENS MR HEADER", create=True)
            block.add_new(0x0C, "IS", b)
            if direction:
                block.add_new(0x0E, "FD", list(map(float, direction)))
            source.append(one)
    opened = open_scan(save_all(source, tmp_path / "in"))
    (part,) = opened.volumes
    assert [one.traits["b-value"] for one in part.volumes] == [b for b, _ in table]
    image = opened.read()
    for t in range(6):
        np.testing.assert_array_equal(image.voxels[t, :40], source[4 * t].pixel_array)
    assert GAP == 3.0 and image.spacing == (5.0, 1.5, 1.25)
