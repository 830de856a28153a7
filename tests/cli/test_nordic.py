"""Complex MR series on the command line: the phase found, noise given or found, files beside the result, refusals."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from tests.cli.conftest import Demottle

from demottle.physics.mr.series import functional_series

AFFINE = np.array([[-5.4, 0, 0, 90], [0, 5.4, 0, -80], [0, 0, 3, 5], [0, 0, 0, 1]])
NOISE = 2
NAME = "sub-01_task-rest_part-mag_bold"


def save(path: Path, values, dtype=np.int16, affine=AFFINE):
    rounded = np.rint(values) if np.issubdtype(dtype, np.integer) else values
    nifti = nibabel.Nifti1Image(np.asarray(rounded.T, dtype), affine)
    if values.ndim == 4:
        nifti.header.set_zooms((5.4, 5.4, 3, 2))
    nifti.header.set_xyzt_units("mm", "sec")
    nifti.to_filename(path)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BIDS folder with magnitude, phase and sidecars, two last volumes without a pulse; truth and noise map beside."""
    folder = tmp_path_factory.mktemp("study")
    series = functional_series(volumes=24, slices=3, size=40, seed=4)
    whole = np.concatenate([series.noisy, series.noise_only[:NOISE]])
    func = folder / "raw" / "sub-01" / "func"
    func.mkdir(parents=True)
    save(func / f"{NAME}.nii.gz", np.abs(whole))
    save(func / f"{NAME.replace('mag', 'phase')}.nii.gz", np.round(np.angle(whole) / np.pi * 4096).clip(-4096, 4095))
    for name in (NAME, NAME.replace("mag", "phase")):
        (func / f"{name}.json").write_text(json.dumps({"RepetitionTime": 2.0, "Manufacturer": "none"}))
    save(folder / "noise.nii.gz", series.noise_map, np.float32)
    save(folder / "gfactor.nii.gz", series.noise_map / series.noise_map.min(), np.float32)
    save(folder / "scan-of-noise.nii.gz", np.abs(series.noise_only), np.float32)
    np.savez(folder / "truth.npz", truth=series.truth, head=series.head, noise=series.noise_map)
    return folder


def known_of(study: Path):
    with np.load(study / "truth.npz") as file:
        return dict(file)


def mag(study: Path) -> Path:
    return study / "raw" / "sub-01" / "func" / f"{NAME}.nii.gz"


def error(study: Path, path: Path) -> float:
    known = known_of(study)
    found = nibabel.load(path).get_fdata().T[: len(known["truth"])]
    return float(np.sqrt(np.mean((found - np.abs(known["truth"]))[:, known["head"]] ** 2)))


def test_a_bids_series_finds_its_phase_and_noise_and_goes_to_a_folder_of_derivatives(
    study: Path, tmp_path: Path, demottle: Demottle
) -> None:
    out, phase, level, kept = (tmp_path / name for name in ("derivatives", "ph.nii.gz", "level.nii.gz", "kept.nii.gz"))
    options = ["--save-phase", phase, "--save-noise-map", level, "--save-components", kept, "--no-report"]
    result = demottle("denoise", mag(study), "-o", out, "--modality", "MR", *options)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "phase was found beside it" in said and "last 2 volumes are noise alone" in said
    assert "moved by" not in said  # the bias was taken out on purpose
    folder = out / "sub-01" / "func"
    clean = folder / "sub-01_task-rest_part-mag_desc-denoised_bold.nii.gz"
    before, after = nibabel.load(mag(study)), nibabel.load(clean)
    assert after.shape == before.shape and after.get_data_dtype() == before.get_data_dtype()
    np.testing.assert_array_equal(after.get_fdata()[..., -NOISE:], before.get_fdata()[..., -NOISE:])
    assert error(study, clean) < 0.4 * error(study, mag(study))
    told = json.loads(clean.with_name(clean.name.replace(".nii.gz", ".json")).read_text())
    assert told["RepetitionTime"] == 2 and told["Manufacturer"] == "none" and len(told["Sources"]) == 2
    assert told["Denoising"]["Method"] == "nordic" and told["Denoising"]["VolumesOfNoiseAlone"] == NOISE
    assert json.loads((out / "dataset_description.json").read_text())["DatasetType"] == "derivative"
    known = known_of(study)
    turned = nibabel.load(phase).get_fdata().T[:-NOISE] / 4096 * np.pi
    wrong = np.abs(np.angle(np.exp(1j * (turned - np.angle(known["truth"])))))[:, known["head"]]
    assert wrong.mean() < 0.06
    noise = nibabel.load(level)
    np.testing.assert_allclose(noise.affine, AFFINE, atol=1e-4)
    assert np.median(noise.get_fdata().T / known["noise"]) == pytest.approx(1, abs=0.03)
    assert 0 < nibabel.load(kept).get_fdata().mean() < 10


@pytest.mark.parametrize(
    "options",
    [["--noise-map", "noise.nii.gz"], ["--noise-scan", "scan-of-noise.nii.gz"], ["--gfactor", "gfactor.nii.gz"]],
)
def test_noise_can_be_told(options: list[str], study: Path, tmp_path: Path, demottle: Demottle) -> None:
    out, level = tmp_path / "clean.nii.gz", tmp_path / "level.nii.gz"
    told = [options[0], study / options[1], "--save-noise-map", level, "--no-report"]
    result = demottle("denoise", mag(study), "-o", out, "--modality", "MR", *told)
    assert result.exit_code == 0, result.output
    assert "told the level" not in " ".join(result.output.split())
    known = known_of(study)["noise"]
    assert np.median(nibabel.load(level).get_fdata().T / known) == pytest.approx(1, abs=0.05)


def test_sigma_on_magnitudes_alone_and_a_copy_of_the_sidecar(study: Path, tmp_path: Path, demottle: Demottle) -> None:
    alone = tmp_path / "series.nii.gz"
    alone.write_bytes(mag(study).read_bytes())
    alone.with_name("series.json").write_text('{"EchoTime": 0.03}')
    out = tmp_path / "clean.nii.gz"
    sigma = str(float(known_of(study)["noise"].min()))
    options = ["--sigma", sigma, "--gfactor", study / "gfactor.nii.gz", "--no-report"]
    result = demottle("denoise", alone, "-o", out, "--modality", "MR", *options)
    assert result.exit_code == 0, result.output
    told = json.loads(out.with_name("clean.json").read_text())
    assert told["EchoTime"] == 0.03 and told["Denoising"]["Settings"]["noise"] == float(sigma)
    assert told["Denoising"]["Phase"] is False
    assert error(study, out) < 0.6 * error(study, alone)


def test_what_does_not_fit_is_refused_in_a_sentence_and_nothing_is_written(
    study: Path, tmp_path: Path, demottle: Demottle
) -> None:
    whole = nibabel.load(mag(study)).get_fdata().T
    save(tmp_path / "short.nii.gz", whole[:5])
    save(tmp_path / "phase-of-five.nii.gz", whole[:5])
    save(tmp_path / "nothing.nii.gz", 0 * whole)
    save(tmp_path / "no-phase.nii.gz", whole % 1200)
    save(tmp_path / "map.nii.gz", whole[0] - whole[0].max())
    save(tmp_path / "elsewhere.nii.gz", whole[0], affine=np.diag([5.4, 5.4, 3, 1]))
    save(tmp_path / "small.nii.gz", whole[0, :2])
    save(tmp_path / "volume.nii.gz", whole[0])
    cases = [
        (mag(study), ["--phase", "phase-of-five.nii.gz"], "5 volumes"),
        (mag(study), ["--phase", "nothing.nii.gz"], "same value everywhere"),
        (mag(study), ["--phase", "no-phase.nii.gz"], "not a range in use"),
        (mag(study), ["--noise-map", "map.nii.gz"], "negative values"),
        (mag(study), ["--gfactor", "elsewhere.nii.gz"], "lies elsewhere"),
        (mag(study), ["--noise-map", "small.nii.gz"], "on the same grid"),
        (mag(study), ["--noise-volumes", "22"], "at least 6 others"),
        (tmp_path / "short.nii.gz", ["--sigma", "3"], "at least 6"),
        (tmp_path / "nothing.nii.gz", ["--sigma", "3"], "zero"),
        (tmp_path / "volume.nii.gz", ["--sigma", "3"], "a single volume"),
        (tmp_path / "short.nii.gz", ["--save-phase", "ph.nii.gz"], "No phase was found to denoise and write"),
        (mag(study), ["--sigma", "3", "--noise-map", "map.nii.gz"], "leave out"),
        (mag(study), ["--sigma", "0"], "positive"),
        (mag(study), ["--sigma", "3", "--method", "mp-pca"], "is for nordic"),
        (mag(study), ["--save-noise-map", "map.txt"], "has to end in"),
    ]
    for scan, options, words in cases:
        given = [tmp_path / text if "." in text else text for text in options]
        out = tmp_path / "clean.nii.gz"
        result = demottle("denoise", scan, "-o", out, "--modality", "MR", "--no-report", *given)
        assert result.exit_code == 2, (options, result.output)
        assert words in " ".join(result.output.split()), (options, result.output)
        assert not out.exists()


def test_slices_along_another_axis_of_the_file(study: Path, tmp_path: Path, demottle: Demottle) -> None:
    def turned(nifti, path: Path, dtype) -> Path:
        made = nibabel.Nifti1Image(np.moveaxis(nifti.get_fdata(), 2, 0).astype(dtype), nifti.affine[:, [2, 0, 1, 3]])
        made.header.set_dim_info(slice=0)
        made.to_filename(path)
        return path

    scan = turned(nibabel.load(mag(study)), tmp_path / "series.nii.gz", np.int16)
    noise = turned(nibabel.load(study / "noise.nii.gz"), tmp_path / "noise.nii.gz", np.float32)
    out, level = tmp_path / "clean.nii.gz", tmp_path / "level.nii.gz"
    told = ["--noise-map", noise, "--save-noise-map", level, "--no-report", "--modality", "MR"]
    result = demottle("denoise", scan, "-o", out, *told)
    assert result.exit_code == 0, result.output
    np.testing.assert_allclose(nibabel.load(level).get_fdata(), nibabel.load(noise).get_fdata(), rtol=1e-5)
    assert nibabel.load(out).shape == nibabel.load(scan).shape


def test_in_a_folder_of_scans_a_phase_is_no_scan_of_its_own(study: Path, tmp_path: Path, demottle: Demottle) -> None:
    from demottle.cli.denoise.series_files import without_phases
    from demottle.io import find_scans

    assert without_phases(find_scans(study / "raw")) == [mag(study)]
