"""Filters that take frames one by one: what every method for live fluoroscopy offers beside the call on a whole image."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.methods.base import Denoiser, Tensors
from demottle.methods.filter import Filter, FilterSettings
from demottle.noise.sequence.curve import NoiseCurve, curve_from, curve_tensors, noise_facts
from demottle.noise.sequence.fingerprint import SequenceFingerprint
from demottle.noise.sequence.lag import freed, lag_to_undo, unlagged


class Stream(ABC):
    """A filter in the middle of a run: it holds what it has to remember.

    Attributes:
        delay: frames until the first result. The n-th result belongs to the n-th frame: never out of order, none left out.
    """

    delay: int = 0
    _shape: tuple[int, ...] | None = None

    def step(self, frame: Voxels) -> Voxels | None:
        """Take the next frame (rows, columns), return the result for the frame `delay` frames ago; None before there is one.

        Raises:
            InputError: a frame of another size than the first, or with values that are not finite.
        """
        frame = np.asarray(frame, np.float32)
        if frame.ndim != 2 or (self._shape is not None and frame.shape != self._shape):
            wanted = "one gray frame (rows, columns)" if self._shape is None else f"{self._shape} as before"
            raise InputError(
                f"A frame of shape {frame.shape} arrived, but {wanted} is needed; all frames have one size."
            )
        if not np.isfinite(frame).all():
            raise InputError("A frame with NaN or infinite values arrived; leave it out of the run.")
        self._shape = frame.shape
        return self._step(frame)

    @abstractmethod
    def _step(self, frame: Voxels) -> Voxels | None:
        """Do the work of `step` on a frame that was checked."""

    def finish(self) -> list[Voxels]:
        """Return the results that are still owed when the run has ended: as many as `delay`, or fewer for short runs."""
        return []


class SequenceDenoiser(Denoiser):
    """A method for sequences: `stream()` gives its live form, and calling it streams the whole image.

    Attributes:
        delay: delay of the live form, in frames.
    """

    delay: int = 0

    @abstractmethod
    def stream(self) -> Stream:
        """Return the live form, before its first frame."""

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Filter all frames in order; see `Denoiser`. Pixels that are not valid come out as they went in."""
        stream = self.stream()
        out = np.empty(image.shape, np.float32)
        written = 0

        def keep(result: Voxels | None) -> None:
            nonlocal written
            if result is not None:
                frame = image.voxels[written]
                valid = None if image.valid is None else image.valid[written]
                out[written] = result if valid is None else np.where(valid, result, frame)
                written += 1

        for index, frame in enumerate(image.voxels):
            listener(Progress(Stage.APPLY, index, image.shape[0]))
            keep(stream.step(frame if image.valid is None else np.where(image.valid[index], frame, 0)))
        for result in stream.finish():
            keep(result)
        listener(Progress(Stage.APPLY, image.shape[0], image.shape[0]))
        return image.with_voxels(out)


class LagUndone(Stream):
    """A filter that sees frames free of lag."""

    def __init__(self, inner: Stream, lag: float) -> None:
        """Keep the filter and the lag to be undone."""
        self.delay = inner.delay
        self._inner, self._lag = inner, lag
        self._before: Voxels | None = None

    def _step(self, frame: Voxels) -> Voxels | None:
        x = unlagged(frame, self._before, self._lag)
        self._before = frame.copy()
        return self._inner.step(x)

    def finish(self) -> list[Voxels]:
        """See `Stream`."""
        return self._inner.finish()


class PlainFilter(Filter[FilterSettings], SequenceDenoiser):
    """A filter that learns nothing: there is nothing to keep but its settings, and in `fitted` the lag to be undone."""

    def __init__(self, settings: FilterSettings, fitted: Mapping[str, Any]) -> None:
        """Keep settings and summary; settings of a filter with a delay have it as `delay`."""
        super().__init__(settings, fitted)
        self.delay = getattr(settings, "delay", 0)

    @classmethod
    def measured(cls, image: Image, settings: Any, fingerprint: SequenceFingerprint) -> tuple[Any, ...]:
        """See `Filter`: nothing but the lag is taken from the run."""
        return (facts_for(image, fingerprint, settings.correct_lag),)

    def stream(self) -> Stream:
        """See `SequenceDenoiser`."""
        lag = float(self.fitted.get("lag", 0.0))
        return LagUndone(self._stream(), lag) if lag > 0 else self._stream()

    @abstractmethod
    def _stream(self) -> Stream:
        """Return the live form for frames without lag, before its first frame."""


class NoiseFilter(PlainFilter[FilterSettings]):
    """A filter with the noise it was made for."""

    def __init__(self, settings: FilterSettings, fitted: Mapping[str, Any], curve: NoiseCurve) -> None:
        """Keep settings, summary and noise."""
        super().__init__(settings, fitted)
        self._curve = curve

    @classmethod
    def measured(cls, image: Image, settings: Any, fingerprint: SequenceFingerprint) -> tuple[Any, ...]:
        """See `Filter`: the noise curve is that of the run."""
        return noise_for(image, fingerprint, settings.correct_lag)

    @classmethod
    def kept(cls, fitted: Mapping[str, Any], tensors: Tensors) -> tuple[Any, ...]:
        """See `Filter`."""
        return fitted, curve_from(fitted, tensors)

    def tensors(self) -> Tensors:
        """Return the noise curve."""
        return curve_tensors(self._curve)


def facts_for(image: Image, fingerprint: SequenceFingerprint, correct_lag: bool) -> dict[str, Any]:
    """What a filter keeps of the run it was made for, as plain values: modality, unit, and the lag to be undone."""
    return {
        "modality": image.modality,
        "unit": image.unit,
        "lag": round(lag_to_undo(fingerprint), 4) if correct_lag else 0.0,
    }


def noise_for(image: Image, fingerprint: SequenceFingerprint, correct_lag: bool) -> tuple[dict[str, Any], NoiseCurve]:
    """The same for a filter that goes by the noise, and the noise of frames without that lag."""
    facts = facts_for(image, fingerprint, correct_lag)
    curve = freed(fingerprint.curve, facts["lag"], fingerprint.held)
    return {**facts, **noise_facts(curve)}, curve
