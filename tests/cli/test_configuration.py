"""`demottle.toml` and the options of how the program speaks."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Demottle


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_options_come_from_the_file_and_what_is_typed_wins(here: Path, simulated: Path, demottle: Demottle) -> None:
    (here / "demottle.toml").write_text(
        '[denoise]\nmethod = "gaussian"\nset = ["sigma=0.3"]\nseed = 7\nno-report = true\n[limits]\nnoise = 0.9\n'
    )
    done = demottle("denoise", simulated / "scan", "-o", "a", "--seed", 8, "--json")
    assert done.exit_code == 3, done.output
    assert "Options from demottle.toml." in done.stderr
    assert "beyond the limit of 0.9" in " ".join(done.stderr.split())  # the file's own limit
    done = demottle("denoise", simulated / "scan", "-o", "b", "--seed", 8, "--set", "sigma=0.8", "--force", "--json")
    record = json.loads(done.stdout)
    assert (record["method"], record["seed"], record["settings"]["sigma"]) == ("gaussian", 8, 0.8)
    assert not (here / "b-report").exists()
    done = demottle("denoise", simulated / "scan", "-o", "c", "--quiet", "--set", "sigma=0.8", "--force")
    assert done.exit_code == 0 and "Options from" not in done.stderr, done.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[denoise]\nmethd = 'nl-bayes'\n",
            "methd in [denoise] of demottle.toml is not an option of that verb. Did you mean method?",
        ),
        ("[denoize]\n", "[denoize] in demottle.toml names no verb of demottle. Did you mean denoise?"),
        ("[simulate.phantm]\n", "[simulate.phantm] in demottle.toml names no verb of demottle. Did you mean phantom?"),
        ("denoise = 3\n", "denoise in demottle.toml has to be a table"),
        ("[denoise]\nseed = [1, 2]\n", "seed in [denoise] of demottle.toml takes one value"),
        ("limits = 3\n", "limits in demottle.toml has to be a table"),
        ("[denoise\n", "demottle.toml is not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(here: Path, text: str, said: str, demottle: Demottle) -> None:
    (here / "demottle.toml").write_text(text)
    done = demottle("methods")
    assert done.exit_code == 2 and said in " ".join(done.stderr.split()), done.output


def test_a_file_that_was_named_has_to_be_there(here: Path, demottle: Demottle) -> None:
    done = demottle("--config", "mine.toml", "methods")
    assert done.exit_code == 2 and "mine.toml cannot be read" in " ".join(done.stderr.split())


def test_quiet_says_nothing_and_the_log_says_it_all(here: Path, simulated: Path, demottle: Demottle) -> None:
    command = ("denoise", simulated / "scan", "--method", "gaussian", "--set", "sigma=0.3", "--force", "--no-report")
    done = demottle(*command, "-o", "a", "-q", "--log-file", "log.txt")
    assert done.exit_code == 0 and done.stdout == ""
    assert "done in" not in done.stderr
    log = (here / "log.txt").read_text()
    assert "note Denoising: done in" in log
    assert [line.split()[1] in ("note", "warning") for line in log.splitlines()] == [True] * len(log.splitlines())
    loud = demottle(*command, "-o", "b")
    assert "noise level" in loud.stdout and "done in" in loud.stderr  # the next one speaks again
    again = demottle(*command, "-o", "a", "-q", "--log-file", "log.txt")
    assert again.exit_code == 2 and "a exists already" in again.stderr
    assert (here / "log.txt").read_text().startswith(log) and "error a exists already" in (here / "log.txt").read_text()


def test_a_log_that_cannot_be_written_is_refused(here: Path, demottle: Demottle) -> None:
    done = demottle("methods", "--log-file", here / "none" / "log.txt")
    assert done.exit_code == 2 and "cannot be written" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("methods", "nl-bays"), "Did you mean nl-bayes?"),
        (("benchmark", "--suite", "ct-volum"), "Did you mean ct-volume?"),
        (("train", "pdlm", "--low", ".", "--full", ".", "-o", "m"), "Did you mean pdml?"),
    ],
)
def test_what_was_meant_is_named(here: Path, arguments: tuple[str, ...], said: str, demottle: Demottle) -> None:
    done = demottle(*arguments)
    assert done.exit_code == 2 and said in " ".join(done.stderr.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_verbs(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import subprocess
    import sys

    typed = {"COMP_WORDS": "demottle den", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "demottle den"}
    asked = {
        **os.environ,
        **typed,
        "_DEMOTTLE_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    code = "import sys; sys.argv[0] = 'demottle'; from demottle.cli.app import app; app(prog_name='demottle')"
    done = subprocess.run([sys.executable, "-c", code], env=asked, capture_output=True, text=True, check=False)
    assert "denoise" in done.stdout, done.stderr
