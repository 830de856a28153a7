"""Put back what neighboring slices agree was taken out.

Noise differs from slice to slice, tissue hardly does. So where the smoothed residual (input minus output), averaged over
matched neighbors, is larger than its noise can be, structure was removed, most likely a low-contrast lesion. There, once
found, all that the slices agree on is added again, from coarse to fine: were it only added as far as it can be told
from noise, a remainder as strong as the noise would stay away for good (a fifth of the contrast of a
35 HU lesion in 40 HU of noise). Nothing is added that was not in the slices.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation
from demottle.noise.local import NoiseMap
from demottle.threads import in_order

_COARSE = ((4.5, 2.3), (3.0, 2.8), (2.0, 4.0), (2.0, 4.0))
_FINE = ((1.4, 5.0), (1.4, 5.0), (1.0, 5.0), (1.0, 5.0), (0.8, 5.0), (0.8, 5.0))
LOOKS = (*_COARSE, *_FINE)
"""Widths of the smoothing in pixels, coarse first, each with the standard deviations of the averaged residual from which on it
counts as structure (full weight one further on). 10 mm lesions fill the first at usual pixel sizes, the last bring back
edges. The finer, the more places there are to be wrong in, and the more a mistake looks like a finding."""
FINEST_SURE = 2.0
"""Width in pixels below which what was found is put back only as far as the residual's power around exceeds the noise's:
fine grain comes with much noise, which slices then share."""
_MARGIN = 1.3  # of that noise power, to be exceeded
REACH = 2
_ALL = np.float32(65535)
"""Certainty, in whole numbers: half floats are as short, but their last bit of what was put back would be a hundredth of a HU."""
_Seen = tuple[int, Voxels, Voxels]
_TOLERANCE = 0.45  # of two clean slices to count as the same tissue, in units of the noise level


def restore_agreed(
    image: Image,
    clean: Voxels,
    local: NoiseMap,
    correlation: Correlation,
    spectrum: NDArray[np.floating],
    allowed: Callable[[int], Voxels],
    listener: Listener = silent,
) -> None:
    """Add agreed structure to `clean` (slices, rows, columns), in place.

    Args:
        image: what went in.
        clean: what came out.
        local: local noise level of `image`.
        correlation: its noise correlation between slices, which makes neighbors worth less.
        spectrum: its noise power spectrum (n, n), FFT order, any unit.
        allowed: for a slice, how far each pixel may change (0 to 1).
        listener: told after every look.
    """
    if image.shape[0] < 3:
        return
    masks = [allowed(index) > 0 for index in range(image.shape[0])]
    found = np.zeros(image.shape, np.uint16)  # where structure was seen at any width, up to _ALL
    for done, (width, threshold) in enumerate(LOOKS):
        listener(Progress(Stage.RESTORE, done, len(LOOKS)))

        def put_back(seen: _Seen, width: float = width, threshold: float = threshold) -> None:
            index, residual, noise = seen
            certainty = np.asarray(np.abs(residual) / noise, np.float32)
            wide = _widened(np.clip(certainty - threshold, 0, 1), width)
            np.maximum(found[index], np.rint(wide * _ALL).astype(np.uint16), out=found[index])
            worth = 1.0 if width >= FINEST_SURE else _share_of_signal(certainty, width)
            clean[index] += found[index] / _ALL * worth * residual * masks[index]

        for _ in in_order(put_back, _agreed(image, clean, local, correlation, width, noise_gain(spectrum, width))):
            pass
    listener(Progress(Stage.RESTORE, len(LOOKS), len(LOOKS)))


def noise_gain(spectrum: NDArray[np.floating], sigma: float) -> float:
    """Standard deviation of noise after a Gaussian of `sigma` pixels, as a share of that before."""
    size = len(spectrum)
    v, u = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size), indexing="ij")
    transfer = np.exp(-4 * np.pi**2 * sigma**2 * (u**2 + v**2))  # of the power
    total = float(np.sum(spectrum))
    return float(np.sqrt(np.sum(spectrum * transfer) / total)) if total > 0 else 1.0


def _agreed(
    image: Image, clean: Voxels, local: NoiseMap, correlation: Correlation, width: float, gain: float
) -> Iterator[_Seen]:
    """Yield for each slice its index, the smoothed residual averaged over matched slices, and how strong noise is in that.

    The slice of an index already yielded may be changed meanwhile: the others are compared with it as it was before.
    """
    slices = image.shape[0]
    rho = [float(max(np.nan_to_num(correlation.at(lag)), 0.0)) for lag in range(1, REACH + 1)]
    tolerance = np.float32(max(_TOLERANCE * local.level, 1e-6))
    known: OrderedDict[int, tuple[Voxels, Voxels]] = OrderedDict()
    alike: dict[tuple[int, int], Voxels] = {}  # how far two slices are the same tissue: of the lower and the upper one
    coming = in_order(
        lambda z: (guide.smooth(image.voxels[z] - clean[z], width), guide.smooth(clean[z])), range(slices)
    )
    for index in range(slices):
        for ahead in range(index, min(slices, index + REACH + 1)):
            if ahead not in known:
                known[ahead] = next(coming)
        here = known[index][1]
        around = range(max(0, index - REACH), min(slices, index + REACH + 1))
        for other in around[around.index(index) :]:
            alike[index, other] = np.exp(-(((known[other][1] - here) / tolerance) ** 2))
        match = {other: alike[min(index, other), max(index, other)] for other in around}
        weight = sum(match.values(), np.zeros_like(here))
        total = sum((match[other] * known[other][0] for other in around), np.zeros_like(here))
        variance = sum((m**2 for m in match.values()), np.zeros_like(here))  # of the total, in units of one slice's
        for lag, shared in enumerate(rho, start=1):
            for other in around[:-lag]:
                variance += 2 * shared * match[other] * match[other + lag]
        noise = local.plane(index) * gain * np.sqrt(variance) / weight
        yield index, total / weight, np.maximum(noise, 1e-6).astype(np.float32)
        known.pop(index - REACH, None)
        for other in range(index - REACH, index + 1):
            alike.pop((index - REACH, other), None)


def _share_of_signal(certainty: Voxels, width: float) -> Voxels:
    """Return 1 - noise power / power around every pixel (Wiener), at least 0; `certainty` is in units of the noise."""
    power = guide.smooth(certainty**2, 2 * width)
    return np.asarray(np.clip(1 - _MARGIN / np.maximum(power, np.float32(1e-6)), 0, 1), np.float32)


def _widened(weight: Voxels, scale: float) -> Voxels:
    """Let a place speak for its surroundings, so that structure comes back whole and without rims."""
    size = 2 * int(scale) + 1
    wide = cv2.dilate(weight, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return guide.smooth(np.asarray(wide, np.float32), scale / 2)
