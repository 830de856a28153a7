"""Which program computes the student: PyTorch, or ONNX Runtime where that is faster on this machine."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Voxels
from demottle.methods.base import Denoiser
from demottle.methods.streaming import SequenceDenoiser, Stream
from demottle.noise.sequence.lag import unlagged

if TYPE_CHECKING:
    from demottle.methods.udca.sequence import SequenceNetwork

Engine = Literal["auto", "torch", "onnx"]
_TRIALS = 5


class OnnxStream(Stream):
    """A student computed by ONNX Runtime, on the processor.

    Args:
        model: file written by `onnx_export.export`.
        lag: to be undone before.
        threads: threads of the processor; 0: as many as there are.

    Raises:
        InputError: where ONNX Runtime is missing, or the file is none of its models.
    """

    def __init__(self, model: Path, lag: float, threads: int = 0) -> None:
        """Load the model."""
        try:
            import onnxruntime
        except ImportError as error:
            raise InputError('ONNX Runtime is missing; install it with: pip install "demottle[onnx]".') from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InputError(f"{model} is not an ONNX model that can be run here ({type(error).__name__}).") from error
        self._sides = tuple(self._session.get_inputs()[0].shape[-2:])
        self._lag = lag
        self._before: Voxels | None = None
        self._memory: tuple[NDArray[Any], NDArray[Any]] | None = None

    def _step(self, frame: Voxels) -> Voxels:
        rows, columns = frame.shape
        down, right = (whole - side for whole, side in zip(self._sides, frame.shape, strict=True))
        if not (0 <= down < 8 and 0 <= right < 8):
            raise InputError(
                f"The model is for frames of {self._sides[0]} x {self._sides[1]}, not {rows} x {columns}, pixels."
            )
        x = np.pad(unlagged(frame, self._before, self._lag), ((0, down), (0, right)), mode="edge")[None, None]
        self._before = frame.copy()
        state, spread = (x, np.ones_like(x)) if self._memory is None else self._memory
        inputs = {"frame": np.ascontiguousarray(x), "state": state, "spread": spread}
        # The single student does not look at the memory, and an export leaves out what is not looked at.
        wanted = {put.name: inputs[put.name] for put in self._session.get_inputs()}
        clean, state, spread = self._session.run(None, wanted)
        self._memory = state, spread
        out: Voxels = clean[0, 0, :rows, :columns]
        return out


@dataclass(frozen=True)
class Chosen:
    """A live form with the engine it runs on, and ms per frame of each engine that was tried."""

    stream: Stream
    engine: str
    trials: dict[str, float]


def live_form(denoiser: Denoiser, shape: tuple[int, int], engine: Engine = "auto") -> Chosen:
    """Return the live form of a denoiser for frames of a size, on the engine asked for or the faster one.

    Raises:
        InputError: where the method has no live form, or the engine asked for cannot run it.
    """
    if not isinstance(denoiser, SequenceDenoiser):
        raise InputError(f"{denoiser.method} works on whole scans and has no live form; use a method for sequences.")
    own = "numpy" if not _is_student(denoiser) else "torch"
    if own == "torch" and engine != "onnx" and _has_gpu():
        engine = "torch"  # ONNX Runtime runs on the processor here
    if own == "numpy" or engine == "torch":
        if engine == "onnx":
            raise InputError(f"{denoiser.method} is a filter without a network; it does not run on ONNX Runtime.")
        return Chosen(denoiser.stream(), own, {own: _pace(denoiser.stream(), shape)})  # warms up, too
    try:
        with tempfile.TemporaryDirectory(prefix="demottle-") as folder:
            model = save_as_onnx(denoiser, Path(folder) / "student.onnx", shape)
            lag = denoiser.noise.lag  # type: ignore[attr-defined]
            if engine == "onnx":
                return Chosen(OnnxStream(model, lag), "onnx", {"onnx": _pace(OnnxStream(model, lag), shape)})
            trials = {"torch": _pace(denoiser.stream(), shape), "onnx": _pace(OnnxStream(model, lag), shape)}
            best = min(trials, key=lambda name: trials[name])
            return Chosen(OnnxStream(model, lag) if best == "onnx" else denoiser.stream(), best, trials)
    except InputError:
        if engine == "onnx":
            raise
        return Chosen(
            denoiser.stream(), "torch", {"torch": _pace(denoiser.stream(), shape)}
        )  # without the extra packages there is nothing to choose from


def save_as_onnx(denoiser: Denoiser, path: Path, shape: tuple[int, int]) -> Path:
    """Write a student as ONNX.

    Raises:
        InputError: for a method without a network, or where the packages of the extra "onnx" are missing.
        OutputError: where the file cannot be written.
    """
    if not _is_student(denoiser):
        raise InputError(f"{denoiser.method} has no network for single frames, so there is nothing to write as ONNX.")
    from demottle.stream.onnx_export import export

    student: SequenceNetwork = denoiser  # type: ignore[assignment]
    return export(student, path, *shape)


def _has_gpu() -> bool:
    """Where there is one, frames of one size follow each other on it, so that trying its algorithms once pays."""
    import torch

    from demottle.learning.device import best_device

    if best_device().type != "cuda":
        return False
    torch.backends.cudnn.benchmark = True
    return True


def _is_student(denoiser: Denoiser) -> bool:
    return hasattr(denoiser, "student")


def _pace(stream: Stream, shape: tuple[int, int]) -> float:
    """Milliseconds for a frame: the shortest of some, because anything else on the machine only makes it longer."""
    frame = np.ones(shape, np.float32)
    spent = []
    for _ in range(_TRIALS):
        begun = time.perf_counter()
        stream.step(frame)
        spent.append(time.perf_counter() - begun)
    return 1e3 * min(spent[1:])
