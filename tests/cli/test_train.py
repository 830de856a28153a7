"""`demottle train`: two folders in, a model out that `denoise` applies; stopped, resumed, refused with a sentence."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Demottle
from tests.methods.small_sets import scan_of

SCAN = ("--preset", "small", "--modality", "CT", "--spacing", "3,2.2,2.2")
SMALL = (
    *SCAN,
    *("--set", "features=8", "--set", "growth=2", "--set", "batch=2", "--set", "warm_up=2"),
)


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    for name, numbers, level in (("low", (0, 1), 40.0), ("full", (2, 3), 10.0)):
        (tmp_path / name).mkdir()
        for number in numbers:
            np.save(tmp_path / name / f"Miller{number}.npy", scan_of(number, level).voxels)
    return tmp_path / "low", tmp_path / "full"


def test_from_two_folders_to_a_denoised_scan(sides: tuple[Path, Path], tmp_path: Path, demottle: Demottle) -> None:
    low, full = sides
    model = tmp_path / "liver.safetensors"
    done = demottle(
        *("train", "pdml", "--low", low, "--full", full, "-o", model, "--steps", 4, *SMALL),
        *("--pictures", 2, "--tensorboard", "--json"),
    )
    assert done.exit_code == 0, done.output
    fitted = json.loads(done.stdout)["fitted"]
    assert fitted["steps"] == 4 and fitted["patients"] == {"low": 1, "full": 1}
    traces = tmp_path / "liver-training"
    assert sorted(path.name for path in traces.iterdir()) == ["manifest.json", "pictures", "tensorboard"]
    manifest = json.loads((traces / "manifest.json").read_text())
    assert sorted(one["used_for"] for one in manifest["low"]) == ["learning", "validation"]
    assert len(list((traces / "pictures").glob("*.png"))) == 4
    assert list((traces / "tensorboard").iterdir())

    # Four steps are no training, and who trains has to hear it.
    assert fitted["simulated_noise_left"] > 0.95
    assert "removes hardly any noise" in " ".join(done.stderr.split())

    finer = tmp_path / "finer.safetensors"
    begin = ("train", "pdml", "--low", low, "--full", full, "-o", finer, "--from", model, *SMALL, "--pictures", 0)
    wider = demottle(*begin, "--set", "features=16")
    assert wider.exit_code == 2 and "other network settings (features=8)" in " ".join(wider.stderr.split())
    other = demottle("train", "cut", *begin[2:8], "--from", model)
    assert other.exit_code == 2 and "is of pdml, but cut is trained" in " ".join(other.stderr.split())
    tuned = demottle(*begin, "--steps", 1, "--json")
    assert tuned.exit_code == 0, tuned.output
    assert json.loads(tuned.stdout)["fitted"]["began_with"] == json.loads(done.stdout)["model_hash"]
    assert json.loads(done.stdout)["model_hash"][:12] in demottle("models", "show", finer).stdout

    shown = demottle("models", "show", model)
    assert "of what was simulated" in " ".join(shown.stdout.split())
    assert shown.exit_code == 0 and "pdml" in shown.stdout and "noise levels" in shown.stdout
    assert json.loads(demottle("models", "show", model, "--json").stdout)["fitted"]["steps"] == 4

    scan = (low / "Miller0.npy", "--modality", "CT", "--spacing")
    inside = demottle(
        "denoise", *scan, "3,2.2,2.2", "-o", tmp_path / "out.npy", "--model", model, "--force", "--no-report"
    )
    assert inside.exit_code == 0, inside.output
    assert np.load(tmp_path / "out.npy").shape == (3, 96, 96)
    outside = demottle(
        "denoise", *scan, "3,0.5,0.5", "-o", tmp_path / "o2.npy", "--model", model, "--force", "--no-report"
    )
    assert "the model was fitted at 2.20 mm" in " ".join(outside.stderr.split())


def test_a_setting_makes_pairs_of_the_two_folders(tmp_path: Path, demottle: Demottle) -> None:
    for side, level in (("low", 40.0), ("full", 10.0)):
        (tmp_path / side).mkdir()
        for number in range(2):
            np.save(tmp_path / side / f"patient{number}.npy", scan_of(number, level).voxels)
    model, scan = tmp_path / "m.safetensors", tmp_path / "low" / "patient0.npy"
    command = ["train", "ascon", "--low", tmp_path / "low", "--full", tmp_path / "full", "-o", model, "--steps", 1]
    command += ["--preset", "small", "--modality", "CT", "--spacing", "3,2.2,2.2", "--set", "pairs=true"]
    done = demottle(*command, "--set", "channels=8", "--set", "batch=2", "--set", "warm_up=2", "--pictures", 0)
    assert done.exit_code == 0, done.output
    given = ("--modality", "CT", "--spacing", "3,2.2,2.2", "--force", "--no-report")
    applied = demottle("denoise", scan, "-o", tmp_path / "out.npy", "--model", model, *given)
    assert applied.exit_code == 0 and np.load(tmp_path / "out.npy").shape == (3, 96, 96)
    (tmp_path / "full" / "patient1.npy").rename(tmp_path / "full" / "other.npy")
    refused = demottle(*command, "--overwrite")
    assert refused.exit_code == 2 and "pairs need the same names" in " ".join(refused.output.split())


def test_full_dose_alone_then_any_dose(sides: tuple[Path, Path], tmp_path: Path, demottle: Demottle) -> None:
    low, full = sides
    model, scan, given = tmp_path / "m.safetensors", low / "Miller0.npy", ("--modality", "CT", "--spacing", "3,2.2,2.2")
    small = ("--preset", "small", "--set", "channels=4", "--set", "patch=32", "--pictures", 2, *given)
    done = demottle("train", "dose-diffusion", "--full-dose", full, "-o", model, "--steps", 2, *small, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["fitted"]["patients"] == {"full": 1}
    manifest = json.loads((tmp_path / "m-training" / "manifest.json").read_text())
    assert "low" not in manifest and len(manifest["full"]) == 2
    assert len(list((tmp_path / "m-training" / "pictures").glob("*.png"))) == 2
    to, spread = tmp_path / "half.npy", tmp_path / "spread.npy"
    chosen = ("--set", "target=0.5", "--set", "passes=2", "--spread", spread)
    half = demottle("denoise", scan, "-o", to, "--model", model, *given, *chosen, "--force", "--json")
    assert half.exit_code == 0, half.output
    told = json.loads(half.stdout)
    assert (told["settings"]["target"], told["settings"]["passes"]) == (0.5, 2)
    assert told["files"]["spread"] == str(spread) and told["spread"]["unit"] == "HU"
    tenths = np.load(spread)
    assert tenths.shape == (3, 96, 96) and np.array_equal(tenths, np.rint(tenths)) and not tenths[:, :4].any()
    for wrong, said in (
        (("--set", "channels=8"), "cannot be given with a model of dose-diffusion"),
        (("--set", "target=0"), "target is 0"),
        (("--method", "pdml"), "brings its own method"),
    ):
        refused = demottle("denoise", scan, "-o", tmp_path / "x.npy", "--model", model, *given, *wrong)
        assert refused.exit_code == 2 and said in " ".join(refused.output.split())
    alone = demottle("denoise", scan, "-o", tmp_path / "x.npy", *given, "--spread", tmp_path / "y.npy")
    assert alone.exit_code == 2 and "give one with --model" in plain(alone.output)


def test_who_needs_low_dose_scans_says_so_and_who_does_not_refuses_them(
    sides: tuple[Path, Path], tmp_path: Path, demottle: Demottle
) -> None:
    low, full = sides
    without = demottle("train", "pdml", "--full", full, "-o", tmp_path / "m.safetensors")
    assert without.exit_code == 2 and "pdml needs low-dose scans too" in plain(without.output)
    idle = demottle("train", "dose-diffusion", "--low", low, "--full", full, "-o", tmp_path / "m.safetensors")
    assert idle.exit_code == 2 and "learns from full-dose scans alone" in plain(idle.output)


def plain(said: str) -> str:
    """A sentence without the box around it, however its lines were broken."""
    return " ".join(said.replace("│", " ").split())


def test_what_was_stopped_goes_on(
    sides: tuple[Path, Path], tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demottle.learning import training

    low, full = sides
    command = ["--low", low, "--full", full, "--steps", 4, "--save-every", 2, "--pictures", 0, *SMALL]
    assert demottle("train", "pdml", *command, "-o", tmp_path / "whole.safetensors").exit_code == 0
    model = tmp_path / "stopped.safetensors"
    report = training._Training.report

    def stop(self: training._Training, *arguments: object) -> None:
        if self.history.step == 4:
            raise KeyboardInterrupt
        report(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(training._Training, "report", stop)
        stopped = demottle("train", "pdml", *command, "-o", model)
    assert stopped.exit_code == 130 and "--resume" in stopped.stderr
    assert not model.exists()
    unfinished = demottle("train", "pdml", *command, "-o", model)
    assert unfinished.exit_code == 2 and "unfinished" in unfinished.stderr
    resumed = demottle("train", "pdml", *command, "-o", model, "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert model.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_checkpoint_of_the_step_it_came_in(
    number: signal.Signals,
    code: int,
    sides: tuple[Path, Path],
    tmp_path: Path,
    demottle: Demottle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from demottle.learning import training

    low, full = sides
    command = [
        "--low",
        low,
        "--full",
        full,
        "--steps",
        4,
        "--pictures",
        0,
        *SMALL,
    ]  # no checkpoint of its own before the end
    assert demottle("train", "pdml", *command, "-o", tmp_path / "whole.safetensors").exit_code == 0
    model = tmp_path / "stopped.safetensors"
    step = training._Training.step

    def signaled(self: training._Training) -> None:
        if self.history.step == 2:
            os.kill(os.getpid(), number)  # in the middle of the third step, which is finished all the same
        step(self)

    with monkeypatch.context() as patch:
        patch.setattr(training._Training, "step", signaled)
        stopped = demottle("train", "pdml", *command, "-o", model)
    assert stopped.exit_code == code
    if number == signal.SIGINT:
        said = "".join(stopped.stderr.split())  # however the lines were broken
        assert "stopped-training" in said and "--resume" in said
    traces = tmp_path / "stopped-training"
    assert not model.exists() and (traces / "checkpoint.safetensors").exists() and (traces / "cache").exists()
    assert json.loads((traces / "manifest.json").read_text())["seed"] == 0
    resumed = demottle("train", "pdml", *command, "-o", model, "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert model.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert [path.name for path in traces.iterdir()] == ["manifest.json"]


def test_what_fails_leaves_no_slices_behind(sides: tuple[Path, Path], tmp_path: Path, demottle: Demottle) -> None:
    low, full = sides
    (full / "Miller3.npy").unlink()
    model = tmp_path / "m.safetensors"
    command = ("train", "pdml", "--low", low, "--full", full, "-o", model, "--steps", 2, *SMALL)
    assert demottle(*command).exit_code == 2  # one patient on a side, known only once all have been read
    assert not (tmp_path / "m-training").exists()
    shared = tmp_path / "shared"
    assert demottle(*command, "--cache", shared).exit_code == 2
    assert shared.exists() and not (tmp_path / "m-training").exists()  # a cache of the user's own stays
    earlier = tmp_path / "m-training"
    earlier.mkdir()
    (earlier / "manifest.json").write_text("earlier")
    assert demottle(*command).exit_code == 2
    assert [path.name for path in earlier.iterdir()] == ["manifest.json"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "needs_low", "few"),
    [
        ("pdml", True, ("features=8", "growth=2", "batch=2", "warm_up=2")),
        ("ascon", True, ("batch=2", "warm_up=2")),
        ("dose-diffusion", False, ("batch=2",)),
    ],
)
def test_two_processes_train_what_one_does(
    method: str, needs_low: bool, few: tuple[str, ...], sides: tuple[Path, Path], tmp_path: Path, demottle: Demottle
) -> None:
    from demottle.methods import load

    low, full = sides
    command = [*(("--low", low) if needs_low else ()), "--full", full, *SCAN, "--steps", 4, "--pictures", 0]
    command += [part for setting in few for part in ("--set", setting)]
    assert demottle("train", method, *command, "-o", tmp_path / "one.safetensors").exit_code == 0
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    both = [*torchrun, "-m", "demottle", "train", method, *command, "-o", tmp_path / "two.safetensors"]
    done = subprocess.run(list(map(str, both)), capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("two.safetensors") == 2  # said once, with the command that applies it
    one, two = (load(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    apart = np.concatenate([np.abs(two.tensors()[name] - value).ravel() for name, value in one.tensors().items()])
    # Four steps move a weight by up to 0.008; where a gradient is nearly zero, rounding alone decides its sign.
    assert np.quantile(apart, 0.99) < 5e-4


@pytest.mark.slow
def test_what_two_processes_refuse_is_said_once(sides: tuple[Path, Path], tmp_path: Path) -> None:
    low, full = sides
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "demottle", "train", "pdml", "--low", low, "-o", tmp_path / "m.safetensors", *SMALL]
    for more, said in (
        (("--full", low), "is given for both sides"),
        (("--full", full, "--set", "batch=3"), "cannot be shared evenly"),
        (("--full", full, "--preset", "none"), "has to be one of"),
    ):
        done = subprocess.run(
            list(map(str, [*command, *more])), capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode != 0 and done.stderr.count(said) == 1, done.stderr
        assert "bug in demottle" not in done.stderr


@pytest.mark.slow
def test_ctrl_c_with_two_processes_leaves_one_checkpoint_to_go_on_from(
    sides: tuple[Path, Path], tmp_path: Path
) -> None:
    from demottle.learning import checkpoint

    low, full = sides
    model = tmp_path / "stopped.safetensors"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = ["-m", "demottle", "train", "pdml", "--low", low, "--full", full, "--pictures", 0, *SMALL, "-o", model]
    whole = list(map(str, [*torchrun, *command, "--steps", 120, "--save-every", 5, "--set", "warm_up=0"]))
    running = subprocess.Popen(
        whole, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    traces = tmp_path / "stopped-training"
    deadline = time.monotonic() + 600
    while not (traces / "checkpoint.safetensors").exists() and time.monotonic() < deadline and running.poll() is None:
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)  # a terminal tells every process of the group
    said, _ = running.communicate(timeout=600)
    assert running.returncode != 0 and not model.exists(), said
    assert "--resume" in said
    _, header = checkpoint.read(traces / "checkpoint.safetensors")
    assert 0 < header["history"]["step"] < 120
    resumed = subprocess.run([*whole, "--resume"], check=False, timeout=1200, capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert model.exists() and [path.name for path in traces.iterdir()] == ["manifest.json"]


def test_what_cannot_be_trained_is_one_sentence(sides: tuple[Path, Path], tmp_path: Path, demottle: Demottle) -> None:
    low, full = sides
    model = tmp_path / "m.safetensors"

    def refused(method: str, low: Path, full: Path, model: Path, *more: object) -> str:
        result = demottle("train", method, "--low", low, "--full", full, "-o", model, *SMALL, *more)
        assert result.exit_code == 2
        return " ".join(result.stderr.split())

    assert "both sides" in refused("pdml", low, low, model)
    assert "no folder" in refused("pdml", tmp_path / "none", full, model)
    assert "needs no training" in refused("ns-n2n", low, full, model)
    unknown = refused("nothing", low, full, model)
    assert "no method" in unknown and "pdml" in unknown and "ns-n2n" not in unknown
    assert "lies inside the input folder" in refused("pdml", low, full, low / "m.safetensors")
    assert "lies inside the input folder" in refused("pdml", low, full, model, "--cache", full / "cache")
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(
        ["low", "full", *(f"Miller{number}.npy" for number in range(4))]
    )
    assert ".safetensors" in refused("pdml", low, full, tmp_path / "m.pt")
    assert "no checkpoint" in refused("pdml", low, full, model, "--resume")
    assert "multiple" in refused("pdml", low, full, model, "--set", "patch=17")
    assert not model.exists()
    (tmp_path / "m-training").write_text("")
    assert "is a file" in refused("pdml", low, full, model)


def test_denoise_says_that_it_has_to_be_trained(sides: tuple[Path, Path], tmp_path: Path, demottle: Demottle) -> None:
    result = demottle("denoise", sides[0] / "Miller0.npy", "-o", tmp_path / "o.npy", "--method", "pdml")
    assert result.exit_code == 2 and "train a model first" in " ".join(result.stderr.split())


@pytest.mark.parametrize("content", [b"", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ", b"\xff" * 100])
def test_damaged_model_files_are_one_sentence(content: bytes, tmp_path: Path, demottle: Demottle) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    result = demottle("models", "show", tmp_path / "m.safetensors")
    assert result.exit_code == 2 and "Traceback" not in result.output
