"""Suites made of the public scans, here of a phantom that lies where they would."""

from pathlib import Path

import numpy as np
import pytest

from demottle import io
from demottle.benchmark.engine.entrants import PLANNED, Entrant
from demottle.benchmark.engine.running import run_entrant
from demottle.benchmark.suites import ct_real, ct_unpaired, real_scans, single_slice, truth, unpaired_cohort
from demottle.benchmark.suites.cases import Choices
from demottle.benchmark.suites.real_scans import needed, real_folder
from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan

SPACING = (3.0, 2.0, 2.0)


@pytest.fixture(scope="module")
def clean() -> Image:
    return body_phantom(30, 192, SPACING, 7)


@pytest.fixture(scope="module")
def public(clean: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("public")
    (folder / "abdomen-ct").mkdir()
    io.write(low_dose_scan(clean, 12.0, 0.12, 7), folder / "abdomen-ct" / "ct.nii.gz")
    return folder


@pytest.fixture(autouse=True)
def quick_bm3d(monkeypatch: pytest.MonkeyPatch) -> None:
    """The truth's denoiser is not free; any good one does for these tests."""
    import cv2

    monkeypatch.setattr(truth, "bm3d_slice", lambda plane, level, noise: cv2.bilateralFilter(plane, 5, 40.0, 1.5))
    monkeypatch.setattr(real_scans, "own_noise", lambda scan, rho, patch: own(scan, rho))


def own(scan: np.ndarray, rho: float) -> truth.OwnNoise:
    return truth.own_noise(scan, rho, 16)


def test_the_noise_that_a_scan_has_itself_is_measured_on_it() -> None:
    white = np.random.default_rng(3).standard_normal((7, 128, 128))
    shared = np.float32(40 + 12 * (white[:-1] + 0.5 * white[1:]) / np.hypot(1, 0.5))  # slices share 0.4
    found = own(shared, 0.4)
    inside = found.level[:, 16:-16, 16:-16]
    assert inside.mean() == pytest.approx(12, rel=0.03) and inside.std() < 1
    assert found.spectrum[2:7] == pytest.approx(1, rel=0.15)  # white; below that breathing is kept out


def test_a_scan_without_flat_tissue_has_no_spectrum() -> None:
    with pytest.raises(InputError, match="too few to measure the spectrum"):
        own(np.zeros((4, 64, 64), np.float32) - 1000, 0.1)


@pytest.mark.slow
def test_a_low_dose_of_a_public_scan_is_nearer_to_its_patient_in_truth_than_in_noise(
    clean: Image, public: Path, tmp_path: Path
) -> None:
    spec = ct_real.specs(Choices(quick=True, real=public))[0]
    assert spec.group == "abdomen, rho 0.12" and "path" not in spec.told
    case, again = (ct_real.build(spec, tmp_path) for _ in range(2))
    assert np.array_equal(case.noisy.voxels, again.noisy.voxels)
    assert case.truth.shape == (6, 192, 192)
    patient = clean.voxels[20:26]
    assert (case.plain.voxels - patient)[case.body].std() < 10
    assert 25 < (case.noisy.voxels - case.truth.voxels)[case.body].std() < 60
    assert (tmp_path / "truth-abdomen-20-26.npz").exists()


@pytest.mark.slow
def test_stacks_hold_the_slices_that_a_single_one_is_cut_from(public: Path, tmp_path: Path) -> None:
    specs = single_slice.specs(Choices(quick=True, real=public))
    assert [spec.recipe["slices"] for spec in specs] == [1, 2, 3, 1]
    tuned = specs[-1]
    case = single_slice.build(tuned, tmp_path)
    assert tuned.group.startswith("tune") and case.noisy.shape[0] == 1 and case.noisy.shape == case.body.shape
    assert 10 < (case.noisy.voxels - case.truth.voxels)[case.body].std() < 40  # 20 HU asked for
    ran = run_entrant(Entrant(PLANNED), case, 0.1)
    assert ran.image.shape == case.noisy.shape and ran.settings["method"]


def test_without_the_scans_one_is_told_how_to_name_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DEMOTTLE_REAL_DATA", raising=False)
    assert real_folder(None) is None
    with pytest.raises(InputError, match="--real or DEMOTTLE_REAL_DATA"):
        needed(real_folder(None))
    monkeypatch.setenv("DEMOTTLE_REAL_DATA", str(tmp_path))
    assert needed(real_folder(None)) == tmp_path
    assert real_folder(tmp_path / "other") == tmp_path / "other"


@pytest.mark.slow
def test_a_cohort_with_parts_of_public_scans_judges_patients_that_nothing_is_learned_from(
    monkeypatch: pytest.MonkeyPatch, public: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(unpaired_cohort, "RECIPES", {"abdomen": real_scans.RECIPES["abdomen"]})
    monkeypatch.setattr(unpaired_cohort, "PARTS", {"low": (0,), "full": (1,)})
    monkeypatch.setattr(unpaired_cohort, "PART_SIDE", 96)
    specs = {spec.group: spec for spec in ct_unpaired.specs(Choices(quick=True, real=public, cohort=True))}
    assert list(specs) == ["phantom", "full dose + 20 HU", "abdomen part"]
    for name in ("phantom", "abdomen part"):
        case = ct_unpaired.build(specs[name], tmp_path)
        assert case.noisy.shape == (4, 96, 96)
        assert 20 < (case.noisy.voxels - case.truth.voxels)[case.body].std() < 65
    assert case.sets is not None
    sets = case.sets(False)
    low, full = sets.low.patients | sets.low_validation.patients, sets.full.patients | sets.full_validation.patients
    assert low == {*(f"phantom{n}" for n in range(5)), "abdomen0"}
    assert full == {*(f"phantom{n}" for n in range(5, 10)), "abdomen1"}


@pytest.mark.slow
def test_what_is_added_to_full_dose_scans_is_in_no_other(tmp_path: Path) -> None:
    plain, shifted = ct_unpaired.specs(Choices(quick=True, cohort=True))
    for side, by in (("low", 0), ("same", 0), ("full", 20)):
        before, after = (unpaired_cohort._side(spec, side, tmp_path) for spec in (plain, shifted))
        for (name, one), (other, moved) in zip(before, after, strict=True):
            assert name == other
            assert np.array_equal(moved.voxels, one.voxels + by)
