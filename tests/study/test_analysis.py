"""Three readers of known behavior answer over HTTP, and the analysis finds what they were told to do."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.study.conftest import Made, asked, key_of, served
from tests.study.simulated import Reader

from demottle.errors import InputError
from demottle.study.analysis import Analysis, analyse, load
from demottle.study.application import Application
from demottle.study.comparing import BETTER, INFERIOR, MAJORITY, NON_INFERIOR, NOT_SHOWN, WORSE
from demottle.study.files import key_file

EFFECT = {"noise": 1.2, "sharpness": 0.0, "texture": -0.9, "artifacts": 0.0, "confidence": 0.4}
READERS = {"r1": (0.0, 0.3), "r2": (0.4, 0.3), "careless": (-0.3, 0.8)}


def readers() -> list[Reader]:
    return [Reader(name, EFFECT, habit, error) for name, (habit, error) in READERS.items()]


def answered(folder: Path, most: int | None = None) -> None:
    app = Application(folder)
    key = key_of(folder, app.study)
    with served(app) as address:
        for reader in readers():
            reader.read(app.study, key, partial(asked, address), most)


@pytest.fixture(scope="session")
def analyses(studies: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Analysis]:
    """The analysis of a design, each read once."""
    known: dict[str, Analysis] = {}

    def analysis(design: str) -> Analysis:
        if design not in known:
            folder = tmp_path_factory.mktemp("read") / "study"
            source = studies(f'{{"slices": 1, "design": "{design}", "repeats": 8, "seed": 0}}')
            shutil.copytree(source, folder)
            shutil.copy(key_file(source), key_file(folder))
            answered(folder)
            known[design] = analyse(load(folder), resamples=1000)
        return known[design]

    return analysis


@pytest.mark.parametrize("design", ["single", "pairs"])
def test_the_effect_that_was_put_in_is_found(design: str, analyses: Callable[[str], Analysis]) -> None:
    found = analyses(design)
    assert (found.cases, found.scans, found.readers) == (14, 14, ("careless", "r1", "r2"))
    for gain in found.gains:
        assert gain.mean.value == pytest.approx(EFFECT[gain.item], abs=0.25), gain.item
        assert gain.mean.ci_low - 0.1 <= EFFECT[gain.item] <= gain.mean.ci_high + 0.1
    verdicts = {gain.item: gain.verdict for gain in found.gains}
    assert verdicts["noise"] == BETTER
    assert verdicts["texture"] in (WORSE, INFERIOR)
    assert {verdicts["sharpness"], verdicts["artifacts"]} <= {NON_INFERIOR, NOT_SHOWN}
    noise = next(gain for gain in found.gains if gain.item == "noise")
    assert noise.p_holm < 0.01
    assert noise.p_holm == pytest.approx(5 * noise.p)


@pytest.mark.parametrize("design", ["single", "pairs"])
def test_the_careless_reader_is_known_by_what_was_shown_twice(design: str, analyses: Callable[[str], Analysis]) -> None:
    own = {one.reader: one for one in analyses(design).self_agreement}
    assert {one.repeats for one in own.values()} == {8}
    assert own["careless"].kappa < min(own["r1"].kappa, own["r2"].kappa)
    assert own["careless"].same < min(own["r1"].same, own["r2"].same)


def test_yes_and_no_are_compared_on_the_same_cases(analyses: Callable[[str], Analysis]) -> None:
    majority, *single = analyses("single").yes_no
    assert (majority.reader, majority.cases) == (MAJORITY, 14)
    assert majority.yes > majority.yes_reference
    assert majority.only_arm > majority.only_reference
    assert [one.reader for one in single] == ["careless", "r1", "r2"]


def test_agreement_is_that_of_readers_who_see_the_same(analyses: Callable[[str], Analysis]) -> None:
    noise = next(one for one in analyses("single").agreement if one.item == "noise")
    assert noise.things == 28
    assert 0.3 < noise.icc.value < 0.9
    assert 0.3 < noise.kappa < 0.9
    assert noise.within_one > 0.8


def test_time_is_told(analyses: Callable[[str], Analysis]) -> None:
    told = analyses("single").reading
    assert told
    for one in told:
        assert (one.trials, one.seconds, one.too_fast) == (36, 20.0, 0)


def test_another_reference_turns_the_sign(made: Made) -> None:
    folder = made(repeats=0)
    answered(folder)
    ratings = load(folder)
    ahead, behind = analyse(ratings, resamples=200), analyse(ratings, "clean", resamples=200)
    for one, other in zip(ahead.gains, behind.gains, strict=True):
        assert other.mean.value == pytest.approx(-one.mean.value)
        assert other.p == pytest.approx(one.p)
    with pytest.raises(InputError, match="'nlm' is not an arm of this study; choose one of original, clean"):
        analyse(ratings, "nlm")


def test_what_is_not_finished_is_left_out_and_said(made: Made) -> None:
    folder = made(repeats=2)
    with pytest.raises(InputError, match="No reader has finished"):
        load(folder)
    answered(folder, most=20)
    found = analyse(load(folder), resamples=200)
    assert [one.trials for one in found.reading] == [20, 20, 20]
    assert sum("has not finished 10 cases of 30" in warning for warning in found.warnings) == 3
    answered(folder)  # they go on later
    assert not any("finished" in warning for warning in analyse(load(folder), resamples=200).warnings)


def test_cases_of_one_scan_count_once(made: Made) -> None:
    folder = made(repeats=0, per_scan=2)
    answered(folder)
    found = analyse(load(folder), resamples=200)
    assert (found.cases, found.scans) == (28, 14)
    assert {gain.scans for gain in found.gains} == {14}
    assert any("28 cases come from 14 scans" in warning for warning in found.warnings)


def test_one_reader_is_analyzed_with_a_warning(made: Made) -> None:
    folder = made(repeats=0)
    app = Application(folder)
    with served(app) as address:
        readers()[0].read(app.study, key_of(folder, app.study), partial(asked, address))
    found = analyse(load(folder), resamples=200)
    assert found.agreement == ()
    assert len(found.yes_no) == 1
    assert any("one reader only" in warning for warning in found.warnings)
