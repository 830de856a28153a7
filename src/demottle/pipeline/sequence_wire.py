"""How well thin moving wires are seen in what a filter makes of a run, measured on the run itself.

The mean square error hardly sees a wire of a few pixels. So dark wires w, so faint that they can just be seen in the run y as
it is, are drawn into a part of it, and what a filter f makes of it is looked at as an observer would who knows the wire and looks
for it in one frame:

    contrast  =  <f(y + w) - f(y), w> / <w, w>        detectability  =  <f(y + w) - f(y), u> / spread of <f(y) - m, u shifted>

u is w less what is smooth over 6 pixels, m the truth (the observer that does not prewhiten: Barrett and Myers, Foundations of
Image Science, 2004). Contrast alone would praise what removes no noise, noise alone what removes the wire. The truth is not
known; what is left of the noise is, with noise b like it, `J b = (f(y + e b) - f(y)) / e`, and Stein's identity
(`sequence_risk`) gives the whole spread, with what f takes from the scene:

    var <f(y) - m, u>  =  var <f(y) - y, u>  +  2 cov(<b, u>, <J b, u>)  -  var <b, u>

which is a small difference of large numbers where the noise is misread; so never less than `var <J b, u>` counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from demottle.image import Image, Voxels
from demottle.noise.sequence.lag import lagged

VISIBLE = 5.0
"""Detectability from which on something is seen reliably (Rose, J Opt Soc Am 1948)."""
_FAINTEST, _DEEPEST = 0.5, 4.0  # standard deviations of the noise that wires are darker by
_WIDTH, _LENGTH, _BEND, _SPEED = 1.2, 28.0, 3.0, 2.5  # pixels, and pixels per frame
_APART = 64  # pixels between wires
_COARSE = 6.0  # pixels: what is smoother tells no wire
_STEP = 0.1  # e above, as in `sequence_risk`


@dataclass(frozen=True)
class Seen:
    """What became of the wires: the part of their contrast that is left, and the detectability of one in one frame."""

    contrast: float
    detectability: float


@dataclass(frozen=True, eq=False)
class Probe:
    """A part of a run that wires are drawn into.

    Attributes:
        part: for all but its values.
        free: its frames with their lag undone, (frames, rows, columns).
        sigma: standard deviation of their noise, same shape.
        noise: like theirs, same shape.
        lag: that was undone.
    """

    part: Image
    free: Voxels
    sigma: Voxels
    noise: Voxels
    lag: float

    def through(self, one: Callable[[Image], Image], frames: Voxels) -> Voxels:
        """What a filter makes of frames without lag."""
        return one(self.part.with_voxels(lagged(frames, self.lag))).voxels


def wires(shape: tuple[int, int, int]) -> Voxels:
    """Return bent wires of 28 x 2 pixels, 64 apart, that turn and move by 2.5 pixels per frame; -1 in their middle, else 0."""
    frames, rows, columns = shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    out = np.zeros(shape, np.float32)
    for index, (top, left) in enumerate(_places(rows, columns)):
        for t in range(frames):
            moved = _SPEED * (t - (frames - 1) / 2)
            down, right = ((at + 0.5) * _APART for at in (top, left))
            angle = np.deg2rad(70.0 * index + 4 * t)
            way = angle + (
                np.pi / 2 if index % 2 else 0
            )  # along itself, as it is pushed, or across, as the heart moves it
            right, down = right + moved * np.cos(way), down + moved * np.sin(way)
            along = (x - right) * np.cos(angle) + (y - down) * np.sin(angle)
            across = (y - down) * np.cos(angle) - (x - right) * np.sin(angle) + _BEND * np.sin(along / 8)
            ends = 1 / (1 + np.exp(np.clip(np.abs(along) - _LENGTH / 2, -30, 30)))
            out[t] = np.minimum(out[t], -ends * np.exp(-((across / _WIDTH) ** 2)))
    return out


def _places(rows: int, columns: int) -> list[tuple[int, int]]:
    return list(np.ndindex(max(1, rows // _APART), max(1, columns // _APART)))


def wires_seen(
    filters: Sequence[Callable[[Image], Image]],
    probe: Probe,
    amplitude: float | None = None,
    truth: Voxels | None = None,
) -> list[Seen]:
    """Return for each filter how well the wires are seen.

    Args:
        filters: fitted ones.
        probe: what they are drawn into.
        amplitude: amplitude of the wires, in standard deviations of the noise; None: as makes them `VISIBLE` in the run as it is.
        truth: m, where it is known, (frames, rows, columns).
    """
    frames, rows, columns = probe.free.shape
    shape = wires((frames, rows, columns))
    observer, count = _Observer(shape, probe.sigma), len(_places(rows, columns))
    if amplitude is None:
        as_it_is = wires_seen([lambda image: image], probe, 1.0)[0].detectability
        amplitude = float(np.clip(VISIBLE / max(as_it_is, 1e-6), _FAINTEST, _DEEPEST))
    drawn, out = np.float32(amplitude) * probe.sigma * shape, []
    for one in filters:
        plain = probe.through(one, probe.free)
        shown = probe.through(one, probe.free + drawn) - plain
        if truth is None:
            noisier = probe.through(one, probe.free + np.float32(_STEP) * probe.noise)
            spread = observer.spread(plain - probe.free, (noisier - plain) / np.float32(_STEP), probe.noise)
        else:
            spread = observer.known_spread(plain - truth)
        contrast = float(np.sum(shown * drawn) / np.sum(drawn**2))
        out.append(Seen(contrast, observer.answer(shown) / max(spread * count**0.5, 1e-12)))
    return out


class _Observer:
    """Looks for wires at one place, and at all others; images in units of the noise."""

    def __init__(self, shape: Voxels, sigma: Voxels) -> None:
        import cv2

        smooth = np.stack([cv2.GaussianBlur(-frame, (0, 0), _COARSE) for frame in shape])
        self._template, self._sigma = -shape - smooth, np.maximum(sigma, 1e-12)
        self._turned = np.conj(np.fft.rfft2(self._template))

    def answer(self, shown: Voxels) -> float:
        """What the wires themselves give, the mean over frames."""
        return -float(np.mean(np.sum(shown / self._sigma * self._template, axis=(1, 2))))

    def spread(self, left: Voxels, follows: Voxels, noise: Voxels) -> float:
        """Standard deviation of what places without a wire give: see above."""
        of_left, of_follows, of_noise = (self._elsewhere(values) for values in (left, follows, noise))
        whole = _mean_product(of_left, of_left) + 2 * _mean_product(of_noise, of_follows)
        return float(np.sqrt(max(whole - _mean_product(of_noise, of_noise), _mean_product(of_follows, of_follows), 0)))

    def known_spread(self, error: Voxels) -> float:
        """The same where what is left of noise, and taken from the scene, is known."""
        return float(np.sqrt(_mean_product(*(self._elsewhere(error),) * 2)))

    def _elsewhere(self, values: Voxels) -> Voxels:
        given = np.fft.irfft2(np.fft.rfft2(values / self._sigma) * self._turned, s=values.shape[1:])
        return np.asarray(given - given.mean(axis=(1, 2), keepdims=True), np.float32)


def _mean_product(one: Voxels, other: Voxels) -> float:
    return float(np.mean(one.astype(np.float64) * other))
