"""`demottle report`: what it cannot make a page of is said in one sentence."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Demottle


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (None, "holds no run.json of demottle; give the folder OUT-report of a run, or a scan and its output."),
        (
            {"program": "another"},
            "holds no run.json of demottle; give the folder OUT-report of a run, or a scan and its",
        ),
        (
            {"program": "demottle", "input": "gone.nii.gz"},
            "The input of this run, gone.nii.gz, is missing; give a scan and its output instead.",
        ),
        (
            {"program": "demottle", "input": "there.nii.gz", "output": None},
            "The output of this run, None, is missing; give a scan and its output instead.",
        ),
    ],
)
def test_a_folder_without_a_whole_run(
    record: dict[str, object] | None, said: str, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.nii.gz").touch()
    Path("run").mkdir()
    if record is not None:
        Path("run/run.json").write_text(json.dumps(record))
    result = demottle("report", "run", "-o", "page.html")
    assert result.exit_code == 2 and not Path("page.html").exists()
    assert said in " ".join(result.stderr.split())


def test_volumes_of_a_run_are_named_in_their_order(tmp_path: Path, demottle: Demottle) -> None:
    for number in (1, 2, 10):
        folder = tmp_path / "run" / f"volume-{number}"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text('{"program": "demottle"}')
    result = demottle("report", tmp_path / "run", "-o", tmp_path / "page.html")
    said = (
        "holds a run of 3 volumes, each with a page of its own; give one of its folders: volume-1, volume-2, volume-10."
    )
    assert (result.exit_code, said in " ".join(result.stderr.split())) == (2, True)
