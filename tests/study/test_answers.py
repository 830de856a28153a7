"""Answers are on the disk when they are acknowledged, and stay whatever happens."""

import os
from pathlib import Path

import pytest
from tests.study.conftest import Made

from demottle.errors import InputError, OutputError
from demottle.study import Study
from demottle.study.answers import Answers, alias_of, readers_of
from demottle.study.files import read_study


@pytest.fixture
def study(made: Made) -> Study:
    return read_study(made())


def test_answers_come_back_and_the_last_one_counts(study: Study, tmp_path: Path) -> None:
    trial = study.trials[0].name
    answers = Answers(tmp_path, "R1", study)
    answers.add(trial, {"noise": 2}, 3.0)
    answers.add(trial, {"noise": 4, "report": True}, 2.5)
    again = Answers(tmp_path, "r1", study).given[trial]
    assert again.answers == {"noise": 4, "report": True}
    assert again.seconds == 5.5
    assert not again.complete(study)
    answers.add(trial, {"sharpness": 1, "texture": 2, "artifacts": 3, "confidence": 5}, 0)
    assert Answers(tmp_path, "r1", study).given[trial].complete(study)


def test_each_answer_is_synced_before_it_is_acknowledged(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (sync(file), sizes.append(os.fstat(file).st_size)))
    answers = Answers(tmp_path, "r1", study)
    for score in (1, 2):
        answers.add(study.trials[0].name, {"noise": score}, 1)
        assert len(sizes) == score
        assert sizes[-1] == (tmp_path / "r1.jsonl").stat().st_size


def test_a_line_cut_off_by_a_crash_costs_nothing_else(study: Study, tmp_path: Path) -> None:
    answers = Answers(tmp_path, "r1", study)
    answers.add(study.trials[0].name, {"noise": 2}, 1)
    file = tmp_path / "r1.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:-7])
    after = Answers(tmp_path, "r1", study)
    assert after.given[study.trials[0].name].answers == {"noise": 2}
    after.add(study.trials[1].name, {"noise": 5}, 1)
    assert file.read_bytes().startswith(whole)
    assert len(Answers(tmp_path, "r1", study).given) == 2


def test_two_programs_on_one_study_lose_nothing(study: Study, tmp_path: Path) -> None:
    one, other = Answers(tmp_path, "r1", study), Answers(tmp_path, "r1", study)
    for number, answers in enumerate((one, other, one)):
        answers.add(study.trials[number].name, {"noise": 3}, 1)
    assert len(Answers(tmp_path, "r1", study).given) == 3


@pytest.mark.parametrize(
    "line",
    [
        "not JSON",
        '{"trial": "nothing", "answers": {"noise": 3}, "seconds": 1}',
        '{"trial": "TRIAL", "answers": {"noise": 6}, "seconds": 1}',
        '{"trial": "TRIAL", "answers": {"noise": true}, "seconds": 1}',
        '{"trial": "TRIAL", "answers": {"report": 1}, "seconds": 1}',
        '{"trial": "TRIAL", "answers": {"taste": 3}, "seconds": 1}',
        '{"trial": "TRIAL", "answers": {"noise": 3}, "seconds": -1}',
        '{"trial": "TRIAL", "answers": {"noise": 3}}',
        "[]",
        "\udcff",
    ],
)
def test_a_damaged_line_is_named(line: str, study: Study, tmp_path: Path) -> None:
    Answers(tmp_path, "r1", study).add(study.trials[0].name, {"noise": 2}, 1)
    with (tmp_path / "r1.jsonl").open("ab") as file:
        file.write(line.replace("TRIAL", study.trials[0].name).encode(errors="surrogateescape") + b"\n")
    with pytest.raises(InputError, match=r"r1\.jsonl are damaged in line 2"):
        readers_of(tmp_path, study)


def test_where_it_cannot_be_saved_it_is_said_and_not_counted(study: Study, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    answers = Answers(tmp_path / "file", "r1", study) if os.name == "nt" else Answers(tmp_path / "r", "r1", study)
    (tmp_path / "r").write_text("in the way")
    with pytest.raises(OutputError, match="could not be saved"):
        answers.add(study.trials[0].name, {"noise": 2}, 1)
    assert answers.given == {}


@pytest.mark.parametrize("alias", ["", "  ", "../r1", "a b", "r1.", "-r", "x" * 33, "a/b"])
def test_an_alias_is_a_plain_word(alias: str) -> None:
    with pytest.raises(InputError, match="alias"):
        alias_of(alias)


def test_an_alias_is_the_same_however_it_is_typed() -> None:
    assert alias_of(" Reader_1 ") == alias_of("READER_1") == "reader_1"
    assert alias_of("Jürgen") == alias_of("Ju\u0308rgen")
