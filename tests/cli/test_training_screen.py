"""What people see of a running training."""

from io import StringIO

from rich.console import Console

from demottle.cli.train.screen import TrainingScreen
from demottle.learning.observing import Report


def report(step: int, loss: float, part: str = "") -> Report:
    return Report(step, 100, {"generator/identity": loss}, 1.0, 60.0, 200.0, validation=0.5, part=part)


def test_the_table_shows_losses_and_time_left() -> None:
    screen = TrainingScreen(live=False)
    for step in range(10, 60, 10):
        screen(report(step, 1 / step))
    console = Console(width=100, record=True, file=StringIO())
    console.print(screen.picture())
    text = console.export_text()
    assert "step 50 of 100" in text and "3:20\u00a0min left" in text
    assert "generator/identity" in text and "0.02000" in text and "criterion" in text


def test_elsewhere_a_line_now_and_then(capsys) -> None:  # type: ignore[no-untyped-def]
    times = iter([0.0, 5.0, 25.0, 25.0, 26.0])
    with TrainingScreen(live=False, now=lambda: next(times)) as screen:
        for step in (10, 20, 30):
            screen(report(step, 0.1))
    said = capsys.readouterr().err
    assert said.count("Training: step") == 1 and "step 20 of 100" in said
    assert "30 steps" in said


def test_the_time_left_of_a_part_is_not_said_of_all() -> None:
    screen = TrainingScreen(live=False)
    screen(report(90, 7.0, "warm-up"))
    assert screen.line().startswith("Training, warm-up: step 90 of 100, about 3:20\u00a0min left for this part")
    screen(report(10, 0.5))
    assert screen.line().startswith("Training: step 10 of 100, about 3:20\u00a0min left;")


def test_a_curve_begins_anew_with_the_training() -> None:
    def drawn(*reports: Report) -> str:
        screen = TrainingScreen(live=False)
        for one in reports:
            screen(one)
        console = Console(width=100, record=True, file=StringIO())
        console.print(screen.picture())
        return console.export_text()

    training = [report(10, 0.5), report(20, 0.4)]
    assert drawn(report(90, 70.0, "warm-up"), *training) == drawn(*training)
