"""A fitted student of UDCA for sequences in time: frame by frame, without delay."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.events import Listener, Progress, silent
from demottle.image import Image, Voxels
from demottle.learning.device import best_device
from demottle.methods.base import Denoiser, Tensors
from demottle.methods.udca_frames import CAUSAL_INPUTS, SINGLE_INPUTS, CausalFrames, SingleFrame
from demottle.methods.udca_noise import FrameNoise, unlagged
from demottle.methods.udca_settings import student_network

SPECTRUM = "noise.spectrum"


class FrameStepper:
    """One frame in, the same frame out without noise; remembers what it has to. Frames have to come in order.

    Attributes:
        delay: frames it lags behind: none.
    """

    delay = 0

    def __init__(self, student: nn.Module, lag: float) -> None:
        """Begin a sequence."""
        self._student, self._lag = student, lag
        self._before: Voxels | None = None
        self._state: Tensor | None = None
        self._spread: Tensor | None = None
        self._device = best_device()

    def step(self, frame: Voxels) -> Voxels:
        """Denoise the next frame, float32 (rows, columns)."""
        x = self._tensor(unlagged(frame, self._before, self._lag))
        self._before = frame
        if self._state is None or self._spread is None:
            self._state, self._spread = x, torch.ones_like(x)
        with torch.inference_mode():
            clean, self._state, self._spread = self._student(x, self._state, self._spread)
        rows, columns = frame.shape
        out: Voxels = clean[0, 0, :rows, :columns].cpu().numpy()
        return out

    def _tensor(self, frame: Voxels) -> Tensor:
        rows, columns = frame.shape
        many = int(self._student.multiple)  # type: ignore[arg-type]
        whole = torch.from_numpy(np.array(frame, np.float32))[None, None].to(self._device)
        pad = (0, -columns % many, 0, -rows % many)
        return functional.pad(whole, pad, mode="replicate") if any(pad) else whole


class SequenceNetwork(Denoiser):
    """A student with the noise it was fitted for."""

    def __init__(
        self, method: str, settings: Mapping[str, Any], fitted: Mapping[str, Any], network: nn.Module, spectrum: Voxels
    ) -> None:
        """Keep the network; `fitted` holds the kind of student and the noise."""
        self.method, self.settings, self.fitted = method, dict(settings), dict(fitted)
        self._network, self._spectrum = network, np.asarray(spectrum, np.float32)
        self.noise = FrameNoise.from_dict(fitted["frame_noise"], self._spectrum)
        self.student = wrapped(network, fitted["student"], self.noise, settings["memory"])
        self.student.to(best_device()).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    def tensors(self) -> Tensors:
        """Return the weights and the noise spectrum."""
        weights = {name: value.detach().cpu().float().numpy() for name, value in self._network.state_dict().items()}
        return {**weights, SPECTRUM: self._spectrum}

    def stream(self) -> FrameStepper:
        """Begin a sequence."""
        return FrameStepper(self.student, self.noise.lag)

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Denoise frame by frame; what is not valid stays as it is."""
        stepper = self.stream()
        out = np.empty(image.shape, np.float32)
        for index, frame in enumerate(image.voxels):
            listener(Progress("apply", index, image.shape[0]))
            valid = None if image.valid is None else image.valid[index]
            if valid is None or not valid.any():
                out[index] = stepper.step(frame)
                continue
            filled = np.where(valid, frame, np.median(frame[valid])).astype(np.float32)
            out[index] = np.where(valid, stepper.step(filled), frame)
        listener(Progress("apply", image.shape[0], image.shape[0]))
        return image.with_voxels(out)


def wrapped(network: nn.Module, student: str, noise: FrameNoise, memory: float) -> CausalFrames | SingleFrame:
    """Put what a student needs around its network."""
    return CausalFrames(network, noise, memory) if student == "causal" else SingleFrame(network, noise)


def empty_network(size: str, student: str) -> nn.Module:
    """Build a student's network."""
    return student_network(size, student, CAUSAL_INPUTS if student == "causal" else SINGLE_INPUTS)


def restored(method: str, settings: Mapping[str, Any], fitted: Mapping[str, Any], tensors: Tensors) -> SequenceNetwork:
    """Rebuild a saved student."""
    network = empty_network(fitted["size"], fitted["student"])
    weights = {name: torch.from_numpy(np.array(value)) for name, value in tensors.items() if name != SPECTRUM}
    network.load_state_dict(weights)
    return SequenceNetwork(method, settings, fitted, network, np.asarray(tensors[SPECTRUM]))
