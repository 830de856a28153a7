"""`demottle denoise` with a promise, as a user runs it."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.cli.conftest import Demottle

from demottle import io
from demottle.image import Image

METHOD = ("--method", "gaussian", "--modality", "CT", "--unit", "HU")


@pytest.fixture(scope="module")
def uniform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Soft tissue with grain of about 1.5 pixels, as a NIfTI file."""
    drawn = np.random.default_rng(1).normal(0, 1, (5, 160, 160))
    grain = gaussian_filter(drawn, [0, 0.7, 0.7])
    path = tmp_path_factory.mktemp("uniform") / "scan.nii.gz"
    io.write(Image((50 + 20 * grain / grain.std()).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU"), path)
    return path


def test_a_promise_is_told_on_the_terminal_on_the_page_and_in_the_record(
    uniform: Path, tmp_path: Path, demottle: Demottle
) -> None:
    done = demottle("denoise", uniform, "-o", tmp_path / "out.nii.gz", *METHOD, "--noise", "-20%")
    assert done.exit_code == 0, done.output
    assert "Promise  strength 0." in done.output
    assert "f50 of edges of 35 HU" in done.output
    record = json.loads((tmp_path / "out-report" / "run.json").read_text())
    assert record["contract"]["promise"] == {"keep_mtf": None, "keep_hu": None, "noise": -0.2}
    assert record["strength"] < 1
    assert "<h2>Promise</h2>" in (tmp_path / "out-report" / "report.html").read_text()


def test_a_promise_that_cannot_be_kept_writes_nothing(uniform: Path, tmp_path: Path, demottle: Demottle) -> None:
    wanted = ("--keep-mtf", "98%", "--noise", "-60%")
    done = demottle("denoise", uniform, "-o", tmp_path / "out.nii.gz", *METHOD, *wanted)
    assert done.exit_code == 3
    assert "The promise cannot be kept on this scan with gaussian" in done.output
    assert not list(tmp_path.iterdir())


def test_a_model_that_was_to_be_saved_is_kept_where_the_promise_is_not(
    uniform: Path, tmp_path: Path, demottle: Demottle
) -> None:
    model = tmp_path / "fitted.model"
    wanted = ("--noise", "-99%", "--save-model", model)
    done = demottle("denoise", uniform, "-o", tmp_path / "out.nii.gz", *METHOD, *wanted)
    assert done.exit_code == 3
    assert list(tmp_path.iterdir()) == [model]
    kind = ("--modality", "CT", "--unit", "HU")
    again = demottle("denoise", uniform, "-o", tmp_path / "out.nii.gz", "--model", model, *kind, "--noise", "-20%")
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (("--keep-mtf", "sharp"), "not a number"),
        (("--keep-mtf", "1.2"), "Give 0.98 for 98 %"),
        (("--noise", "45%"), "such as -45 %"),
        (("--noise", "-100%"), "between 0 and -100 %"),
        (("--keep-hu", "0"), "more than 0"),
        (("--noise", "-45%", "--strength", "0.5"), "--noise finds the strength itself, so --strength"),
    ],
)
def test_a_promise_that_makes_no_sense_is_refused_before_reading(
    wrong: tuple[str, ...], word: str, tmp_path: Path, demottle: Demottle
) -> None:
    done = demottle("denoise", tmp_path / "none", "-o", tmp_path / "out", *wrong)
    assert done.exit_code == 2
    assert word in " ".join(done.output.replace("│", " ").split())


def test_a_preset_is_told_of_and_cannot_be_changed(uniform: Path, tmp_path: Path, demottle: Demottle) -> None:
    done = demottle("denoise", uniform, "-o", tmp_path / "out.nii.gz", *METHOD, "--preset", "gentle")
    assert done.exit_code == 0, done.output
    assert "preset gentle" in done.output
    assert json.loads((tmp_path / "out-report" / "run.json").read_text())["preset"] == "gentle"
    both = demottle("denoise", uniform, "-o", tmp_path / "b.nii.gz", *METHOD, "--preset", "gentle", "--strength", "0.5")
    assert both.exit_code == 2
    assert "--preset decides how much noise stays, so --strength does not go with it." in both.output
