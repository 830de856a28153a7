"""Which method a run of frames gets, and why."""

from dataclasses import replace

import pytest

from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom
from demottle.pipeline.plan_sequence import (
    CLASSICAL_SEQUENCE,
    DEFAULT_SEQUENCE,
    Candidate,
    Risk,
    findings,
    make_sequence_plan,
)


@pytest.fixture(scope="module")
def found() -> SequenceFingerprint:
    film = dynamic_phantom(24, 64, 15, seed=3, motion="slow").image
    return measure_sequence(acquire(film, Exposure(24), seed=4).noisy)


def test_a_run_long_enough_is_learned_from(found: SequenceFingerprint) -> None:
    plan = make_sequence_plan(found)
    assert plan.method == DEFAULT_SEQUENCE
    assert "long enough to learn from" in plan.reasons[-1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shape": (7, 64, 64)}, "has 7 frames; learning from it needs 8"),
        ({"shape": (12, 64, 64)}, "fewer than 20 frames there is little to learn from"),
        ({"shape": (40, 48, 64)}, "48 x 64 pixels"),
        ({"held": 0.7}, "share 70 % of their noise"),
        ({"held": float("nan")}, "is not known"),
    ],
)
def test_what_cannot_be_learned_from_is_filtered(
    found: SequenceFingerprint, changes: dict[str, object], said: str
) -> None:
    plan = make_sequence_plan(replace(found, **changes))  # type: ignore[arg-type]
    assert plan.method == CLASSICAL_SEQUENCE
    assert said in plan.reasons[-1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"held": 0.02, "lag": 0.0},
            "The noise of successive frames is independent (correlation 0.02): averaging over time works in full.",
        ),
        ({"held": 0.02, "lag": 0.3}, "almost independent (correlation 0.02), although the detector holds about 30 % of"),
        ({"held": 0.4, "owner": "image"}, "share 40 % of their noise, and it moves with the image"),
        ({"held": float("nan")}, "Whether successive frames share noise cannot be measured: there are too few frames"),
    ],
)  # fmt: skip
def test_what_frames_share_is_told_with_what_follows(
    found: SequenceFingerprint, changes: dict[str, object], said: str
) -> None:
    assert said in " ".join(findings(replace(found, **changes)))  # type: ignore[arg-type]


def test_a_series_of_mr_volumes_is_not_spoken_of_as_fluoroscopy(found: SequenceFingerprint) -> None:
    sentences = " ".join(findings(replace(found, modality="MR")))
    assert "successive volumes" in sentences
    assert not any(word in sentences for word in ("frame", "scintillator", "trail", "averaging"))


def test_what_is_asked_for_is_taken(found: SequenceFingerprint) -> None:
    assert make_sequence_plan(replace(found, shape=(8, 64, 64)), "udca").method == "udca"


def test_a_short_run_gets_the_network_only_where_it_is_nearest_to_the_truth(found: SequenceFingerprint) -> None:
    short, network, filtered = replace(found, shape=(8, 64, 64)), Candidate("udca"), Candidate("nvca")
    plan = make_sequence_plan(short, risks=(Risk(network, 2.0, 5.0), Risk(filtered, 2.1, 5.0)))
    assert plan.method == "udca" and "learns from the run first" in plan.reasons[-1]
    assert make_sequence_plan(short, risks=(Risk(filtered, 2.0, 5.0), Risk(network, 2.1, 5.0))).method == "nvca"
