"""Progress for people."""

import io
import json
from math import nan

import pytest
from rich.console import Console

from demottle.cli.screen import console, progress, whole_job
from demottle.cli.screen.progress import Bars, Lines, clock, words_of
from demottle.events import Progress, Stage


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def learn(listener: Lines | Bars, moves: Clock, until: int, total: int = 100, seconds: float = 1.0) -> None:
    for done in range(until + 1):
        listener(Progress(Stage.LEARN, done, total, "loss 0.1 [x]"))
        moves.time += seconds


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.replace("\u00a0", " ").splitlines()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.9, "9.9 s"), (59.6, "1:00 min"), (61, "1:01 min"), (3725, "1:02:05 h")]
)
def test_durations_read_like_durations(seconds: float, text: str) -> None:
    assert clock(seconds).replace("\u00a0", " ") == text


def test_lines_come_now_and_then_with_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    moves = Clock()
    with Lines(moves) as listener:
        learn(listener, moves, until=100)
    lines = said(capsys)
    assert lines[0] == "Learning: 20 %, about 1:20 min left"
    assert lines[-1] == "Learning: done in 1:41 min"
    assert len(lines) == 5


def test_a_stage_that_knows_better_says_how_long_it_takes_or_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    moves = Clock()
    with Lines(moves) as listener:
        for done, left in ((0, nan), (1, nan), (2, 90.0)):
            listener(Progress(Stage.BENCHMARK, done, 4, left=left))
            moves.time += 25
    assert said(capsys)[:2] == ["Comparing: 25 %", "Comparing: 50 %, about 1:30 min left"]


def test_a_stage_that_stops_early_is_over_when_the_next_begins(capsys: pytest.CaptureFixture[str]) -> None:
    moves = Clock()
    with Lines(moves) as listener:
        learn(listener, moves, until=10)
        listener(Progress(Stage.APPLY, 0, 1))
        moves.time += 3
        listener(Progress(Stage.APPLY, 1, 1))
    assert said(capsys) == ["Learning: done in 11 s", "Denoising: done in 3.0 s"]
    assert listener.seconds == {"learn": 11.0, "apply": 3.0}


def test_stages_add_up_to_the_time_of_the_clock_and_none_is_left_out() -> None:
    moves = Clock()
    moves.time += 1
    with Lines(moves) as listener:
        listener.began(0.0)  # packages were loaded before there was a listener
        with listener.stage(Stage.READ):
            moves.time += 2
        moves.time += 3  # the first step, after which learning reports for the first time
        listener(Progress(Stage.LEARN, 1, 2))
        moves.time += 4
        listener(Progress(Stage.LEARN, 2, 2))
        moves.time += 5  # a validation of what was learned
        listener(Progress(Stage.APPLY, 0, 1))
        moves.time += 6
        listener(Progress(Stage.APPLY, 1, 1))
        moves.time += 7  # what the program does before it ends
    assert listener.seconds == {"read": 3.0, "learn": 12.0, "apply": 13.0}
    assert sum(listener.seconds.values()) == moves.time


def test_a_stage_that_comes_again_counts_what_it_took_each_time() -> None:
    moves = Clock()
    with Lines(moves) as listener:
        for stage in (Stage.MEASURE, Stage.LEARN, Stage.MEASURE):
            listener(Progress(stage, 0, 1))
            moves.time += 2
    assert listener.seconds == {"measure": 4.0, "learn": 2.0}


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_is_told_as_what_happens_and_is_a_plain_name_in_records(stage: Stage) -> None:
    assert stage.words.split()[0].endswith("ing") and stage.words[0].isupper()
    assert json.loads(json.dumps({stage: 1})) == {stage.value: 1} and f"{stage}" == stage.value
    assert Stage(stage.value) is stage


def test_ct_keeps_its_capitals_within_a_sentence() -> None:
    assert [words_of(stage) for stage in (Stage.CALIBRATE, Stage.LEARN)] == ["keeping CT numbers", "learning"]


def test_bars_show_every_stage_and_survive_any_note(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(progress, "err", screen)
    moves = Clock()
    with Bars(moves) as listener:
        with listener.stage(Stage.READ):
            moves.time += 1
        learn(listener, moves, until=50)
        listener._progress.refresh()  # now, not at the next tick
        listener(Progress(Stage.WARM_UP, 1, 2))
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    for title in ("Reading", "Learning", "Learning from simulated noise", "loss 0.1 [x]"):
        assert title in shown


def test_the_screen_is_given_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(progress, "err", screen)
    with pytest.raises(KeyboardInterrupt), Bars() as listener:
        listener(Progress(Stage.LEARN, 1, 2))
        raise KeyboardInterrupt
    assert screen.file.getvalue().rstrip("\n").endswith("\x1b[?25h")  # type: ignore[attr-defined]


def test_without_a_terminal_there_are_no_bars() -> None:
    assert not console.err.is_terminal
    assert isinstance(progress.watch(), Lines)


def test_the_whole_job_is_as_long_as_its_stages_on_a_machine_that_is_twice_as_slow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = {"tv": {"start": (2, 0), "measure": (100, 0), "apply": (0, 50), "report": (30, 0), "write": (0, 10)}}
    monkeypatch.setattr(whole_job, "_table", lambda: table)
    moves = Clock()
    with Lines(moves) as listener:
        listener.denoises(2_000_000)
        listener(Progress(Stage.MEASURE, 0, 1))
        moves.time += 204  # as slow again as the table's machine
        listener(Progress(Stage.MEASURE, 1, 1, method="tv"))
        for done in range(3):
            listener(Progress(Stage.APPLY, done, 4))
            moves.time += 50
    said_of_half = next(line for line in said(capsys) if line.startswith("Denoising: 50 %"))
    # 100 s of denoising, then twice 30 s of drawing and twice 20 s of writing
    assert said_of_half == "Denoising: 50 %, about 3:21 min left in all"


def test_of_a_method_that_is_not_in_the_table_only_the_stage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    moves = Clock()
    with Lines(moves) as listener:
        listener.denoises(2_000_000)
        listener(Progress(Stage.MEASURE, 1, 1, method="my-own"))
        learn(listener, moves, until=100)
    assert said(capsys)[0] == "Learning: 20 %, about 1:20 min left"


def test_every_default_for_ct_has_its_times() -> None:
    for method in ("guided-bayes", "matched-neighbors", "spectral-wiener", "nl-bayes"):
        job = whole_job.WholeJob.of(method, 1_000_000)
        assert job is not None
        assert job.left({}, Stage.MEASURE, None) > 1


def test_bars_tell_the_whole_job_below_until_it_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(whole_job, "_table", lambda: {"tv": {"measure": (5, 0), "apply": (60, 0)}})
    monkeypatch.setattr(progress, "err", Console(file=io.StringIO(), force_terminal=True, width=100))
    moves = Clock()
    with Bars(moves) as listener:
        listener.denoises(1)
        listener(Progress(Stage.MEASURE, 0, 1))
        listener(Progress(Stage.MEASURE, 1, 1, method="tv"))
        assert "left in all" in _drawn(listener)
    assert "left in all" not in _drawn(listener)


def _drawn(listener: Bars) -> str:
    screen = Console(file=io.StringIO(), width=100)
    screen.print(*listener._progress.get_renderables())
    return screen.file.getvalue()  # type: ignore[attr-defined]
