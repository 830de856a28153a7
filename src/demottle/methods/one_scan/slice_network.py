"""A network applied slice by slice, with everything around it: normalization by the local noise, protection, saving.

All methods that learn from the scan itself end in a `SliceNetwork`. The network never sees CT numbers as they are: it sees

- the slice and a quick Wiener filtering p of it, `(x - m) / sigma` and `(p - m) / sigma`, bounded, m the mean of p around
  every pixel and sigma the local noise level: the scale of the noise, so that what is left of the noise in p is as easy to
  see as the noise in x, and the same for any tissue and any dose,
- the filtered slice at the scale of the anatomy, `(p - centre) / width`,
- the local noise level, `log(sigma / width)`,

and answers with `r`; the result is `p + sigma r`. Learning so starts from a good classical filter.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from demottle import threads
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Mask, Voxels
from demottle.methods.base import Denoiser, Tensors
from demottle.methods.one_scan.calibration import keep_ct_numbers
from demottle.methods.one_scan.coarse_contrast import put_coarse_back
from demottle.methods.one_scan.protection import blended, changeable, fill_invalid
from demottle.methods.one_scan.restoration import REACH, restore_agreed
from demottle.methods.one_scan.scan_samples import box_around, seen
from demottle.methods.one_scan.slice_fusion import Fusion, fuse, learn_fusion
from demottle.networks.windowed_wiener import WindowedWiener
from demottle.noise.correlation import slice_correlation
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.level import noise_level
from demottle.noise.local import noise_map


def inputs_of(slices: int) -> int:
    """Number of input images of a network that sees that many slices: four of its own, two of every other."""
    return 4 + 2 * (slices - 1)


INPUTS = inputs_of(1)
INPUT_FORM = 2
"""Counts up when what the inputs are changes: 2 since they are taken around the local mean, in units of the local noise."""
# Inputs are bounded: beyond lie bone and metal, and unbounded inputs once blew up the learning.
_FARTHEST = 4.0  # of the filtered slice, in widths
_PASSAGE = 100.0  # from learned to only filtered, in HU
_FINE_RANGE = 8.0  # of slice and filtered slice around the local mean, in units of the local noise level
_AROUND = 17  # pixels across of that mean
_LUNG_HU, _THIN_HU, _LOWEST_SOFT = -500.0, -300.0, -200.0  # lung, its passage to soft tissue, and the lowest of that
_USUAL_NOISE = 0.1  # of the width: 40 HU
_FEW_SLICES = 5
"""From so many slices on each goes through the network once, not in all eight turns: that is eight times the time."""
_MARGIN = 32  # pixels seen around what may change
_KEPT = 96  # slices: where each pixel may change is asked for again and again


@dataclass(frozen=True)
class Scale:
    """How an image's values are brought to the network's scale.

    Attributes:
        centre, width: centre and width of the filtered slice, in the image's unit.
        level: global noise level.
        highest: values above this, dense vessels, are only filtered, not learned, and bone (150 above it) is left as it is:
            structure there is many times stronger than the noise, and a method that errs by a per cent shifts CT numbers.
            None: no such limit.
    """

    centre: float
    width: float
    level: float
    highest: float | None = None


def scale_of(image: Image, fingerprint: Fingerprint) -> Scale:
    """CT: centre 0 HU, width 400 HU. Without absolute units: from the brightest percent of the middle slice."""
    if image.unit == "HU":
        return Scale(0.0, 400.0, fingerprint.noise_level, highest=150.0)
    top = float(np.percentile(image.voxels[image.shape[0] // 2], 99))
    return Scale(top / 2, max(top / 2, 1e-6), fingerprint.noise_level)


class Normalized(nn.Module):
    """A network wrapped in its normalization: maps a slice and its noise level to the denoised slice.

    Shapes: slices (batch, slices, rows, columns), the one to denoise in the middle; its deviation (batch, 1, rows, columns);
    rows and columns divisible by `multiple`. The result has the shape of the deviation.
    """

    def __init__(self, network: nn.Module, pilot: WindowedWiener, scale: Scale, multiple: int = 8) -> None:
        """Keep network, filter and scale."""
        super().__init__()
        self.network, self.pilot, self.scale, self.multiple = network, pilot, scale, multiple
        self.low_precision = _has_fast_bfloat16()

    def forward(self, image: Tensor, deviation: Tensor, pilot: Tensor | None = None) -> Tensor:
        """Return the denoised slice; `pilot` holds the filtered slices where they are known already."""
        deviation = deviation.clamp(min=1e-3 * self.scale.level)
        middle = image.shape[1] // 2
        if pilot is None:
            pilot = self.filtered(image, deviation)
        image, others = _apart(image, middle)
        pilot, filtered_others = _apart(pilot, middle)
        mean = _local_mean(pilot) if self.scale.highest is None else mean_of_the_like(pilot, self.scale.highest)

        def fine(part: Tensor) -> Tensor:
            return ((part - mean) / deviation).clamp(-_FINE_RANGE, _FINE_RANGE)

        inputs = torch.cat(
            [
                fine(image),
                fine(pilot),
                ((pilot - self.scale.centre) / self.scale.width).clamp(-_FARTHEST, _FARTHEST),
                torch.log(deviation / (_USUAL_NOISE * self.scale.width)),
                fine(others),
                fine(filtered_others),
            ],
            dim=1,
        ).contiguous(memory_format=self._memory_format())
        with torch.autocast(image.device.type, torch.bfloat16, enabled=self.low_precision):
            answer = self.network(inputs)
        learned = deviation * answer.float()
        if self.scale.highest is not None:
            smooth = functional.avg_pool2d(pilot, 3, stride=1, padding=1, count_include_pad=False)
            learned = learned * (1 - (smooth - self.scale.highest) / _PASSAGE).clamp(0, 1)
            dense = ((smooth - self.scale.highest - 1.5 * _PASSAGE) / _PASSAGE).clamp(0, 1)
            pilot = pilot + dense * (image - pilot)
        out: Tensor = pilot + learned
        return out

    def filtered(self, image: Tensor, deviation: Tensor) -> Tensor:
        """Return the slices, filtered one by one; shapes as `forward`."""
        deviation = deviation.clamp(min=1e-3 * self.scale.level)
        with torch.no_grad():
            return torch.cat([self.pilot(one, deviation) for one in torch.split(image, 1, dim=1)], dim=1)

    def _memory_format(self) -> torch.memory_format:
        """Channels last, but for learning in full precision, which on processors without bfloat16 is a third faster without."""
        learning = torch.is_grad_enabled() and not self.low_precision
        return torch.contiguous_format if learning else torch.channels_last


def _local_mean(image: Tensor) -> Tensor:
    """Mean over a square around every pixel, as far as it lies in the image."""
    for kernel, padding in (((_AROUND, 1), (_AROUND // 2, 0)), ((1, _AROUND), (0, _AROUND // 2))):
        image = functional.avg_pool2d(image, kernel, stride=1, padding=padding, count_include_pad=False)
    return image


def mean_of_the_like(image: Tensor, highest: float) -> Tensor:
    """Mean around every pixel, what is not tissue of its kind cut: bone and air beside soft tissue, the chest wall beside lung.

    A skull a few pixels away would pull the mean up by hundreds of HU, and the tissue before it would leave the range that a
    network sees: thin fat under it came out 10 HU too bright.
    """
    soft = ((image - _LUNG_HU) / (_THIN_HU - _LUNG_HU)).clamp(0, 1)  # 0 in lung, 1 in soft tissue
    return soft * _local_mean(image.clamp(_LOWEST_SOFT, highest)) + (1 - soft) * _local_mean(image.clamp(max=_LUNG_HU))


def _turn(images: Tensor, quarters: int, mirrored: bool) -> Tensor:
    """Turn rows and columns by quarters of a circle, then mirror them."""
    turned = torch.rot90(images, quarters, (-2, -1))
    return turned.flip(-1) if mirrored else turned


def _turn_back(images: Tensor, quarters: int, mirrored: bool) -> Tensor:
    """Undo `_turn`."""
    return torch.rot90(images.flip(-1) if mirrored else images, -quarters, (-2, -1))


def _apart(images: Tensor, middle: int) -> tuple[Tensor, Tensor]:
    """Split (batch, slices, rows, columns) into the middle one and the others."""
    return images[:, middle : middle + 1], torch.cat([images[:, :middle], images[:, middle + 1 :]], dim=1)


class SliceNetwork(Denoiser):
    """A fitted network with what it needs to be applied to any scan of the same protocol."""

    def __init__(
        self,
        method: str,
        settings: Mapping[str, Any],
        fitted: Mapping[str, Any],
        network: nn.Module,
        spectrum: NDArray[np.float32],
    ) -> None:
        """Keep the network and the noise spectrum it was fitted with; `fitted` holds the scale.

        Raises:
            ValueError: for a network that was fitted on inputs of another form: it would answer, and wrongly.
        """
        if fitted.get("input_form") != INPUT_FORM:
            raise ValueError("the network was fitted on inputs of another form")
        self.method, self.settings = method, dict(settings)
        self.fitted: dict[str, Any] = dict(fitted)
        self._spectrum = np.asarray(spectrum, np.float32)
        scale = Scale(**fitted["scale"])
        multiple = int(getattr(network, "multiple", 8))
        self._network = network
        self._whole = Normalized(network, WindowedWiener(self._spectrum), scale, multiple)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._whole.to(self._device).eval()

    def tensors(self) -> Tensors:
        """Return the weights and the noise spectrum."""
        weights = {name: value.detach().cpu().float().numpy() for name, value in self._network.state_dict().items()}
        return {**weights, "noise.spectrum": self._spectrum}

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Denoise slice by slice; the local noise level is measured on the image itself."""
        return self.applied(image, listener)

    def applied(self, image: Image, listener: Listener = silent, coarse: bool = True) -> Image:
        """Do that, with what is coarse in CT put back at last or not: for who goes on from the result and does it then."""
        level = noise_level(image)
        if level == 0:
            return image  # without noise there is nothing to remove
        if not np.isfinite(level):
            level = float(self.fitted["scale"]["level"])
        correlation = slice_correlation(image, lags=REACH)
        local = noise_map(image, correlation, level)
        out = np.empty(image.shape, np.float32)
        allowed_in = lru_cache(_KEPT)(lambda index: changeable(image, index))

        def denoised(index: int) -> Voxels:
            allowed = allowed_in(index)
            return self._denoised(image, index, local.plane(index), allowed) if allowed.any() else image.voxels[index]

        with self._side_by_side() as in_order:
            for index, plane in enumerate(in_order(denoised, range(image.shape[0]))):
                listener(Progress(Stage.APPLY, index, image.shape[0]))
                out[index] = plane
        listener(Progress(Stage.APPLY, image.shape[0], image.shape[0]))
        if self.fusion is not None:
            fuse(out, local.plane, lambda index: self._learned(image, index, out[index]), self.fusion, listener)
        restore_agreed(image, out, local, correlation, self._spectrum, allowed_in, listener)
        keep_ct_numbers(image, out, allowed_in, listener)
        if (
            coarse and image.unit == "HU"
        ):  # after the first: what thin fat has too much would be smeared into deeper fat
            put_coarse_back(image, out, local, correlation, allowed_in)
            keep_ct_numbers(image, out, allowed_in, listener)
        return image.with_voxels(out)

    @contextmanager
    def _side_by_side(self) -> Iterator[Callable[..., Iterator[Voxels]]]:
        """Slices in several threads, which is faster than several threads for each slice; on a GPU one after the other."""
        if self._device.type != "cpu" or threads.count() == 1:
            yield map
            return
        before = torch.get_num_threads()
        torch.set_num_threads(max(1, before // threads.count()))
        try:
            yield threads.in_order
        finally:
            torch.set_num_threads(before)

    @property
    def fusion(self) -> Fusion | None:
        """How much neighboring slices count, or None where each speaks for itself."""
        return Fusion.from_dict(self.fitted["fusion"]) if self.fitted.get("fusion") else None

    def weigh_neighbors(self, image: Image, fingerprint: Fingerprint, seed: int, listener: Listener = silent) -> None:
        """Let the scan that was learned from say how much neighboring slices may count (`slice_fusion`)."""
        local = noise_map(image, fingerprint.correlation, fingerprint.noise_level)

        def denoised(index: int, extra: Voxels | None) -> Voxels:
            return self._denoised(image, index, local.plane(index), changeable(image, index), extra)

        fusion = learn_fusion(
            denoised,
            lambda index: fill_invalid(image, index),
            local.plane,
            lambda index, clean: self._learned(image, index, clean),
            image.shape[0],
            fingerprint.correlation,
            self._spectrum,
            seed,
            listener,
        )
        self.fitted["fusion"] = None if fusion is None else fusion.to_dict()

    def _denoised(
        self, image: Image, index: int, deviation: Voxels, allowed: Voxels, extra: Voxels | None = None
    ) -> Voxels:
        """One slice, `extra` added to it, with what must not change as it was."""
        plane = image.voxels[index]
        stack = np.stack([fill_invalid(image, other) for other in seen(index, self.slices, image.shape[0])])
        if extra is not None:
            stack[self.slices // 2] += extra
        around = _around(allowed, self._whole.multiple)
        clean = plane.copy()
        made = self.turned if image.shape[0] < _FEW_SLICES else self.plane
        clean[around] = made(stack[(slice(None), *around)], deviation[around])
        return blended(plane, clean, allowed)

    def _learned(self, image: Image, index: int, clean: Voxels) -> Mask:
        """Where a denoised slice comes from the network alone: in the body, below dense vessels and bone."""
        inside: Mask = changeable(image, index) >= 1
        highest = self._whole.scale.highest
        return inside if highest is None else inside & (clean < highest)

    @property
    def slices(self) -> int:
        """How many slices the network sees at once."""
        return int(self.fitted.get("slices_seen", 1))

    def plane(self, stack: Voxels, deviation: Voxels) -> Voxels:
        """Denoise the middle one of some slices (slices, rows, columns), whose noise has the given local deviation."""
        with torch.inference_mode():
            image, sigma = self._on_device(stack, deviation)
            return self._cropped(self._whole(image, sigma), deviation.shape)

    def turned(self, stack: Voxels, deviation: Voxels) -> Voxels:
        """Do that in all eight ways in which a slice can be turned and mirrored, and return the mean.

        What the network errs in differs from one to the next, so the mean errs less; the filter before it, which knows in which
        direction the noise is how strong, sees the slice as it is.
        """
        with torch.inference_mode():
            image, sigma = self._on_device(stack, deviation)
            pilot = self._whole.filtered(image, sigma)
            total = torch.zeros_like(sigma)
            for mirrored in (False, True):
                for quarters in range(4):
                    parts = [_turn(part, quarters, mirrored) for part in (image, sigma, pilot)]
                    total += _turn_back(self._whole(*parts), quarters, mirrored)
            return self._cropped(total / 8, deviation.shape)

    def _on_device(self, stack: Voxels, deviation: Voxels) -> tuple[Tensor, Tensor]:
        """Slices and deviation as the network takes them: rows and columns divisible by what it asks for."""
        image = torch.from_numpy(np.array(stack, np.float32))[None].to(self._device)
        sigma = torch.from_numpy(np.array(deviation, np.float32))[None, None].to(self._device)
        rows, columns = deviation.shape
        many = self._whole.multiple
        pad = (0, -columns % many, 0, -rows % many)
        padded = [functional.pad(a, pad, mode="replicate") for a in (image, sigma)]
        return padded[0], padded[1]

    def _cropped(self, made: Tensor, shape: tuple[int, ...]) -> Voxels:
        rows, columns = shape
        out: Voxels = made[0, 0, :rows, :columns].cpu().numpy()
        return out


def _around(allowed: Voxels, multiple: int) -> tuple[slice, slice]:
    """Rows and columns around what may change, and a margin for the network to see: the air around costs time for nothing.

    They begin on the grid of the network's blocks, so that these fall as they would in the whole slice.
    """
    rows, columns = (
        slice(max(0, (part.start - _MARGIN) // multiple * multiple), part.stop + _MARGIN)
        for part in box_around(allowed > 0, 1)
    )
    return rows, columns


def summary(image: Image, fingerprint: Fingerprint, scale: Scale) -> dict[str, Any]:
    """Describe in plain values what a network is fitted on; no patient data."""
    return {
        "modality": image.modality,
        "unit": image.unit,
        "spacing_mm": list(image.spacing),
        "noise_level": fingerprint.noise_level,
        "spectrum_mean_per_mm": None if fingerprint.spectrum is None else fingerprint.spectrum.mean,
        "slice_correlation": [float(v) if np.isfinite(v) else None for v in fingerprint.correlation.rho],
        "scale": asdict(scale),
        "input_form": INPUT_FORM,
    }


def load_weights(network: nn.Module, tensors: Tensors) -> nn.Module:
    """Fill a network from saved tensors; a missing or misshapen one is an error."""
    weights = {name: torch.from_numpy(np.array(value)) for name, value in tensors.items() if name != "noise.spectrum"}
    network.load_state_dict(weights)
    return network


def _has_fast_bfloat16() -> bool:
    """Half precision pays on GPUs and on processors with bfloat16 arithmetic; elsewhere it is emulated and slow."""
    if torch.cuda.is_available():
        return True
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
