"""A fitted student of UDCA for sequences in time: frame by frame, without delay."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.image import Voxels
from demottle.learning.device import best_device
from demottle.methods.base import Tensors
from demottle.methods.streaming import SequenceDenoiser, Stream
from demottle.methods.udca.frames import CAUSAL_INPUTS, SINGLE_INPUTS, CausalFrames, SingleFrame
from demottle.methods.udca.noise import FrameNoise
from demottle.methods.udca.settings import remembers, student_network
from demottle.noise.sequence.lag import unlagged

SPECTRUM = "noise.spectrum"


class FrameStream(Stream):
    """One frame in, the same frame out without noise; it remembers what its student has to."""

    def __init__(self, student: CausalFrames | SingleFrame, lag: float) -> None:
        """Begin a sequence."""
        self._student, self._lag = student, lag
        self._before: Voxels | None = None
        self._memory: tuple[Tensor, Tensor] | None = None
        self._device = best_device()

    def _step(self, frame: Voxels) -> Voxels:
        x = self._tensor(unlagged(frame, self._before, self._lag))
        self._before = frame.copy()
        state, spread = (x, torch.ones_like(x)) if self._memory is None else self._memory
        with torch.inference_mode():
            clean, *memory = self._student(x, state, spread)
        self._memory = (memory[0], memory[1])
        rows, columns = frame.shape
        out: Voxels = clean[0, 0, :rows, :columns].cpu().numpy()
        return out

    def _tensor(self, frame: Voxels) -> Tensor:
        rows, columns = frame.shape
        many = self._student.multiple
        whole = torch.from_numpy(np.array(frame, np.float32))[None, None].to(self._device)
        pad = (0, -columns % many, 0, -rows % many)
        return functional.pad(whole, pad, mode="replicate") if any(pad) else whole


class SequenceNetwork(SequenceDenoiser):
    """A student with the noise it was fitted for."""

    def __init__(
        self, method: str, settings: Mapping[str, Any], fitted: Mapping[str, Any], network: nn.Module, spectrum: Voxels
    ) -> None:
        """Keep the network; `fitted` holds the kind of student and the noise."""
        self.method, self.settings, self.fitted = method, dict(settings), dict(fitted)
        self._network, self._spectrum = network, np.asarray(spectrum, np.float32)
        self.noise = FrameNoise.from_dict(fitted["frame_noise"], self._spectrum)
        self.student = wrapped(network, fitted["student"], self.noise, settings["memory"])
        self.student.to(best_device()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.student.settle()

    def tensors(self) -> Tensors:
        """Return the weights and the noise spectrum."""
        weights = {name: value.detach().cpu().float().numpy() for name, value in self._network.state_dict().items()}
        return {**weights, SPECTRUM: self._spectrum}

    def stream(self) -> FrameStream:
        """See `SequenceDenoiser`."""
        return FrameStream(self.student, self.noise.lag)


def wrapped(network: nn.Module, student: str, noise: FrameNoise, memory: float) -> CausalFrames | SingleFrame:
    """Put what a student needs around its network."""
    return CausalFrames(network, noise, memory) if remembers(student) else SingleFrame(network, noise)


def empty_network(size: str, student: str) -> nn.Module:
    """Build a student's network."""
    return student_network(size, student, CAUSAL_INPUTS if remembers(student) else SINGLE_INPUTS)


def restored(method: str, settings: Mapping[str, Any], fitted: Mapping[str, Any], tensors: Tensors) -> SequenceNetwork:
    """Rebuild a saved student."""
    network = empty_network(fitted["size"], fitted["student"])
    weights = {name: torch.from_numpy(np.array(value)) for name, value in tensors.items() if name != SPECTRUM}
    network.load_state_dict(weights)
    return SequenceNetwork(method, settings, fitted, network, np.asarray(tensors[SPECTRUM]))
