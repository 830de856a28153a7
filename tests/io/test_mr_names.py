"""BIDS names, phases beside magnitudes, and what a phase's numbers stand for."""

from pathlib import Path

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.io.mr.bids import derivative, is_bids, is_phase_of_another, modality_by_name, phase_beside
from demottle.io.mr.phase_range import phase_scale


def test_a_phase_is_found_beside_its_magnitude(tmp_path: Path) -> None:
    for name in (
        "sub-1_part-mag_bold.nii.gz",
        "sub-1_part-phase_bold.nii.gz",
        "x.nii",
        "x_ph.nii",
        "y_ph.nii",
        "z.nii.gz",
    ):
        (tmp_path / name).touch()
    assert phase_beside(tmp_path / "sub-1_part-mag_bold.nii.gz") == tmp_path / "sub-1_part-phase_bold.nii.gz"
    assert phase_beside(tmp_path / "x.nii") == tmp_path / "x_ph.nii"
    assert phase_beside(tmp_path / "z.nii.gz") is None and phase_beside(tmp_path / "a.dcm") is None
    found = [
        name
        for name in ("x_ph.nii", "y_ph.nii", "sub-1_part-phase_bold.nii.gz", "x.nii")
        if is_phase_of_another(tmp_path / name)
    ]
    assert found == ["x_ph.nii", "sub-1_part-phase_bold.nii.gz"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/d/sub-01/ses-2/func/sub-01_task-x_bold.nii.gz", "sub-01/ses-2/func/sub-01_task-x_desc-denoised_bold.nii.gz"),
        ("/d/sub-01/dwi/sub-01_desc-raw_dwi.nii", "sub-01/dwi/sub-01_desc-denoised_dwi.nii"),
        ("/d/sub-01_bold.nii.gz", "sub-01_desc-denoised_bold.nii.gz"),
        ("/d/series.nii.gz", "series_desc-denoised.nii.gz"),
    ],
)  # fmt: skip
def test_results_are_called_as_derivatives_are(path: str, name: str) -> None:
    assert derivative(Path(path), Path("out")) == Path("out") / name
    assert is_bids(Path(path)) == ("sub-" in path)


def test_names_of_bids_say_that_it_is_mr() -> None:
    assert modality_by_name(Path("sub-1_task-x_bold.nii.gz")) == modality_by_name(Path("sub-1_dwi.nii")) == "MR"
    others = ("sub-1_ct.nii.gz", "bold.nii.gz", "sub-1_pet.nii", "sub-1_bold.mha")
    assert not any(modality_by_name(Path(name)) for name in others)


@pytest.mark.parametrize(
    ("low", "high", "pi", "zero"),
    [
        (-3.1, 3.14, np.pi, 0), (-180, 179, 180, 0), (-4096, 4094, 4096, 0), (-3141, 3140, 1000 * np.pi, 0),
        (-2048, 2047, 2048, 0),
        (0, 6.28, np.pi, np.pi), (0, 4095, 2048, 2048), (0, 359.9, 180, 180), (5, 4090, 2048, 2048), (-32768, 32000, 32768, 0),
    ],
)  # fmt: skip
def test_the_range_of_a_phase_tells_what_stands_for_pi(low: float, high: float, pi: float, zero: float) -> None:
    scale = phase_scale(low, high, "p")
    values = np.array([zero, zero + pi / 2], np.float32)
    np.testing.assert_allclose(scale.radians(values.copy()), [0, np.pi / 2], atol=1e-5)
    np.testing.assert_allclose(scale.values(scale.radians(values.copy())), values, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 1000), (-600, 600), (0, 1.0)])
def test_a_range_that_is_not_in_use_is_refused(low: float, high: float) -> None:
    with pytest.raises(InputError, match="not a range in use"):
        phase_scale(low, high, "p")
