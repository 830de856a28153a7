"""`demottle stream`: frames from anywhere, in order, and what became of them."""

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from tests.cli.conftest import Demottle
from typer.testing import CliRunner

from demottle import io as images
from demottle.cli import app
from demottle.methods.filters import recursive
from demottle.physics.fluoroscopy.acquisition import Exposure, Run, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom

FRAMES, SIDE = 8, 48


@pytest.fixture(scope="module")
def run() -> Run:
    return acquire(dynamic_phantom(FRAMES, SIDE, 15, seed=2, motion="slow").image, Exposure(24), seed=1)


@pytest.fixture(scope="module")
def expected(run: Run) -> np.ndarray:
    fitted = recursive.Recursive(recursive.RecursiveSettings(), {})
    return np.asarray(fitted(run.noisy).voxels)


@pytest.fixture(scope="module")
def cine(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run.dcm"
    images.write(run.noisy, path)
    return path


def bytes_of(frames: np.ndarray) -> bytes:
    return np.rint(frames).astype("<u2").tobytes()


def test_a_file_becomes_a_file_with_what_was_done_on_record(
    cine: Path, expected: np.ndarray, tmp_path: Path, demottle: Demottle
) -> None:
    result = demottle("stream", cine, "-o", tmp_path / "out.dcm", "--method", "recursive", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["method"], told["results"], told["dropped"], told["trouble"]) == ("recursive", FRAMES, [], None)
    assert 0 < told["latency"]["median_ms"] <= told["latency"]["p99_ms"] <= told["latency"]["worst_ms"]
    out = images.read(tmp_path / "out.dcm", accept_own_output=True)
    assert out.voxels == pytest.approx(expected, abs=0.51)
    assert out.history[-1].method == "recursive"
    again = demottle("stream", cine, "-o", tmp_path / "out.dcm", "--method", "recursive")
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_a_folder_that_is_written_becomes_another(
    run: Run, expected: np.ndarray, tmp_path: Path, demottle: Demottle
) -> None:
    from demottle.stream.sinks import FolderSink

    source = FolderSink(tmp_path / "in")
    for number, frame in enumerate(run.noisy.voxels):
        source(number, frame)
    source.end()
    result = demottle("stream", tmp_path / "in", "-o", f"{tmp_path}/out/", "--method", "recursive", "--policy", "slow")
    assert result.exit_code == 0, result.output
    assert f"{FRAMES}, 0 dropped" in result.stdout
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["END", *(f"frame-{n:06d}.npy" for n in range(FRAMES))]
    out = np.stack([np.load(tmp_path / "out" / name) for name in names[1:]])
    assert out == pytest.approx(expected, abs=1e-3)


def test_bytes_in_bytes_out(run: Run, expected: np.ndarray) -> None:
    command = ["stream", "-", "-o", "-", "--method", "recursive", "--raw", f"{SIDE}x{SIDE}xuint16", "--policy", "slow"]
    result = CliRunner().invoke(app, command, input=bytes_of(run.noisy.voxels))
    assert result.exit_code == 0, result.stderr
    out = np.frombuffer(result.stdout_bytes, "<u2").reshape(FRAMES, SIDE, SIDE)
    assert out == pytest.approx(expected, abs=0.51)


def test_the_middle_of_a_frame_keeps_what_came_before(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.raw"
    command = ["stream", "-", "-o", str(out), "--method", "recursive", "--raw", f"{SIDE}x{SIDE}xuint16"]
    result = CliRunner().invoke(app, [*command, "--policy", "slow"], input=bytes_of(run.noisy.voxels)[:-100])
    assert result.exit_code == 2
    assert f"middle of frame {FRAMES - 1}" in result.stderr
    assert out.stat().st_size == (FRAMES - 1) * SIDE * SIDE * 2


def test_a_connection_on_this_machine(run: Run, expected: np.ndarray, tmp_path: Path, demottle: Demottle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    def send() -> None:
        for _ in range(1000):
            try:
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.sendall(bytes_of(run.noisy.voxels))
                return
            except ConnectionRefusedError:
                time.sleep(0.02)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    out = tmp_path / "out.raw"
    command = ("stream", f"tcp:{port}", "-o", out, "--method", "recursive", "--raw", f"{SIDE}x{SIDE}xuint16")
    result = demottle(*command, "--policy", "slow")
    assert result.exit_code == 0, result.output
    assert f"Listening on port {port}" in result.stderr
    assert np.frombuffer(out.read_bytes(), "<u2").reshape(expected.shape) == pytest.approx(expected, abs=0.51)


def test_a_folder_that_stalls_before_the_filter_was_measured_is_denoised_as_far_as_it_came(
    run: Run, tmp_path: Path, demottle: Demottle
) -> None:
    from demottle.stream.sinks import FolderSink

    source = FolderSink(tmp_path / "in")
    for number, frame in enumerate(run.noisy.voxels):
        source(number, frame)
    begun = time.monotonic()
    command = ("stream", tmp_path / "in", "-o", f"{tmp_path}/out/", "--method", "recursive", "--stall", "0.3")
    result = demottle(*command)
    assert time.monotonic() - begun < 60
    assert result.exit_code == 2
    assert f"after {FRAMES} frames none came for 0.3 seconds" in " ".join(result.stderr.split())
    assert "first 24 frames" in " ".join(result.stderr.split())
    assert len(list((tmp_path / "out").glob("frame-*.npy"))) == FRAMES


@pytest.mark.slow
def test_a_run_is_learned_from_first_for_as_long_as_asked_and_the_model_is_kept(
    tmp_path: Path, demottle: Demottle
) -> None:
    longer = acquire(dynamic_phantom(20, 64, 15, seed=2, motion="slow").image, Exposure(24), seed=1)
    images.write(longer.noisy, tmp_path / "run.dcm")
    model = tmp_path / "model.safetensors"
    command = ("stream", tmp_path / "run.dcm", "-o", tmp_path / "out.dcm", "--method", "udca", "--engine", "torch")
    result = demottle(*command, "--steps", "3", "--save-model", model)
    assert result.exit_code == 0, result.output
    words = " ".join(result.stderr.split())
    assert "udca learns from this run before its first frame (about" in words and "--model FILE" in words
    again = demottle(*command[:3], tmp_path / "again.dcm", "--model", model, "--engine", "torch", "--json")
    assert again.exit_code == 0, again.output
    assert "learns from this run" not in again.stderr
    one, two = (images.read(tmp_path / name, accept_own_output=True) for name in ("out.dcm", "again.dcm"))
    assert np.array_equal(one.voxels, two.voxels)
    from demottle.methods import load

    assert load(model).fitted["steps"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-", "-o", "x.raw", "--method", "recursive"), "--raw ROWSxCOLUMNSxTYPE"),
        (("nowhere.dcm", "-o", "x.dcm", "--method", "recursive"), "nowhere.dcm"),
        (("-", "-o", "x.raw", "--raw", "48x48xuint16"), "--model FILE"),
        (("-", "-o", "x.raw", "--raw", "48x48xuint16", "--method", "udca"), "--model FILE"),
        (("-", "-o", "x.raw", "--raw", "48x48"), "ROWSxCOLUMNSxTYPE"),
        (("-", "-o", "x.raw", "--policy", "guess"), "drop or slow"),
        (("run.dcm", "-o", "x.dcm", "--model", "m.safetensors", "--steps", "9"), "--steps does not go with --model"),
        (("run.dcm", "-o", "x.dcm", "--minutes", "1", "--steps", "9"), "leave out --steps"),
        (("run.dcm", "-o", "x.dcm", "--method", "nothing"), 'no method "nothing"'),
        (("-", "-o", "x.raw", "--engine", "steam"), "auto, torch or onnx"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: tuple[str, ...], said: str, demottle: Demottle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = demottle("stream", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []


def test_standard_input_that_stalls_ends_it_in_one_sentence(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.raw"
    command = ["stream", "-", "-o", str(out), "--method", "recursive", "--raw", f"{SIDE}x{SIDE}xuint16"]
    with subprocess.Popen(
        [sys.executable, "-m", "demottle", *command, "--stall", "0.5"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as live:
        assert live.stdin is not None and live.stderr is not None
        live.stdin.write(bytes_of(run.noisy.voxels))
        live.stdin.flush()  # and then nothing, while the pipe stays open
        said = live.stderr.read().decode()
        assert live.wait(60) == 2, said
    assert f"after {FRAMES} frames none came for 0.5 seconds" in " ".join(said.split())
    assert "Fatal" not in said
    assert out.stat().st_size == FRAMES * SIDE * SIDE * 2


def test_a_network_that_is_there_is_not_replaced_unasked(cine: Path, tmp_path: Path, demottle: Demottle) -> None:
    (tmp_path / "net.onnx").write_bytes(b"of another run")
    result = demottle("stream", cine, "-o", tmp_path / "out.dcm", "--save-onnx", tmp_path / "net.onnx")
    assert result.exit_code == 2 and "net.onnx exists already" in " ".join(result.stderr.split())
    assert (tmp_path / "net.onnx").read_bytes() == b"of another run" and not (tmp_path / "out.dcm").exists()


@pytest.fixture
def lying_there(run: Run, tmp_path: Path) -> Path:
    """A folder with all frames of the run."""
    from demottle.stream.sinks import FolderSink

    source = FolderSink(tmp_path / "in")
    for number, frame in enumerate(run.noisy.voxels):
        source(number, frame)
    source.end()
    return tmp_path / "in"


def test_fewer_frames_are_waited_for_where_told(run: Run, tmp_path: Path, demottle: Demottle) -> None:
    from demottle.stream.sinks import FolderSink

    source, out = FolderSink(tmp_path / "in"), tmp_path / "out"

    def write() -> None:
        for number, frame in enumerate(run.noisy.voxels):
            if number == 5:  # the others only come once the first result is there
                while not (out / "frame-000000.npy").exists():
                    time.sleep(0.02)
            source(number, frame)
        source.end()

    threading.Thread(target=write, daemon=True).start()
    result = demottle("stream", tmp_path / "in", "-o", f"{out}/", "--method", "recursive", "--measure", 4)
    assert result.exit_code == 0, result.output
    said = " ".join(result.stderr.split())
    assert "first 4 frames" in said and "--stall" in said and "--save-model" in said


def test_a_measure_that_has_no_meaning_is_refused(cine: Path, tmp_path: Path, demottle: Demottle) -> None:
    common = ("stream", cine, "-o", tmp_path / "out.dcm")
    whole = demottle(*common, "--method", "recursive", "--measure", 8)
    assert whole.exit_code == 2 and "measured whole" in " ".join(whole.stderr.split())
    model = demottle(*common, "--model", tmp_path / "m.safetensors", "--measure", 8)
    assert model.exit_code == 2 and "--measure" in model.stderr
    assert demottle(*common, "--method", "recursive", "--measure", 1).exit_code == 2
    assert not (tmp_path / "out.dcm").exists()


def test_a_saved_filter_begins_at_once_and_drops_nothing_that_lay_there(
    lying_there: Path, expected: np.ndarray, tmp_path: Path, demottle: Demottle
) -> None:
    model = recursive.Recursive(recursive.RecursiveSettings(), {}).save(tmp_path / "filter.safetensors")
    result = demottle("stream", lying_there, "-o", f"{tmp_path}/out/", "--model", model, "--queue", 1)
    assert result.exit_code == 0, result.output
    assert f"{FRAMES}, 0 dropped" in result.stdout and "Waiting" not in result.stderr
    out = np.stack([np.load(path) for path in sorted((tmp_path / "out").glob("frame-*.npy"))])
    assert out == pytest.approx(expected, abs=1e-3)


def test_ctrl_c_says_what_is_there_and_ends_the_folder(
    lying_there: Path, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demottle.stream.sinks import FolderSink

    write = FolderSink.__call__

    def interrupted(sink: FolderSink, number: int, frame: np.ndarray) -> None:
        if number == 3:
            raise KeyboardInterrupt
        write(sink, number, frame)

    monkeypatch.setattr(FolderSink, "__call__", interrupted)
    model = tmp_path / "filter.safetensors"
    command = ("stream", lying_there, "-o", f"{tmp_path}/out/", "--method", "recursive", "--save-model", model)
    stopped = demottle(*command)
    said = " ".join(stopped.stderr.split())
    assert stopped.exit_code == 130
    assert "3 frames had been denoised before" in said and "--model" in said and "nothing was written" not in said
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["END", *(f"frame-{n:06d}.npy" for n in range(3))]
    assert model.exists()


def test_ctrl_c_before_a_file_is_complete_leaves_none(
    cine: Path, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demottle.stream.sinks import MemorySink

    def interrupted(sink: MemorySink, number: int, frame: np.ndarray) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MemorySink, "__call__", interrupted)
    stopped = demottle("stream", cine, "-o", tmp_path / "out.dcm", "--method", "recursive")
    assert stopped.exit_code == 130 and "nothing was written" in stopped.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_stored_run_is_the_same_whether_streamed_or_denoised(cine: Path, tmp_path: Path, demottle: Demottle) -> None:
    model, loud = tmp_path / "m.safetensors", tmp_path / "loud.dcm"
    options = ("--method", "motion-adaptive-recursive", "--save-model", model, "--no-report")
    assert demottle("denoise", cine, "-o", tmp_path / "first.dcm", *options).exit_code == 0
    scene = dynamic_phantom(FRAMES, SIDE, 15, seed=2, motion="slow").image
    images.write(acquire(scene, Exposure(4), seed=1).noisy, loud)
    said = []
    for verb, more in (("denoise", ("--no-report",)), ("stream", ())):
        result = demottle(verb, loud, "-o", tmp_path / f"{verb}.dcm", "--model", model, *more)
        assert result.exit_code == 0, result.stderr
        warnings = " ".join(result.stderr.split()).split("Warning: ")
        said.append([one.partition(";")[0] for one in warnings if "the model was fitted at" in one])
    assert len(said[0]) == 1 and said[0] == said[1]
    first, second = (pydicom.dcmread(tmp_path / f"{verb}.dcm") for verb in ("denoise", "stream"))
    assert first == second  # pixels, UIDs, what was done, with which seed, and how strong the noise was


def test_live_frames_that_a_model_does_not_know_are_told_of(
    cine: Path, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "m.safetensors"
    options = ("--method", "motion-adaptive-recursive", "--save-model", model, "--no-report")
    assert demottle("denoise", cine, "-o", tmp_path / "first.dcm", *options).exit_code == 0
    frames = tmp_path / "frames"
    frames.mkdir()
    scene = dynamic_phantom(FRAMES, SIDE, 15, seed=2, motion="slow").image
    for number, frame in enumerate(acquire(scene, Exposure(4), seed=1).noisy.voxels):
        np.save(frames / f"frame-{number:06d}.npy", frame)
    (frames / "END").touch()
    result = demottle("stream", frames, "-o", f"{tmp_path / 'out'}/", "--model", model, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["results"] == FRAMES
    assert any("the model was fitted at" in warning for warning in told["warnings"])
