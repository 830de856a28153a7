"""How a noisy fluoroscopy run comes about: from transmitted X-rays to the numbers of a file.

    q_t = Poisson(N0 (T_t + scatter))        quanta that arrive in a pixel
    s_t = G * q_t                            light spread in the scintillator: Gaussian, so noise becomes correlated in space
    l_t = (1 - lag) s_t + lag l_{t-1}        what the detector still holds of the frame before
    e_t = l_t + Normal(0, electronic)
    y_t = w e_t + (1 - w) y_{t-1}            the camera's own recursive filter, where it has one
    stored = round(display(y_t))             linear, logarithmic or gamma; 8 to 16 bits, saturated

Everything before the first frame is the first frame again, so that lag and recursion are settled when the run begins.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil, log
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle import __version__
from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, ProcessingStep, Voxels

Display = Literal["linear", "log", "gamma"]
METHOD = "simulate-fluoroscopy"
_SETTLED = 1e-3  # of what lag and recursion remember from before the run


@dataclass(frozen=True)
class Exposure:
    """Dose, detector and camera.

    Attributes:
        quanta: detected per pixel and frame, scatter included, averaged over the whole run; 6 to 136 is the range of
            fluoroscopy (20 nGy per frame at 0.2 mm pixels is about 24).
        scatter: scattered quanta for each primary one, spread wide.
        blur: standard deviation of the scintillator's spread in pixels, 0.5 to 1 is usual; 0: none.
        lag: part of the signal that the next frame still holds, 0 to 0.1 is usual.
        electronic: noise of the electronics, quanta rms; 2 to 5 is usual.
        recursion: weight of the new frame in the camera's own recursive filter; 1: it has none.
        display: what is stored: a linear measure of the quanta, its logarithm, or its 1/2.2th power.
        bits: 8 to 16.

    Raises:
        InputError: for values out of range.
    """

    quanta: float = 24.0
    scatter: float = 0.3
    blur: float = 0.6
    lag: float = 0.0
    electronic: float = 3.0
    recursion: float = 1.0
    display: Display = "linear"
    bits: int = 12

    def __post_init__(self) -> None:
        """Refuse what no detector is."""
        checks: tuple[tuple[str, float, bool, str], ...] = (
            ("quanta", self.quanta, 0 < self.quanta < 1e6, "above 0 and below a million per pixel"),
            ("scatter", self.scatter, 0 <= self.scatter <= 10, "from 0 to 10"),
            ("blur", self.blur, 0 <= self.blur <= 5, "from 0 to 5 pixels"),
            ("lag", self.lag, 0 <= self.lag <= 0.9, "from 0 to 0.9"),
            ("electronic", self.electronic, 0 <= self.electronic < 1e4, "0 quanta or more"),
            ("recursion", self.recursion, 0.05 <= self.recursion <= 1, "from 0.05 to 1 (none)"),
            ("bits", self.bits, 8 <= self.bits <= 16, "from 8 to 16"),
        )
        for name, value, fine, allowed in checks:
            if not fine:  # NaN fails every comparison
                raise InputError(f"The {name} of the simulated exposure is {value:g}; it has to be {allowed}.")
        if self.display not in get_args(Display):
            raise InputError(f"There is no display '{self.display}'; choose one of {', '.join(get_args(Display))}.")

    @property
    def top(self) -> int:
        """The largest number that can be stored."""
        return int(2**self.bits - 1)


@dataclass(frozen=True)
class Coding:
    """From quanta to stored numbers: room for four standard deviations of noise around 0 and around `white` quanta."""

    display: Display
    top: int
    white: float
    electronic: float

    @property
    def highest(self) -> float:
        """Quanta at the top of the range."""
        return self.white + 4 * float(np.sqrt(self.white + self.electronic**2))

    @property
    def gain(self) -> float:
        """Stored numbers per quantum, where the display is linear."""
        return self.top / (self.highest + 4 * self.electronic)

    @property
    def offset(self) -> float:
        """What is stored for no quanta, where the display is linear."""
        return 4 * self.electronic * self.gain

    def of(self, quanta: Voxels) -> Voxels:
        """Stored numbers before rounding and saturation, float32."""
        if self.display == "linear":
            return np.asarray(quanta * np.float32(self.gain) + np.float32(self.offset), np.float32)
        part = np.maximum(quanta, 0) / np.float32(self.highest)
        if self.display == "gamma":
            return np.asarray(self.top * part ** np.float32(1 / 2.2), np.float32)
        # log: a thousandth of the range is what 0 stands for
        return np.asarray(self.top * (1 + np.log10(np.maximum(part, 1e-3)) / 3), np.float32)


@dataclass(frozen=True, eq=False)
class Run:
    """A simulated run.

    Attributes:
        noisy: what a file would hold: whole numbers, history saying that it is simulated.
        clean: the same without noise, lag, recursion, rounding and saturation (but with blur and scatter): the truth.
        facts: plain values: the exposure, the coding, and for a linear display the `gain` and `noise_offset` of the noise in
            a frame: variance = gain * (mean - black) + noise_offset.
    """

    noisy: Image
    clean: Image
    facts: dict[str, Any]


def acquire(transmitted: Image, exposure: Exposure | None = None, seed: int = 0, listener: Listener = silent) -> Run:
    """Take a run of a noise-free sequence.

    Args:
        transmitted: part of the X-rays that comes through, 0 to 1, as `dynamic_phantom` draws it.
        exposure: dose, detector and camera; None: the defaults of `Exposure`.
        seed: another seed gives other noise; the same, the same bits.
        listener: hears of every frame.

    Raises:
        InputError: nothing comes through at all.
    """
    exposure = exposure or Exposure()
    mean = float(np.mean([frame.mean(dtype=np.float64) for frame in transmitted.voxels]))
    if not mean > 0:
        raise InputError("No X-rays come through anywhere in the sequence, so no exposure can be simulated.")
    dose = exposure.quanta / mean / (1 + exposure.scatter)
    clean = np.stack([_expected(frame, dose, exposure) for frame in transmitted.voxels])
    white = float(np.percentile(clean[:: max(1, len(clean) // 8)], 99.9))
    coding = Coding(exposure.display, exposure.top, white, exposure.electronic)
    noisy = np.empty_like(clean)
    for index, frame in enumerate(_signals(transmitted.voxels, dose, exposure, seed)):
        noisy[index] = np.clip(np.rint(coding.of(frame)), 0, exposure.top)
        listener(Progress(Stage.EXPOSE, index + 1, len(noisy)))
    for index, frame in enumerate(clean):
        clean[index] = coding.of(frame)
    facts = {
        **asdict(exposure),
        "seed": seed,
        "photons_per_pixel_without_patient": dose,
        **noise_facts(exposure, coding),
    }
    step = ProcessingStep(METHOD, __version__, {**asdict(exposure)}, seed=seed)
    return Run(transmitted.with_voxels(noisy, step), transmitted.with_voxels(clean), facts)


def noise_facts(exposure: Exposure, coding: Coding) -> dict[str, float]:
    """What the noise of a frame is by theory (no overlap of saturation): `gain`, `noise_offset`, `black`, correlations.

    Only for a linear display; empty else. Both filters over time are of first order: for white noise of variance 1 their
    joint effect is `variance_kept`, from the sum over their impulse responses.
    """
    if coding.display != "linear":
        return {}
    kept, electronic_kept = _over_time(exposure.lag, exposure.recursion), _over_time(0.0, exposure.recursion)
    shared = float(np.sum(_kernel(exposure.blur) ** 2)) ** 2  # of a separable kernel
    electronic = (exposure.electronic * coding.gain) ** 2 * electronic_kept
    return {
        "black": coding.offset,
        "gain": coding.gain * shared * kept,
        "noise_offset": electronic + 1 / 12,
        "scale": coding.gain,
        "variance_kept": kept,
    }


def _over_time(lag: float, weight: float) -> float:
    """Variance that white noise of variance 1 has after lag and recursion."""
    steps = np.arange(400)
    response = np.convolve((1 - lag) * lag**steps, weight * (1 - weight) ** steps)[:400]
    return float(np.sum(response**2))


def _expected(frame: Voxels, dose: float, exposure: Exposure) -> Voxels:
    """Mean signal of a frame in quanta, after blur."""
    return _blurred(_arriving(frame, dose, exposure), exposure.blur)


def _arriving(frame: Voxels, dose: float, exposure: Exposure) -> Voxels:
    """Expected quanta that arrive per pixel: primary, and scatter spread over a fifth of the frame."""
    primary = frame * np.float32(dose)
    if exposure.scatter == 0:
        return primary
    side = min(frame.shape)
    factor = max(1, side // 64)  # scatter is so smooth that a small picture of it will do
    small = cv2.resize(primary, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), 0.2 * side / factor, borderType=cv2.BORDER_REFLECT_101)
    wide = wide * np.float32(exposure.scatter * float(primary.mean()) / max(float(wide.mean()), 1e-12))
    return np.asarray(primary + cv2.resize(wide, frame.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _signals(frames: NDArray[np.float32], dose: float, exposure: Exposure, seed: int) -> Iterator[Voxels]:
    """Yield what the camera hands on for every frame, in quanta."""
    before = _to_settle(exposure)
    held: Voxels | None = None
    shown: Voxels | None = None
    lag, weight = np.float32(exposure.lag), np.float32(exposure.recursion)
    for number in range(-before, len(frames)):
        rng = np.random.default_rng([seed, 11, number + before])
        expected = _arriving(frames[max(number, 0)], dose, exposure)
        light = _blurred(rng.poisson(expected).astype(np.float32), exposure.blur)
        held = light if held is None else (1 - lag) * light + lag * held
        read = held + np.float32(exposure.electronic) * rng.standard_normal(held.shape, np.float32)
        shown = read if shown is None else weight * read + (1 - weight) * shown
        if number >= 0:
            yield shown


def _to_settle(exposure: Exposure) -> int:
    """Frames until lag and recursion have forgotten what was before."""
    slowest = max(exposure.lag, 1 - exposure.recursion)
    return ceil(log(_SETTLED) / log(slowest)) if slowest > 0 else 0


def _kernel(sigma: float) -> NDArray[np.float64]:
    """One side of the separable blur; a single 1 where there is none."""
    size = 2 * ceil(4 * sigma) + 1
    kernel = cv2.getGaussianKernel(size, sigma) if sigma > 0 else np.ones((1, 1))
    return np.asarray(kernel, np.float64)[:, 0]


def _blurred(frame: Voxels, sigma: float) -> Voxels:
    if sigma == 0:
        return frame
    kernel = _kernel(sigma)
    return np.asarray(cv2.sepFilter2D(frame, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101), np.float32)
