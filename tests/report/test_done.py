"""What was done, in groups, with names and units, and nothing private."""

from demottle.report.done import Group, done_groups
from demottle.report.words import series_title

RECORD = {
    "method": "matched-neighbors",
    "strength": 1.0,
    "seed": 0,
    "model_hash": "0123456789abcdef0123456789abcdef",
    "settings": {"reach": 1, "guide_sigma": 2.0, "decorrelate": True, "recorrupted_share": 0.25, "strength": 1.0},
    "fitted": {
        "steps": 400,
        "loss_last": 0.81,
        "matched_share_of_body": 0.871,
        "noise_level": 20.0,
        "scale": {"centre": 0},
    },
    "fingerprint": {
        "unit": "HU",
        "noise_level": 19.99,
        "noise_range": [14.2, 31.7],
        "slice_correlation": [0.131, None, 0.01, 0],
        "matched_share": [0.913, 0.82],
        "spectrum": {"peak_per_mm": 0.171},
    },
    "times": {"learn": 123.4},
}


def rows_of(groups: list[Group]) -> dict[str, dict[str, str]]:
    return {group.title: dict(group.rows) for group in groups}


def test_each_group_has_names_and_units_for_a_reader() -> None:
    told = rows_of(done_groups(RECORD))
    assert list(told) == ["Method", "Settings", "Learning", "Measured on the scan", "Time"]
    assert told["Method"]["model"] == "0123456789abcdef"
    assert told["Settings"] == {
        "neighbors used on each side": "1",
        "targets corrected for shared noise": "yes",
        "smoothing of the guide": "2 pixels",
        "recorrupted patches": "25 %",
    }
    assert told["Learning"] == {
        "steps learned": "400",
        "loss at the end": "0.81 × noise variance",
        "body with a matching neighbor": "87 %",
    }
    assert told["Measured on the scan"] == {
        "noise level": "20 HU",
        "noise in the quietest and noisiest tenth": "14.2 to 31.7 HU",
        "noise shared with the 1st, 2nd, 3rd next slice": "0.13, –, 0.01",
        "tissue that is the same there": "91 %, 82 %",
        "peak of the noise spectrum": "0.17 per mm",
    }


def test_how_far_neighbors_speak_in_the_result_has_a_group_of_its_own() -> None:
    record = {
        "settings": {"reach": 1, "fuse": True},
        "fitted": {"steps": 40, "fusion": {"weights": [0.2, 0.1], "gain": 0.12}},
    }
    told = rows_of(done_groups(record))
    assert list(told) == ["Settings", "Learning", "Neighbors in the result"]
    assert told["Neighbors in the result"] == {
        "neighbors have a say in the result where they agree": "yes",
        "weight of neighbors, nearest first": "0.2, 0.1",
        "squared error saved by that": "12 %",
    }


def test_a_setting_nobody_has_named_yet_is_told_in_its_own_words() -> None:
    told = rows_of(done_groups({"settings": {"free_below": 0.3}, "something_new": [1, 2.5], "inner": {"a_b": 2}}))
    assert told == {"Settings": {"free below": "0.3"}, "Besides": {"something new": "1, 2.5", "inner a b": "2"}}


def test_paths_and_patient_data_are_left_out() -> None:
    record = {
        "method": "nlm",
        "patient_name": "Doe^Jane",
        "output": "/home/doe/x",
        "page": "/home/doe/x-report/report.html",
        "source": {"format": "DICOM", "path": "/data/Doe_Jane", "patient_id": "4711", "kernel": "B40f"},
        "settings": {"width": 3, "input_path": "/data/Doe_Jane"},
        "fitted": {"file": "/data/Doe_Jane"},
        "inner": {"patient_id": "4711"},
    }
    told = rows_of(done_groups(record))
    assert told == {
        "Method": {"method": "nlm", "format of the scan": "DICOM", "reconstruction kernel": "B40f"},
        "Settings": {"width": "3"},
    }
    assert series_title(record) == "Denoised series"


def test_an_empty_record_gives_no_groups() -> None:
    assert done_groups({}) == []
    assert done_groups({"settings": None, "fingerprint": None, "method": ""}) == []


def test_a_run_of_frames_is_told_in_plain_words_and_nothing_of_it_raw() -> None:
    record = {
        "method": "udca",
        "settings": {
            "fusion": "noise",
            "student": "auto",
            "uns": 0.0,
            "hide_frame": True,
            "correct_lag": True,
            "rate": 0.0,
        },
        "fitted": {
            "student": "causal-half",
            "runs": 1,
            "frame_noise": {"signal": [1, 2], "deviation": [3, 4], "gain": 1.0, "offset": 0.0, "lag": 0.08},
        },
        "fingerprint": {"noise_level": 40.0, "held_over": 0.03, "lag": 0.08, "moving_share": -0.001},
        "response": {"lag_first": 0.0, "widths": [[0, 1.6]]},
        "delay_frames": 0,
        "ms_per_frame": 31.4,
    }
    told = rows_of(done_groups(record))
    assert list(told) == ["Method", "Settings", "Learning", "Live", "Measured on the scan"]
    assert told["Settings"] == {
        "learning rate": "as suits the network",
        "network that is applied": "as suits the machine",
        "weight of the teacher's frame as target": "0",
        "frame left out of its own average": "yes",
        "which target counts where something moves (cross-fusion matrix)": "by motion in units of the noise",
        "lag undone where it is measured": "yes",
    }
    assert told["Learning"] == {
        "network that is applied": "a light one that remembers the frames before",
        "runs learned from": "1",
        "lag undone before anything else": "8 % of a frame",
    }
    assert told["Measured on the scan"]["lag: signal held over to the next frame"] == "8 %"
    assert told["Measured on the scan"]["part of the image in which something moves"] == "0 %"


def test_every_setting_of_every_method_for_runs_has_a_name() -> None:
    from dataclasses import fields

    from demottle.methods import METHODS
    from demottle.report.names import SETTINGS

    for info in METHODS.values():
        if info.takes(sequence=True):
            assert {field.name for field in fields(info.load().Settings)} <= set(SETTINGS), info.name


def test_noise_that_is_the_same_everywhere_is_one_figure() -> None:
    told = rows_of(done_groups({"fingerprint": {"unit": "a.u.", "noise_range": [8.91, 8.92]}}))
    assert told["Measured on the scan"]["noise in the quietest and noisiest tenth"] == "8.9 a.u."
