"""Is what is left of the noise the scan's own? What was removed and what is left must together be no more than what was there."""

from math import nan

import numpy as np

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.slices import spread
from demottle.noise.spectrum import trend_free
from demottle.quality.check.spectra import chosen_places

_FEWEST = 8
_MOST = 200
_RINGS = 8
_SURE = 2.0  # standard errors


def added_grain(before: Image, after: Image) -> float:
    """Return the power of grain that was added, over that of what was removed, where that is most; 0 where none is.

    With d = before - after, S_before = S_d + S_after + 2 Re S_d,after. Noise that a method leaves is a part of what it removes
    from, so the cross spectrum is 0 or more; grain of another source is in d with the opposite sign and makes it
    -S_added. Told is the largest -(Re S_d,after + 2 standard errors) / S_d over rings of frequencies, in regions of flat tissue:
    of these in the half where the result is quietest, since anatomy stands out there.

    Returns:
        NaN where there is too little flat tissue.
    """
    try:
        size, places = chosen_places(before)
    except InputError:
        return nan
    places = [places[index] for index in spread(len(places), _MOST)]
    cut = [
        np.stack([np.nan_to_num(image.voxels[z, top : top + size, left : left + size]) for z, top, left in places])
        for image in (before, after)
    ]
    first, second = (trend_free(part.astype(np.float64)) for part in cut)
    quiet = np.argsort(second.var(axis=(1, 2)), kind="stable")[: max(_FEWEST, (len(places) + 1) // 2)]
    removed, left = (np.fft.rfft2(part) for part in ((first - second)[quiet], second[quiet]))
    down, right = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    ring = np.rint(np.hypot(down, right) * 2 * _RINGS).astype(int)
    worst = 0.0
    for number in range(1, _RINGS + 1):
        inside = ring == number
        cross = (removed[:, inside].conj() * left[:, inside]).real.mean(axis=1)
        power = float((np.abs(removed[:, inside]) ** 2).mean())
        if power > 0:
            error = _SURE * float(cross.std()) / np.sqrt(len(cross) / 2)
            worst = max(worst, -(float(cross.mean()) + error) / power)
    return float(worst)
