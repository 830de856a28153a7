"""Whatever a verb writes, it never takes the place of what it reads, nor lies among it: one sentence, before the work."""

import re
from pathlib import Path

import click
import numpy as np
import pytest
import typer
from tests.cli.conftest import Demottle

from demottle import io
from demottle.cli import app
from demottle.image import Image

RESULTS = {
    *("output", "out", "csv", "html", "ratings", "report", "cache", "history", "save_model", "save_onnx"),
    *("save_phase", "save_noise_map", "save_components"),
}
"""What parameters that name a result are called."""
IN, AMONG = "in/one.nii.gz", "in/scans"  # a file and a folder that are read
INSIDE = f"{AMONG}/new.nii.gz"
VERBS = {
    "denoise": (
        ["denoise", IN, "-o", "new.nii.gz", "--noise-map", "in/two.nii.gz", "--modality", "CT"],
        ["--output", "--report", "--save-phase", "--save-noise-map", "--save-components"],
        [IN, "in/two.nii.gz"],
    ),
    "denoise with a model": (
        ["denoise", IN, "-o", "new.nii.gz", "--model", "in/model.safetensors"],
        ["--output", "--report"],
        ["in/model.safetensors"],
    ),
    "denoise of a folder": (["denoise", AMONG, "-o", "new"], ["--output", "--report", "--save-model"], [AMONG]),
    "evaluate": (
        ["evaluate", "in/two.nii.gz", "--input", IN, "--truth", "in/three.nii.gz", "--modality", "CT"],
        ["--csv", "--html"],
        [IN, "in/two.nii.gz", "in/three.nii.gz"],
    ),
    "evaluate repeats": (
        ["evaluate", "in/repeat-{repeat}", "--input", "in/scans", "--structures", "in/truth.json"],
        ["--csv", "--html"],
        [AMONG, "in/repeat-01", "in/truth.json"],
    ),
    "evaluate --batch": (["evaluate", "--batch", "in/cases.csv"], ["--csv", "--html"], ["in/cases.csv", IN]),
    "phantom": (
        ["phantom", IN, "--after", "in/two.nii.gz", "--modality", "CT"],
        ["--csv", "--html", "--history"],
        [IN, "in/two.nii.gz"],
    ),
    "report": (["report", AMONG, "in/two.nii.gz", "--truth", "in/truth.html"], ["--output"], ["in/truth.html"]),
    "simulate low-dose": (["simulate", "low-dose", AMONG, "--dose", "0.5"], ["--output"], [INSIDE]),
    "simulate low-dose of a file": (["simulate", "low-dose", IN, "--dose", "0.5"], ["--output"], [IN]),
    "simulate fluoroscopy": (["simulate", "fluoroscopy", "--from", AMONG], ["--output"], [AMONG]),
    "study create": (
        ["study", "create", "--arm", f"a={AMONG}", "--arm", f"b={IN}", "-o", "new"],
        ["--output", "--key"],
        [AMONG, IN],
    ),
    "study analyse": (
        ["study", "analyse", "in/study", "--key", "in/key.json"],
        ["--csv", "--html", "--ratings"],
        ["in/study", "in/key.json"],
    ),
    "train": (
        ["train", "cyclegan", "--low", AMONG, "--full", "in/repeat-01", "-o", "new.safetensors"],
        ["--output", "--cache"],
        [AMONG, "in/repeat-01"],
    ),
    "stream": (
        ["stream", IN, "-o", "new.nii.gz", "--method", "recursive"],
        ["--output", "--save-model", "--save-onnx"],
        [IN],
    ),
    "archive index": (["archive", "index", AMONG, "-o", "new"], ["--output"], [AMONG]),
    "benchmark": (["benchmark", "--suite", "ct-volume", "--real", AMONG], ["--out", "--cache"], [AMONG]),
}
WRITE_NOTHING_READ = {"simulate phantom"}
TRIED_ELSEWHERE = {"archive run", "archive report"}  # tests/archive: they need an index, or a run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scans and other files that the verbs read."""
    monkeypatch.chdir(tmp_path)
    image = Image(np.zeros((4, 32, 32), np.float32), (3.0, 1.0, 1.0), "CT", "HU")
    for name in ("one", "two", "three"):
        io.write(image, tmp_path / "in" / f"{name}.nii.gz")
    for name in (AMONG, "in/repeat-01", "in/study"):
        io.write(image, tmp_path / name / "scan.nii.gz")
    (tmp_path / "in/cases.csv").write_text("input,output\none.nii.gz,two.nii.gz\n")
    for name in ("one.json", "truth.json", "truth.html", "key.json", "model.safetensors"):
        (tmp_path / "in" / name).write_text("{}")
    return tmp_path


def held(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def attempts() -> list[tuple[str, str, str]]:
    return [
        (verb, option, where)
        for verb, (_, options, inputs) in VERBS.items()
        for option in options
        for where in (*inputs, *(f"{name}/inside" for name in inputs if "." not in name))
    ]


@pytest.mark.parametrize(("verb", "option", "where"), attempts())
def test_no_result_takes_the_place_of_an_input(
    verb: str, option: str, where: str, place: Path, demottle: Demottle
) -> None:
    before = held(place)
    overwrite = [] if verb.startswith(("study create", "benchmark", "archive")) else ["--overwrite"]
    result = demottle(*VERBS[verb][0], option, where, *overwrite)
    assert held(place) == before
    assert result.exit_code == 2, result.output
    said = " ".join(result.stderr.split())
    assert re.search(
        rf"Error: {where}\S* (is an input, which is never changed|lies inside the input folder \S+); choose ", said
    ), said


def test_the_record_beside_a_page_does_not_replace_the_json_beside_the_scan(place: Path, demottle: Demottle) -> None:
    before = held(place)
    result = demottle("denoise", IN, "-o", "new.nii.gz", "--modality", "CT", "--report", "in/one.html", "--overwrite")
    assert (result.exit_code, held(place)) == (2, before)
    assert "in/one.json is an input, which is never changed" in " ".join(result.stderr.split())


def test_a_link_to_an_input_is_the_input(place: Path, demottle: Demottle) -> None:
    (place / "link").symlink_to(place / "in")
    result = demottle("evaluate", IN, "--input", "in/two.nii.gz", "--csv", "link/one.nii.gz", "--overwrite")
    assert (result.exit_code, result.stderr.count("link/one.nii.gz is an input")) == (2, 1)


def test_what_holds_the_input_is_not_replaced(place: Path, demottle: Demottle) -> None:
    for verb in (["denoise", IN], ["simulate", "low-dose", IN, "--dose", "0.5"]):
        before = held(place)
        result = demottle(*verb, "-o", "in", "--format", "dicom", "--overwrite")
        said = " ".join(result.stderr.split())
        assert (result.exit_code, held(place)) == (2, before)
        assert "in holds the input" in said and "which would be lost; choose another name." in said


def test_every_verb_that_writes_is_looked_at() -> None:
    tried = {re.split(" (of|with|repeats|-)", verb)[0] for verb in VERBS}
    writing = {name for name, command in _commands(typer.main.get_command(app)) if _results(command)}
    assert writing - WRITE_NOTHING_READ - TRIED_ELSEWHERE == tried
    for name, command in _commands(typer.main.get_command(app)):
        options = {option for verb, (_, given, _) in VERBS.items() if verb.startswith(name) for option in given}
        if name in tried:
            assert _results(command) <= options, name


def _results(command: click.Command) -> set[str]:
    return {
        f"--{one.name.replace('_', '-')}"
        for one in command.params
        if one.param_type_name == "option" and one.name in RESULTS
    }


def _commands(command: click.Command, name: str = "") -> list[tuple[str, click.Command]]:
    inner = {verb: of for verb, of in getattr(command, "commands", {}).items() if not of.hidden}
    return [(name.strip(), command), *(one for verb, of in inner.items() for one in _commands(of, f"{name} {verb}"))]
