"""Cases of every suite: what they are made of, and that no two share anything random."""

from pathlib import Path

import numpy as np
import pytest

from demottle import io
from demottle.benchmark.engine.entrants import INPUT, PLANNED, Entrant, chosen, competing, entrants, missing, usual
from demottle.benchmark.engine.running import run_entrant, true_correlation
from demottle.benchmark.suites import ct_anatomies, ct_unpaired, ct_volume, fluoroscopy, mr
from demottle.benchmark.suites.cases import CaseSpec, Choices
from demottle.benchmark.suites.catalog import SUITES, suite_named
from demottle.errors import InputError
from demottle.image import Image
from demottle.methods.registry import METHODS

THREE_OF_EACH = ("ct-volume", "ct-real", "ct-unpaired", "fluoroscopy", "mr")


@pytest.mark.parametrize("name", [name for name, suite in SUITES.items() if not suite.pairs])  # those: test_ldct.py
def test_no_two_cases_share_a_seed_and_quick_ones_are_fewer(name: str, tmp_path: Path) -> None:
    real = tmp_path if SUITES[name].only_public else None
    every, few = (SUITES[name].specs(Choices(quick=quick, real=real)) for quick in (False, True))
    for specs in (every, few):
        assert len({spec.seed for spec in specs}) == len({spec.key for spec in specs}) == len(specs)
    assert len(few) < len(every)
    if name in THREE_OF_EACH:
        assert len({spec.group for spec in every}) * 3 == len(every)
    assert {spec.suite for spec in every} == {name}


def test_ct_volumes_span_the_correlations_asked_for() -> None:
    assert {spec.recipe["rho"] for spec in ct_volume.specs(Choices())} == {0.0, 0.12, 0.25, 0.45}
    assert ct_volume.FULL == {"slices": 24, "size": 256, "spacing": [3.0, 1.5, 1.5], "sigma": 40.0}
    assert {spec.recipe["percent"] for spec in mr.specs(Choices())} == {5.0, 7.0, 9.0}


@pytest.mark.parametrize("kind", [*ct_anatomies.TUNING, *ct_anatomies.JUDGING])
def test_every_anatomy_is_judged_on_a_part_of_one_size_that_lies_within_its_slice(kind: str) -> None:
    recipe = {**ct_anatomies.TUNING, **ct_anatomies.JUDGING}[kind]
    top, bottom, left, right = recipe["cut"]
    assert (bottom - top) * (right - left) == pytest.approx(192**2, rel=0.15)
    assert min(top, left) >= 0 and max(bottom, right) <= recipe["size"]


def test_anatomies_are_split_by_name_and_no_judging_kind_is_like_a_tuning_one() -> None:
    tuning, judging = ct_anatomies.TUNING, ct_anatomies.JUDGING
    assert len(judging) >= 8 and all(name.startswith("judge: ") for name in judging)
    assert tuning and all(name.startswith("tune: ") for name in tuning)
    kinds = [
        (one["kernel"], one["spacing"][0], one["rho"], one["sigma"]) for one in (*tuning.values(), *judging.values())
    ]
    assert len(set(kinds)) == len(kinds)
    thickness = [one["spacing"][0] for one in judging.values()]
    assert min(thickness) == 0.6 and max(thickness) == 5.0
    assert {one["rho"] for one in judging.values()} >= {0.0, 0.6}


def test_a_part_of_a_patient_has_the_noise_asked_for_and_fat_and_bone_are_judged(tmp_path: Path) -> None:
    spec = next(one for one in ct_anatomies.specs(Choices(quick=True)) if one.group.startswith("judge"))
    case = ct_anatomies.build(spec, tmp_path)
    assert case.noisy.shape == case.body.shape == (6, 192, 192)
    inside = case.body & (np.abs(case.truth.voxels) < 150)
    assert 20 < (case.noisy.voxels - case.truth.voxels)[inside].std() < 40
    found = ct_anatomies.judge(case, case.noisy.with_voxels(case.noisy.voxels + 2))
    assert found["shift_all_fat"] == pytest.approx(2, abs=0.01)
    assert found["rmse_bone"] is not None and found["rmse_bone"] > 15
    assert ct_anatomies.judge(case, case.truth)["rmse_bone"] == 0


def test_a_ct_case_is_the_truth_with_its_noise_and_comes_back_from_the_cache(tmp_path: Path) -> None:
    spec = CaseSpec(
        "ct-volume", "g", 5, {"slices": 5, "size": 96, "spacing": [3.0, 4.0, 4.0], "sigma": 40.0, "rho": 0.4}
    )
    case, again = (ct_volume.build(spec, tmp_path) for _ in range(2))
    assert np.array_equal(case.noisy.voxels, again.noisy.voxels) and case.placed == again.placed
    noise = case.noisy.voxels - case.truth.voxels
    assert 25 < noise[case.body].std() < 60
    neighbors = [np.corrcoef(noise[i][case.body[i]], noise[i + 1][case.body[i]])[0, 1] for i in range(4)]
    assert 0.3 < np.mean(neighbors) < 0.5


def test_mr_noise_raises_what_is_dark_and_the_judge_says_so(tmp_path: Path) -> None:
    spec = CaseSpec("mr", "g", 5, {"slices": 3, "size": 96, "spacing": [2.0, 2.4, 2.4], "percent": 9.0})
    case = mr.build(spec, tmp_path)
    found = suite_named("mr").judge(case, case.noisy)
    assert found["bias_dark"] is not None and found["bias"] is not None
    assert found["bias_dark"] > 0.5 and found["bias_dark"] > 2 * abs(found["bias"])
    assert suite_named("mr").judge(case, case.truth)["psnr"] is None
    half = suite_named("mr").judge(case, case.truth.with_voxels(case.truth.voxels + 0.01 * case.truth.voxels.max()))
    assert half["psnr"] == pytest.approx(40, abs=0.01) and half["rmse"] == pytest.approx(1, rel=1e-3)


def test_fluoroscopy_is_judged_after_the_first_frames_and_on_the_wires_alone(tmp_path: Path) -> None:
    recipe = {"size": 96, "frames": 14, "pixel": 200 / 512, "quanta": 24.0, "motion": "slow"}
    case = fluoroscopy.build(CaseSpec("fluoroscopy", "slow", 5, recipe), tmp_path)
    assert case.noisy.sequence and case.noisy.spacing[0] == pytest.approx(1 / 15)
    wrong = case.truth.voxels.copy()
    wrong[:10] += 500
    assert fluoroscopy.judge(case, case.truth.with_voxels(wrong))["psnr"] is None  # no error where it counts
    off = fluoroscopy.judge(case, case.truth.with_voxels(case.truth.voxels + np.float32(40.95)))
    assert off["psnr"] == pytest.approx(40, abs=0.01) and off["bias"] == pytest.approx(40.95, abs=0.01)


@pytest.mark.slow
def test_an_unpaired_cohort_has_other_patients_on_its_two_sides_and_pairs_have_the_same(tmp_path: Path) -> None:
    recipe = {**ct_unpaired.FULL, "slices": 3, "size": 64, "spacing": [3.0, 5.6, 5.6]}
    case = ct_unpaired.build(CaseSpec("ct-unpaired", "g", 5, recipe), tmp_path)
    assert case.sets is not None
    for paired in (False, True):
        sets = case.sets(paired)
        patients = [
            sets.low.patients | sets.low_validation.patients,
            sets.full.patients | sets.full_validation.patients,
        ]
        assert len(patients[0]) == len(patients[1]) == 5
        assert (patients[0] == patients[1]) is paired


def test_a_folder_of_real_scans_gives_cases_whose_rows_do_not_say_where_it_lies(tmp_path: Path) -> None:
    voxels = np.zeros((8, 96, 96), np.float32) - 1000
    voxels[:, 20:76, 20:76] = 40
    io.write(Image(voxels, (3.0, 4.0, 4.0), "CT", "HU"), tmp_path / "scans" / "DOE^JANE.nii.gz")
    specs = [spec for spec in ct_volume.specs(Choices(quick=True, real=tmp_path / "scans")) if "real" in spec.recipe]
    assert [spec.group for spec in specs] == ["real scan 1, rho 0.12", "real scan 1, rho 0.45"]
    assert "DOE" not in str(specs[0].told) + specs[0].name
    case = ct_volume.build(specs[0], tmp_path / "cache")
    assert case.noisy.spacing == (3.0, 4.0, 4.0) and np.abs(case.plain.voxels - voxels).max() < 1
    assert 20 < (case.noisy.voxels - case.truth.voxels)[case.body].std() < 60


def test_every_method_of_the_registry_competes_somewhere_or_is_said_to_be_absent() -> None:
    there = {one.method for suite in SUITES.values() for one in competing(suite)}
    absent = {name for suite in SUITES.values() for name in missing(suite)}
    assert there - {""} | absent == set(METHODS)


def test_what_sees_the_truth_is_marked_as_a_bound() -> None:
    bounds = {one.name for suite in SUITES.values() for one in competing(suite) if one.sees_truth}
    assert {"clean-targets", "supervised"} <= bounds
    assert not bounds & {INPUT, "matched-neighbors", "nlm", "bm3d", "pdml"}


def test_entrants_are_chosen_by_name_and_the_input_is_always_there() -> None:
    everybody = entrants("volumes", False)
    assert [one.name for one in chosen(everybody, ["tv"])] == [INPUT, "tv"]
    with pytest.raises(InputError, match="There is no magic in this suite"):
        chosen(everybody, ["magic"])


def test_a_method_with_other_settings_is_an_entrant_of_its_own() -> None:
    everybody = entrants("volumes", False)
    both = chosen(everybody, ["tv", "tv:iterations=5"], changes={"tv:iterations=5": {"iterations": 5}})
    assert [(one.name, one.method, dict(one.settings)) for one in both[1:]] == [
        ("tv", "tv", {}),
        ("tv:iterations=5", "tv", {"iterations": 5}),
    ]
    with pytest.raises(InputError, match="clean-targets has no settings"):
        chosen(everybody, ["clean-targets:batch=2"], changes={"clean-targets:batch=2": {"batch": 2}})


def test_a_suite_names_its_usual_entrants_and_others_are_there_when_named() -> None:
    suite = SUITES["single-slice"]
    everybody = competing(suite)
    names = [one.name for one in usual(suite, everybody)]
    assert {INPUT, PLANNED, "nl-bayes"} <= set(names) and "gaussian" not in names
    assert [one.name for one in chosen(everybody, ["gaussian"])] == [INPUT, "gaussian"]


def test_a_run_says_what_it_was_run_with(tmp_path: Path) -> None:
    spec = CaseSpec(
        "ct-volume", "g", 5, {"slices": 5, "size": 96, "spacing": [3.0, 4.0, 4.0], "sigma": 40.0, "rho": 0.1}
    )
    case = ct_volume.build(spec, tmp_path)
    ran = run_entrant(Entrant("gaussian", "gaussian"), case, None)
    assert ran.settings and ran.applying.seconds > 0
    assert np.square(ran.image.voxels - case.truth.voxels)[case.body].mean() > 0
    assert run_entrant(Entrant(INPUT), case, None).image is case.noisy


@pytest.mark.slow
def test_bm4d_is_told_what_slices_share_of_the_very_noise(tmp_path: Path) -> None:
    pytest.importorskip("bm4d")
    everybody = {one.name: one for one in entrants("volumes", False)}
    assert everybody["bm4d-true-spectrum"].sees_truth and not everybody["bm4d-white"].sees_truth
    recipe = {"slices": 6, "size": 96, "spacing": [3.0, 4.0, 4.0], "sigma": 40.0, "rho": 0.4}
    case = ct_volume.build(CaseSpec("ct-volume", "g", 5, recipe), tmp_path)

    ran = run_entrant(everybody["bm4d-true-spectrum"], case, None)

    assert ran.fitted["slice_correlation"][0] == pytest.approx(0.4, abs=0.05)
    before, after = (np.square(made.voxels - case.truth.voxels)[case.body].mean() for made in (case.noisy, ran.image))
    assert after < before / 2


def test_the_true_correlation_of_noise_is_found_at_every_distance() -> None:
    white = np.random.default_rng(1).standard_normal((40, 64, 64))
    noise = (3 * (white[2:] + white[1:-1] + white[:-2])).astype(np.float32)  # means of three slices
    assert true_correlation(noise, 3) == pytest.approx([2 / 3, 1 / 3, 0], abs=0.02)
