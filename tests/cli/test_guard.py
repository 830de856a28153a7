"""From exceptions to sentences and exit codes."""

import pytest
import typer

from demottle.cli.screen import guard
from demottle.cli.screen.guard import OPTIONS, guarded
from demottle.errors import InputError


def run(error: BaseException, debug: bool = False) -> int:
    @guarded
    def verb(debug: bool) -> None:
        raise error

    with pytest.raises(typer.Exit) as stop:
        verb(debug=debug)
    return int(stop.value.exit_code)


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError("The window is [-160, 240]; use another."), 2, "Error: The window is [-160, 240]; use another."),
        (
            PermissionError(13, "Permission denied", "/a/b"),
            2,
            "Error: The operating system refused: Permission denied (/a/b).",
        ),
        (OSError(28, "No space left on device"), 2, "Error: The operating system refused: No space left on device."),
        (MemoryError(), 2, "Error: There is not enough memory"),
        (ModuleNotFoundError("No module", name="nibabel.nifti1"), 2, "Error: This needs the package nibabel, which is"),
        (ModuleNotFoundError("No module", name="cv2"), 2, "Error: This needs the package opencv-python-headless"),
        (ModuleNotFoundError("No module", name="demottle.nowhere"), 1, "Error: This is a bug in demottle"),
        (ZeroDivisionError("division by zero"), 1, "Error: This is a bug in demottle (ZeroDivisionError"),
        (KeyboardInterrupt(), 130, "Stopped, nothing was written."),
        (KeyboardInterrupt("Stopped. 1 of 2 scans"), 130, "Stopped. 1 of 2 scans"),
    ],
)
def test_each_failure_has_one_sentence_and_its_code(
    error: BaseException, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(error) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.strip().startswith(sentence)
    assert "Traceback" not in shown.err
    assert len(shown.err.strip().splitlines()) == 1


def test_debug_shows_where_it_happened(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ZeroDivisionError("division by zero"), debug=True) == 1
    assert "Traceback" in capsys.readouterr().err


def test_the_option_that_helps_is_named_where_the_verb_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    @guarded
    def verb(spacing: str | None, debug: bool) -> None:
        raise InputError("a.npy states no voxel size; give the spacing in mm.", remedy="spacing")

    @guarded
    def other(debug: bool) -> None:
        raise InputError("a.npy states no voxel size; give the spacing in mm.", remedy="spacing")

    for run_it in (lambda: verb(spacing=None, debug=False), lambda: other(debug=False)):
        with pytest.raises(typer.Exit):
            run_it()
    first, second = capsys.readouterr().err.strip().splitlines()
    assert first.endswith("give the spacing in mm. Use --spacing Z,Y,X.")
    assert second.endswith("give the spacing in mm.")


def test_every_option_that_an_error_can_name_is_one_of_a_verb() -> None:
    from inspect import signature

    from demottle.cli.benchmark.command import benchmark
    from demottle.cli.denoise.command import denoise
    from demottle.cli.phantom.command import phantom
    from demottle.cli.stream.command import stream
    from demottle.cli.train.command import train

    of_scans = set(OPTIONS) - {"raw", "allow_mixed", "date", "kind", "data"}
    assert of_scans <= set(signature(denoise).parameters)
    assert "data" in signature(benchmark).parameters
    assert {"date", "kind"} <= set(signature(phantom).parameters)
    assert "raw" in signature(stream).parameters
    assert "allow_mixed" in signature(train).parameters


@pytest.mark.parametrize("error", [InputError("The two folders are the same."), typer.BadParameter("is no preset")])
def test_of_several_processes_the_first_says_what_all_of_them_refuse(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    @guarded
    def verb() -> None:
        raise error

    monkeypatch.setattr(guard.time, "sleep", waited.append)
    for rank, others in (("0", "2"), ("1", "2"), ("1", "1")):  # a rank without others is somebody else's
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("WORLD_SIZE", others)
        with pytest.raises((typer.Exit, typer.BadParameter)):
            verb()
    assert len(waited) == 1 and waited[0] > 2  # torchrun looks after its processes ten times a second
