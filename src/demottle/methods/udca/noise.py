"""What UDCA knows of the noise of a sequence: how strong it is at each signal, how it looks, and whether frames share it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.image import Voxels
from demottle.noise.sequence.curve import NoiseCurve
from demottle.noise.sequence.fingerprint import SequenceFingerprint
from demottle.noise.sequence.lag import freed, lag_to_undo

_SPECTRUM = 32
_LEAST_SHARE = 0.02  # of the largest deviation: below lies rounding, not noise


@dataclass(frozen=True, eq=False)
class FrameNoise:
    """Noise of a single frame that is free of lag.

    Attributes:
        curve: its deviation against the signal.
        lag: share of a frame that the file's next frame holds, `l_t = (1 - lag) s_t + lag l_(t-1)`; 0 where frames are
            independent, or where lag is not to be undone.
        spectrum: noise power (32, 32), float32, FFT order, mean 1.
    """

    curve: NoiseCurve
    lag: float
    spectrum: Voxels

    @property
    def pooled(self) -> float:
        """Deviation of the mean over 4 x 4 pixels, of noise of deviation 1: 1/4 where it is white."""
        return pooled_deviation(self.spectrum, 4)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without the spectrum."""
        curve = self.curve
        return {
            "signal": [float(v) for v in curve.signal],
            "deviation": [float(v) for v in curve.deviation],
            "gain": curve.gain,
            "offset": curve.offset,
            "lag": self.lag,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], spectrum: Voxels) -> "FrameNoise":
        """Put together again what `to_dict` and the spectrum say."""
        signal, deviation = (np.array(values[name], np.float64) for name in ("signal", "deviation"))
        curve = NoiseCurve(signal, deviation, float(values["gain"]), float(values["offset"]))
        return cls(curve, float(values["lag"]), spectrum)


def frame_noise(measured: SequenceFingerprint, correct_lag: bool = True) -> FrameNoise:
    """Take what was measured on a sequence as the noise of its frames, freed of lag (`noise.sequence.fingerprint.lag`)."""
    lag = lag_to_undo(measured) if correct_lag else 0.0
    curve = freed(measured.curve, lag, measured.held)
    deviation = np.maximum(curve.deviation, _LEAST_SHARE * float(curve.deviation.max()))
    curve = NoiseCurve(curve.signal, deviation, curve.gain, curve.offset)
    return FrameNoise(curve, lag, spectrum_of(measured.spatial_correlation))


def pooled_deviation(spectrum: Voxels, side: int) -> float:
    """Deviation of the mean over side x side pixels, of noise of deviation 1 with this spectrum (n, n), any unit."""
    window = np.zeros(spectrum.shape)
    window[:side, :side] = 1 / side**2
    power = spectrum / max(float(spectrum.mean()), 1e-12)
    return float(np.sqrt((np.abs(np.fft.fft2(window)) ** 2 * power).mean()))


def spectrum_of(correlation: NDArray[np.float64]) -> Voxels:
    """Noise power from the correlation of pixels up to 3 apart, (4, 4); flat where that could not be measured."""
    whole = np.zeros((_SPECTRUM, _SPECTRUM))
    whole[0, 0] = 1
    if np.isfinite(correlation).all():
        reach = correlation.shape[0]
        for down in range(1 - reach, reach):
            for right in range(1 - reach, reach):
                whole[down, right] = correlation[abs(down), abs(right)]
    power = np.maximum(np.fft.fft2(whole).real, 1e-3)
    return np.asarray(power / power.mean(), np.float32)
