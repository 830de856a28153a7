"""A criterion that needs no pairs: low dose simulated on held-out full-dose slices.

Noise with the spectrum and the strength that low-dose scans have beyond full-dose ones is added to full-dose slices of patients
that are not learned from. What the method makes of them is compared with the slices as they were: the root mean square error in
the body, in units of the noise added. The slices' own noise counts too, alike for all weights that are compared.
"""

from collections.abc import Callable, Sequence

import numpy as np

from demottle.errors import InputError
from demottle.image import Voxels
from demottle.learning.data.cohort import Scan, Sets, Side
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.noise.correlation import slice_correlation
from demottle.noise.scan_spectrum import scan_spectrum
from demottle.noise.slices import spread
from demottle.noise.synthesis import NoiseSource

SIDE = 192
WHITE = np.ones((64, 64), np.float32)
_SKIN = 6  # pixels; `body_plane` has a margin of 3 outside
_LEAST_SHARE = 0.3  # of the low-dose noise that is added at least, where both sides are hardly different


class SimulatedValidation:
    """Held-out slices, with and without the noise added to them."""

    def __init__(self, sets: Sets, count: int = 4, seed: int = 0, added: float | None = None) -> None:
        """Prepare `count` pieces of slices, at most `SIDE` pixels wide, around the middle of the body.

        Args:
            sets: their held-out scans are used.
            count: pieces.
            seed: of the noise.
            added: level of the noise, of the full-dose scans' own spectrum; None: what low dose has beyond full dose.

        Raises:
            InputError: where the noise of the low-dose scans cannot be measured.
        """
        self.level = _beyond_full_dose(sets) if added is None else added
        random = np.random.default_rng([seed, 7])
        self.clean = pieces(sets.full_validation, count)
        side = max(max(plane.shape) for plane in self.clean)
        like = sets.low_validation if added is None else sets.full_validation
        source = NoiseSource(spectrum_of(like.scans), side + side % 2)
        self.noisy = [
            plane + np.float32(self.level) * source.draw(1, random)[0, : plane.shape[0], : plane.shape[1]]
            for plane in self.clean
        ]
        # Without the skin: its edge to air is a hundred times the noise, and hardly changed when a model is applied.
        self.bodies = [guide.erode(body_plane(guide.smooth(plane), sets.unit), _SKIN) for plane in self.clean]

    def score(self, denoise: Callable[[Voxels], Voxels]) -> float:
        """Error that is left, in units of the noise added; 1 where nothing is done, lower is better."""
        total, pixels = 0.0, 0
        for noisy, clean, body in zip(self.noisy, self.clean, self.bodies, strict=True):
            error = (denoise(noisy) - clean)[body].astype(np.float64)
            total, pixels = total + float((error**2).sum()), pixels + error.size
        return float(np.sqrt(total / max(1, pixels)) / self.level)


def _beyond_full_dose(sets: Sets) -> float:
    low, full = (level_of(side.scans) for side in (sets.low_validation, sets.full_validation))
    if low is None:
        raise InputError(
            "The noise of the held-out low-dose scans cannot be measured, so there is no criterion; train without one."
        )
    return float(np.sqrt(max(low**2 - (full or 0.0) ** 2, (_LEAST_SHARE * low) ** 2)))


def pieces(side: Side, count: int) -> list[Voxels]:
    """Cut `count` pieces, at most `SIDE` pixels wide, out of the middle of the body of slices spread over a side's scans."""
    everything = [(scan, index) for scan in side.scans for index in range(len(scan.slices))]
    return [_piece(*everything[position]) for position in spread(len(everything), count)]


def _piece(scan: Scan, index: int) -> Voxels:
    plane = np.asarray(scan.slices[index], np.float32)
    places = scan.centres[scan.centres[:, 0] == index, 1:]
    middle = places.mean(0) if len(places) else np.array(plane.shape) / 2
    box = []
    for centre, whole in zip(middle, plane.shape, strict=True):
        wide = min(SIDE, whole)
        first = int(np.clip(centre - wide / 2, 0, whole - wide))
        box.append(slice(first, first + wide))
    return np.ascontiguousarray(plane[tuple(box)])


def level_of(scans: Sequence[Scan]) -> float | None:
    """Median noise level of some scans; None where none can be measured."""
    known = [scan.facts.noise_level for scan in scans if scan.facts.noise_level is not None]
    return float(np.median(known)) if known else None


def spectrum_of(scans: Sequence[Scan]) -> Voxels:
    """Noise spectrum of the first scan that has a measurable one; else the noise is taken as white."""
    return next((found for found in map(own_spectrum, scans) if found is not None), WHITE)


def own_spectrum(scan: Scan) -> Voxels | None:
    """Noise spectrum of one scan in FFT order; None where it has too little uniform tissue to measure one."""
    image = scan.image()
    try:
        return scan_spectrum(image, slice_correlation(image)).density_2d.astype(np.float32)
    except InputError:
        return None
