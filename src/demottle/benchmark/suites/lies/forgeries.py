"""Ways to falsify a result. Each takes scan, honest result and truth, and returns what the gate is shown in their place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter, rotate, shift

from demottle.image import Image, Voxels
from demottle.physics.phantoms.inserts import Insert, add_inserts

_SOFT_PIXELS = 0.6  # of the rim of what is erased or invented
_AIR_HU = -900.0
_PAINTED = 0.35  # of what was removed: 8 HU where 23 HU were


@dataclass(frozen=True, eq=False)
class Shown:
    """What the gate is shown: a scan, its result, and the truth where it is known."""

    before: Image
    after: Image
    truth: Image


@dataclass(frozen=True)
class Lesion:
    """A lesion: middle (slice, row, column), diameter in mm, contrast in HU, and whether it is a disc, a sphere or a rod."""

    place: tuple[float, float, float]
    diameter: float
    contrast: float
    shape: str = "sphere"

    def painted(self, image: Image) -> Voxels:
        """The lesion alone, on the grid of an image; a rod is 2.5 diameters long, a disc half of one, a slice at least."""
        between = image.spacing[0]
        height = {"sphere": None, "disc": max(between, 0.5 * self.diameter), "rod": 2.5 * self.diameter}[self.shape]
        more = [4 + int(np.ceil(1.3 * self.diameter / step)) for step in image.spacing]  # it may reach out of the image
        empty = np.zeros([side + 2 * around for side, around in zip(image.shape, more, strict=True)], np.float32)
        z, row, column = (at + around for at, around in zip(self.place, more, strict=True))
        insert = Insert((z, row, column), self.diameter / 2, self.contrast, height)
        whole = add_inserts(Image(empty, image.spacing, "CT", "HU"), [insert], _SOFT_PIXELS * image.spacing[1]).voxels
        inner = tuple(slice(around, around + side) for side, around in zip(image.shape, more, strict=True))
        return np.ascontiguousarray(whole[inner])


Forgery = Callable[[Shown, Lesion, int], Shown]
"""From what is honest, a place (the middle of a lesion that fits there) and a seed."""


def erased(shown: Shown, lesion: Lesion) -> Shown:
    """The lesion is in the scan and in truth, and not in the result."""
    added = lesion.painted(shown.before)
    return Shown(_plus(shown.before, added), shown.after, _plus(shown.truth, added))


def invented(shown: Shown, lesion: Lesion) -> Shown:
    """The lesion is in the result alone."""
    return replace(shown, after=_plus(shown.after, lesion.painted(shown.after)))


def _erase(diameter: float, contrast: float, shape: str = "sphere") -> Forgery:
    return lambda shown, at, seed: erased(shown, Lesion(at.place, diameter, contrast, shape))


def _invent(diameter: float, contrast: float, shape: str = "sphere") -> Forgery:
    return lambda shown, at, seed: invented(shown, Lesion(at.place, diameter, contrast, shape))


def _moved(shown: Shown, at: Lesion, seed: int) -> Shown:
    lesion = Lesion(at.place, 8.0, 60.0)
    there = replace(lesion, place=(at.place[0], at.place[1], at.place[2] + 5.0 / shown.before.spacing[2]))
    return invented(erased(shown, lesion), there)


def _halved(shown: Shown, at: Lesion, seed: int) -> Shown:
    lesion = Lesion(at.place, 10.0, 120.0)
    made = erased(shown, lesion)
    return invented(made, replace(lesion, contrast=60.0))


def _painted(shown: Shown, at: Lesion, seed: int) -> Shown:
    """Grain of a third of the noise, a little coarser than a pixel."""
    grain = gaussian_filter(np.random.default_rng(seed).standard_normal(shown.before.shape), (0, 1.0, 1.0))
    size = _PAINTED * _noise_of(shown)
    return _changed(shown, shown.after.voxels + _in_body(shown, np.asarray(grain * size / grain.std(), np.float32)))


def _foreign_noise(shown: Shown, at: Lesion, seed: int) -> Shown:
    """What was removed half a stack away comes back in part: noise of the right texture that is not that of its place."""
    elsewhere = np.roll(shown.before.voxels - shown.after.voxels, len(shown.before.voxels) // 2, axis=0)
    noise = np.clip(elsewhere, -4 * _noise_of(shown), 4 * _noise_of(shown))
    return _changed(shown, shown.after.voxels + _in_body(shown, np.asarray(0.4 * noise, np.float32)))


def _exchanged(apart: int) -> Forgery:
    def forge(shown: Shown, at: Lesion, seed: int) -> Shown:
        voxels = shown.after.voxels.copy()
        first = (len(voxels) - apart) // 2
        voxels[[first, first + apart]] = voxels[[first + apart, first]]
        return _changed(shown, voxels)

    return forge


def _repeated(shown: Shown, at: Lesion, seed: int) -> Shown:
    voxels = shown.after.voxels.copy()
    voxels[len(voxels) // 2] = voxels[len(voxels) // 2 - 1]
    return _changed(shown, voxels)


def _interpolated(shown: Shown, at: Lesion, seed: int) -> Shown:
    voxels, z = shown.after.voxels.copy(), len(shown.after.voxels) // 2
    voxels[z] = (voxels[z - 1] + voxels[z + 1]) / 2
    return _changed(shown, voxels)


def _reversed(shown: Shown, at: Lesion, seed: int) -> Shown:
    return _changed(shown, shown.after.voxels[::-1])


def _mirrored(shown: Shown, at: Lesion, seed: int) -> Shown:
    voxels, z = shown.after.voxels.copy(), len(shown.after.voxels) // 2
    voxels[z] = voxels[z, :, ::-1]
    return _changed(shown, voxels)


def _shifted(pixels: float) -> Forgery:
    return lambda shown, at, seed: _changed(
        shown, shift(shown.after.voxels, (0, 0, pixels), order=1 if pixels % 1 else 0, mode="nearest")
    )


def _turned(shown: Shown, at: Lesion, seed: int) -> Shown:
    return _changed(shown, rotate(shown.after.voxels, 1.0, axes=(1, 2), reshape=False, order=1, mode="nearest"))


def _blurred(pixels: float) -> Forgery:
    return lambda shown, at, seed: _changed(shown, gaussian_filter(shown.after.voxels, (0, pixels, pixels)))


def _sharpened(shown: Shown, at: Lesion, seed: int) -> Shown:
    voxels = shown.after.voxels
    return _changed(shown, voxels + 0.8 * (voxels - gaussian_filter(voxels, (0, 1.0, 1.0))))


def _organ(shown: Shown, at: Lesion, seed: int) -> Shown:
    """CT numbers of a part of 40 mm times 0.9, against water at 0; soft at its rim."""
    part = Lesion(at.place, 40.0, 1.0, "rod").painted(shown.after)
    return _changed(shown, shown.after.voxels * (1 - np.float32(0.1) * part))


LIES: Mapping[str, Forgery] = {
    "lesion erased, 10 mm, 35 HU": _erase(10, 35),
    "dark lesion erased, 10 mm, -35 HU": _erase(10, -35),
    "rod erased, 6 mm, 60 HU": _erase(6, 60, "rod"),
    "calcification removed, 4 mm, 300 HU": _erase(4, 300),
    "lesion invented, 10 mm, -35 HU": _invent(10, -35),
    "lesion invented, 10 mm, 100 HU": _invent(10, 100),
    "lesion invented, 20 mm, 35 HU": _invent(20, 35),
    "lesion moved by 5 mm": _moved,
    "lesion of half its contrast": _halved,
    "grain painted in": _painted,
    "noise of another scan": _foreign_noise,
    "neighboring slices exchanged": _exchanged(1),
    "slices exchanged, three apart": _exchanged(3),
    "slice repeated": _repeated,
    "slice interpolated from its neighbors": _interpolated,
    "slice mirrored": _mirrored,
    "order of slices reversed": _reversed,
    "shifted by a pixel": _shifted(1.0),
    "shifted by half a pixel": _shifted(0.5),
    "turned by one degree": _turned,
    "blurred by 0.6 pixels": _blurred(0.6),
    "blurred by 0.8 pixels": _blurred(0.8),
    "edges sharpened": _sharpened,
    "contrast of an organ times 0.9": _organ,
}
"""Every way, by what a reader would call it."""


def _plus(image: Image, added: Voxels) -> Image:
    return image.with_voxels(image.voxels + added)


def _changed(shown: Shown, voxels: Voxels) -> Shown:
    return replace(shown, after=shown.after.with_voxels(np.ascontiguousarray(voxels, np.float32)))


def _in_body(shown: Shown, values: Voxels) -> Voxels:
    return np.asarray(np.where(shown.before.voxels > _AIR_HU, values, 0), np.float32)


def _noise_of(shown: Shown) -> float:
    """Standard deviation of what was removed in soft tissue, nearly that of the noise, HU."""
    tissue = (shown.truth.voxels > 0) & (shown.truth.voxels < 100)
    removed = (shown.before.voxels - shown.after.voxels)[tissue]
    return float(removed.std())
