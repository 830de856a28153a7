"""A functional or diffusion series of MR volumes: filtered, with header, geometry and the number of volumes as they were."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from tests.cli.conftest import Demottle


@pytest.fixture
def series(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    maps = np.cumsum(np.cumsum(random.normal(size=(2, 40, 36, 2)), axis=1), axis=2)
    signal = 400 + 60 * np.einsum("kxyz,kt->xyzt", maps / maps.std(), random.normal(size=(2, 9)))
    noisy = np.clip(signal + random.normal(0, 20, signal.shape), 0, None)
    nifti = nibabel.Nifti1Image(noisy.astype(np.int16), np.diag([-1.5, 1.5, 12.0, 1.0]))
    nifti.header.set_zooms((1.5, 1.5, 12.0, 2.5))
    nifti.header.set_xyzt_units("mm", "sec")
    nifti.header["descrip"] = b"diffusion"
    path = tmp_path / "series.nii.gz"
    nifti.to_filename(path)
    np.save(tmp_path / "signal.npy", signal)
    return path


def test_a_series_is_filtered_by_components_and_keeps_its_header(series: Path, demottle: Demottle) -> None:
    out = series.parent / "clean.nii.gz"
    result = demottle("denoise", series, "-o", out, "--modality", "MR", "--no-report")
    assert result.exit_code == 0, result.output
    before, after = nibabel.load(series), nibabel.load(out)
    assert after.shape == before.shape and after.get_data_dtype() == before.get_data_dtype()
    np.testing.assert_array_equal(after.affine, before.affine)
    assert after.header.get_zooms() == before.header.get_zooms() and after.header["descrip"] == before.header["descrip"]
    signal = np.load(series.parent / "signal.npy")
    errors = [float(np.sqrt(np.mean((image.get_fdata() - signal) ** 2))) for image in (before, after)]
    assert errors[1] < 0.8 * errors[0]


def test_inspect_says_what_would_be_done_and_that_nothing_is_averaged(series: Path, demottle: Demottle) -> None:
    result = demottle("inspect", series, "--modality", "MR")
    assert (
        result.exit_code == 0 and "mp-pca" in result.output and "nothing is averaged" in " ".join(result.output.split())
    )


def test_without_a_modality_the_way_out_of_fluoroscopy_is_named_and_with_one_it_is_not(
    series: Path, demottle: Demottle
) -> None:
    unsaid, said = (demottle("inspect", series, "--json", *more) for more in ([], ["--modality", "MR"]))
    told = [" ".join(json.loads(result.stdout)["warnings"]) for result in (unsaid, said)]
    assert "treated as fluoroscopy" in told[0] and "--modality MR" in told[0]
    assert "9 volumes of 2 slices" in told[1] and "fluoroscopy" not in told[1]


def test_what_is_said_at_the_end_is_of_volumes(series: Path, demottle: Demottle) -> None:
    result = demottle("denoise", series, "-o", series.parent / "clean.nii.gz", "--modality", "MR", "--no-report")
    told = result.output.split("Done")[1]
    assert "noise of a volume" in told
    for words in ("frame", "flicker", "edge width", "lag"):
        assert words not in told
