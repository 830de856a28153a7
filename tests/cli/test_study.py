"""A reader study on the command line."""

import csv
import json
import signal
import socket
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from tests.cli.conftest import Demottle, Start

from demottle import io
from demottle.image import Image


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("arms")
    y, x = np.mgrid[:24, :24] / 24 - 0.5
    disc = np.where(np.hypot(y, x - 0.1) < 0.35, 40.0, -1000.0)
    for arm, sigma in (("original", 30), ("clean", 5)):
        for number in range(3):
            noise = sigma * np.random.default_rng(number).standard_normal((4, 24, 24))
            voxels = (disc + 10 * number + noise).astype(np.float32)
            io.write(Image(voxels, (3, 1, 1), "CT", "HU"), folder / arm / f"DOE_JOHN_{number}.nii.gz")
    return ["--arm", f"original={folder / 'original'}", "--arm", f"clean={folder / 'clean'}", "--modality", "CT"]


@pytest.fixture
def study(arms: list[str], demottle: Demottle, tmp_path: Path) -> Path:
    result = demottle("study", "create", *arms, "-o", tmp_path / "study", "--slices", 2, "--repeats", 2)
    assert result.exit_code == 0, result.output
    assert "3 cases in 2 arms: 8 showings for each reader, 2 of them for the second time" in result.stdout
    return tmp_path / "study"


def answer(folder: Path, reader: str, score: int) -> None:
    shown = json.loads((folder / "study.json").read_text())
    (folder / "answers").mkdir(exist_ok=True)
    with (folder / "answers" / f"{reader}.jsonl").open("w") as file:
        for trial in shown["trials"]:
            answers = {q["name"]: True if q["kind"] == "yes-no" else score for q in shown["questions"]}
            file.write(json.dumps({"trial": trial["name"], "answers": answers, "seconds": 12.0}) + "\n")


def test_results_go_where_they_were_asked_for_and_name_no_file_of_a_patient(
    study: Path, demottle: Demottle, tmp_path: Path
) -> None:
    answer(study, "r1", 3)
    answer(study, "r2", 4)
    files = ["--csv", tmp_path / "r.csv", "--ratings", tmp_path / "a.csv", "--html", tmp_path / "p.html"]
    shown = demottle("study", "analyse", study, *files)
    assert shown.exit_code == 0, shown.output
    for word in ("Points", "clean against original", "too few scans", "Agreement of readers", "12.0 s"):
        assert word in shown.stdout
    assert "two readers only" in shown.stderr
    as_json = demottle("study", "analyze", study, "--json")
    assert json.loads(as_json.stdout)["readers"] == ["r1", "r2"]
    with (tmp_path / "a.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * 8 * 6
    assert {line["arm"] for line in lines} == {"original", "clean"}
    told = [path.read_text() for path in (tmp_path / "r.csv", tmp_path / "a.csv", tmp_path / "p.html")]
    assert not any("DOE" in text for text in (*told, shown.output, as_json.output))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["serve", "NOTHING"], "There is no study folder"),
        (["analyse", "NOTHING"], "There is no study folder"),
        (["analyse", "STUDY"], "No reader has finished a case"),
        (["analyse", "STUDY", "--key", "NOTHING"], "There is no key"),
        (["create", "--arm", "a=NOTHING", "--arm", "b=NOTHING", "-o", "OUT"], "There is no file or folder"),
        (["create", "--arm", "a=STUDY", "-o", "OUT"], "a study compares arms"),
        (["create", "--arm", "a", "--arm", "b=STUDY", "-o", "OUT"], "not of the form NAME=PATH"),
        (["create", "--arm", "a=X", "--arm", "a=Y", "-o", "OUT"], "named twice"),
        (["create", "ARMS", "-o", "STUDY"], "never overwritten"),
        (["create", "ARMS", "-o", "OUT", "--title", "Is clean better?"], "names the arm 'clean'"),
        (["create", "ARMS", "-o", "OUT", "--design", "triples"], "neither single nor pairs"),
        (["create", "ARMS", "-o", "OUT", "--at", "2,x"], "not a list of slices"),
        (["create", "ARMS", "-o", "OUT", "--at", "9"], "no slice 9"),
        (["create", "ARMS", "-o", "OUT", "--per-scan", "5"], "too few for 5 stacks"),
        (["create", "ARMS", "-o", "OUT", "--slices", "1", "--repeats", "7"], "only 6 images to repeat"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(
    arguments: list[str], sentence: str, study: Path, arms: list[str], demottle: Demottle, tmp_path: Path
) -> None:
    places = {"NOTHING": str(tmp_path / "nothing"), "STUDY": str(study), "OUT": str(tmp_path / "out")}
    words = [part for word in arguments for part in (arms if word == "ARMS" else [word])]
    result = demottle("study", *(_put(word, places) for word in words))
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def _put(word: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(name, place)
    return word


@pytest.mark.parametrize("option", ["--csv", "--ratings", "--html"])
def test_results_never_replace_what_belongs_to_the_study(
    option: str, study: Path, demottle: Demottle, tmp_path: Path
) -> None:
    answer(study, "r1", 3)
    (tmp_path / "study-key.json").rename(tmp_path / "secret.json")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for place in (tmp_path / "secret.json", study / "study.json", study / "results"):
        refused = demottle("study", "analyse", study, "--key", tmp_path / "secret.json", option, place)
        said = (
            f"lies inside the input folder {study}" if place.parent == study else "is an input, which is never changed"
        )
        assert refused.exit_code == 2 and said in " ".join(refused.stderr.split())
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("option", ["--csv", "--ratings", "--html"])
def test_results_never_replace_the_key_that_nobody_named(option: str, study: Path, demottle: Demottle) -> None:
    answer(study, "r1", 3)
    key = study.with_name("study-key.json")
    before = key.read_bytes()
    refused = demottle("study", "analyse", study, option, key, "--overwrite")
    assert refused.exit_code == 2 and "is an input, which is never changed" in " ".join(refused.stderr.split())
    assert key.read_bytes() == before


@pytest.mark.parametrize("option", ["--csv", "--ratings", "--html"])
def test_results_replace_an_earlier_file_only_where_told(
    option: str, study: Path, demottle: Demottle, tmp_path: Path
) -> None:
    answer(study, "r1", 3)
    place = tmp_path / "results"
    place.write_text("of another study")
    refused = demottle("study", "analyse", study, option, place)
    assert refused.exit_code == 2 and "--overwrite" in refused.stderr
    assert place.read_text() == "of another study"
    replaced = demottle("study", "analyse", study, option, place, "--overwrite")
    assert replaced.exit_code == 0, replaced.output
    assert place.read_text() != "of another study"


def test_damaged_answers_are_one_sentence_before_anybody_reads(study: Path, demottle: Demottle) -> None:
    answer(study, "r1", 3)
    with (study / "answers" / "r1.jsonl").open("a") as file:
        file.write("{broken\n")
    for verb in ("serve", "analyse"):
        result = demottle("study", verb, study)
        assert result.exit_code == 2
        assert "damaged in line 9" in " ".join(result.stderr.split())


def test_a_port_in_use_is_one_sentence(study: Path, demottle: Demottle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = demottle("study", "serve", study, "--port", taken.getsockname()[1])
    assert result.exit_code == 2
    assert "is in use" in result.stderr


def test_it_serves_until_ctrl_c_and_says_what_is_saved(study: Path, start_demottle: Start) -> None:
    answer(study, "r1", 3)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = start_demottle("study", "serve", study, "--port", port)
    for _ in range(600):
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/study", timeout=10) as response:
                assert json.loads(response.read())["count"] == 8
            break
        except OSError:
            time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said, along = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}/" in said
    assert "r1: 8 of 8 finished" in along
    assert "8 finished showings of 1 reader" in along
