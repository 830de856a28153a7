"""Many cases and methods; one that fails costs no other."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Demottle
from tests.quality.phantoms import body, ct, noise

from demottle import io
from demottle.cli.evaluate.batch_cases import cases_of
from demottle.cli.evaluate.case import Given
from demottle.errors import InputError


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three cases under two methods, of which one leaves more noise."""
    folder = tmp_path_factory.mktemp("archive")
    for number, case in enumerate("abc"):
        truth = body(6, 96)
        grain = noise(truth.shape, 20, seed=number)
        for name, voxels in (
            ("scan", truth + grain),
            ("truth", truth),
            ("out/good", truth + 0.3 * grain),
            ("out/poor", truth + 0.6 * grain),
        ):
            path = folder / name.split("/")[0] / case
            path = path / f"{name.split('/')[1]}.nii.gz" if "/" in name else path.with_suffix(".nii.gz")
            path.parent.mkdir(parents=True, exist_ok=True)
            io.write(ct(np.rint(voxels)), path)
    return folder


def pattern(folder: Path) -> tuple[str, ...]:
    return (
        "evaluate", "--batch", f"{folder}/out/{{case}}/{{method}}.nii.gz", "--input", f"{folder}/scan/{{case}}.nii.gz",
        "--truth", f"{folder}/truth/{{case}}.nii.gz", "--modality", "CT",
    )  # fmt: skip


def test_methods_are_compared_on_the_same_cases(archive: Path, tmp_path: Path, demottle: Demottle) -> None:
    more = ("--csv", tmp_path / "all.csv", "--html", tmp_path / "all.html")
    result = demottle(*pattern(archive), *more)
    assert result.exit_code == 0, result.output
    assert "good − poor" in result.stdout, result.stdout
    assert "over 3 cases" in result.stdout
    with (tmp_path / "all.csv").open() as file:
        lines = list(csv.DictReader(file))
    rmse = {(line["case"], line["method"]): float(line["after"]) for line in lines if line["figure"].startswith("RMSE")}
    assert len(rmse) == 6
    assert all(rmse[case, "good"] < rmse[case, "poor"] for case in "abc")
    page = (tmp_path / "all.html").read_text()
    assert "Between methods" in page and "http:" not in page.replace("http://www.w3.org", "")


def test_a_case_that_cannot_be_read_is_named_at_the_end(archive: Path, tmp_path: Path, demottle: Demottle) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(archive, folder)
    (folder / "out" / "b" / "good.nii.gz").write_bytes(b"no image")
    result = demottle(*pattern(folder), "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert [one["case"] for one in told["failed"]] == ["b, good"]
    assert len(told["cases"]) == 5
    assert "1 of 6 cases" in result.stderr


def test_cases_of_a_batch_are_held_against_limits(archive: Path, tmp_path: Path, demottle: Demottle) -> None:
    (tmp_path / "limits.toml").write_text("noise = 0.5\nair = false\n")
    result = demottle(*pattern(archive), "--limits", tmp_path / "limits.toml")
    assert result.exit_code == 3
    assert "3 of 6 cases fail the gate" in result.stderr
    assert "a, poor" in result.stderr


def test_a_table_names_cases_with_paths_beside_it(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text(
        "case,method,input,output,truth\nchest,ours,in/1,out/1,\nhead,ours,in/2,out/2,true/2\n"
    )
    first, second = cases_of(str(tmp_path / "cases.csv"), Given(None, None))
    assert (first.case, first.method) == ("chest", "ours")
    assert first.given == Given(tmp_path / "out/1", tmp_path / "in/1")
    assert second.given.truth == tmp_path / "true/2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input,truth\na,b\n", "no column output"),
        ("input,output,colour\na,b,c\n", "'colour'"),
        ("input,output\n", "holds no case"),
    ],
)
def test_a_table_that_is_wrong_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        cases_of(str(tmp_path / "cases.csv"), Given(None, None))


def test_a_pattern_that_matches_nothing_or_lacks_its_input_is_refused(tmp_path: Path) -> None:
    for batch, scan, said in (
        (f"{tmp_path}/{{case}}", tmp_path / "in", "Nothing matches"),
        (f"{tmp_path}/{{case}}", None, "needs --input"),
        (f"{tmp_path}/*", tmp_path / "in", "has no {case}"),
    ):
        with pytest.raises(InputError, match=said):
            cases_of(batch, Given(None, scan))
