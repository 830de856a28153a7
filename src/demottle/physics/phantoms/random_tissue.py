"""Random tissue: overlapping shapes of CT numbers that occur in a body, of all sizes, some sharp and some faint.

A "dead leaves" model (G. Matheron 1968; A. B. Lee, D. Mumford and J. Huang 2001): shapes fall on one another, the last one is
seen. It shows no anatomy, but edges, corners, vessels and faint contrasts of every size, place and direction, which is what
a network has to tell from noise.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Voxels

TISSUES = ((-1000, 5), (-850, 50), (-100, 14), (8, 10), (55, 12), (85, 30), (190, 50), (650, 300))
"""Mean and spread in HU of air, lung, fat, fluid, muscle, organs, enhanced blood and bone."""
_SCENES = (  # how often each of them is met
    (0.00, 0.00, 0.25, 0.08, 0.22, 0.33, 0.09, 0.03),
    (0.01, 0.25, 0.25, 0.04, 0.25, 0.08, 0.07, 0.05),
    (0.02, 0.02, 0.35, 0.03, 0.35, 0.05, 0.05, 0.13),
    (0.00, 0.00, 0.10, 0.15, 0.15, 0.55, 0.05, 0.00),
)
_FIRST_THAT_IS_NO_GROUND = 6  # the picture is never all vessel or all bone
_FINE = 2  # painted so many times finer than the pixels
_SHIFT = 4  # binary digits of a place beyond the pixel
_LARGE = (7.0, 60.0)  # radii in pixels
_SMALL = (1.2, 25.0)
_BLUR = (0.45, 1.1)  # pixels
_TEXTURE_HU = (1.0, 10.0)
_DENSE_HU = 300.0  # from here on no texture

Places = NDArray[np.float64]


def random_tissue(size: int, random: np.random.Generator) -> Voxels:
    """Draw a patch.

    Args:
        size: side in pixels.
        random: where the draws come from.

    Returns:
        float32 (size, size), HU, free of noise.
    """
    weights = np.asarray(_SCENES[random.integers(len(_SCENES))])
    weights = weights / weights.sum()
    own = [random.normal(mean, spread) for mean, spread in TISSUES]  # this patient's
    ground = np.where(np.arange(len(TISSUES)) < _FIRST_THAT_IS_NO_GROUND, weights, 0)
    first = own[random.choice(len(TISSUES), p=ground / ground.sum())]
    canvas = np.full((size * _FINE, size * _FINE), first, np.float32)
    for radius in _radii(random) * _FINE:
        kind = random.choice(len(TISSUES), p=weights)
        value = float(random.normal(own[kind], 0.4 * TISSUES[kind][1]))
        _drop(canvas, radius, value, random)
    tissue: Voxels = np.asarray(cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    tissue += _texture(size, random) * (np.abs(tissue) < _DENSE_HU)
    return np.asarray(cv2.GaussianBlur(tissue, (0, 0), random.uniform(*_BLUR)), np.float32)


def _radii(random: np.random.Generator) -> Places:
    """Large shapes first, as many at every scale; then small ones, by the inverse cube as in natural pictures."""
    few = int(random.integers(3, 28))
    large = np.exp(random.uniform(np.log(_LARGE[0]), np.log(_LARGE[1]), few))
    count = int(np.exp(random.uniform(0, np.log(120))))
    low, high = (r**-2 for r in _SMALL)
    small = (low + random.random(count) * (high - low)) ** -0.5
    return np.concatenate([large, small])


def _drop(canvas: Voxels, radius: float, value: float, random: np.random.Generator) -> None:
    """Let one shape fall somewhere: a blob, an ellipse or a vessel."""
    centre = random.uniform(-0.1, 1.1, 2) * canvas.shape[0]
    shape = random.random()
    if shape < 0.45:
        cv2.fillPoly(canvas, [_fixed(_blob(centre, radius, random))], value, cv2.LINE_8, _SHIFT)
    elif shape < 0.8:
        axes = _fixed(np.array([radius, radius * random.uniform(0.3, 1)])).tolist()
        turn = random.uniform(0, 180)
        cv2.ellipse(canvas, _fixed(centre).tolist(), axes, turn, 0, 360, value, -1, cv2.LINE_8, _SHIFT)
    else:
        width = max(1, int(min(radius, 12) / 1.5))
        course = _fixed(_course(centre, 3 * width + 2, random))
        cv2.polylines(canvas, [course], False, value, width, cv2.LINE_8, _SHIFT)


def _blob(centre: Places, radius: float, random: np.random.Generator) -> Places:
    """Outline of a circle with smooth random bulges."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    bulge = np.ones_like(angle)
    for k in range(2, 7):
        bulge += random.normal(0, 0.35 / k) * np.cos(k * angle + random.uniform(0, 2 * np.pi))
    reach = np.clip(bulge, 0.2, 2) * radius
    return np.asarray(centre + np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1))


def _course(start: Places, step: float, random: np.random.Generator) -> Places:
    """A winding line of twelve steps."""
    angle = random.uniform(0, 2 * np.pi) + np.cumsum(random.normal(0, 0.35, 12))
    steps = step * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.concatenate([start[None], start + np.cumsum(steps, axis=0)])


def _fixed(places: Places) -> NDArray[np.int32]:
    return np.asarray(np.round(places * 2**_SHIFT), np.int32)


def _texture(size: int, random: np.random.Generator) -> Voxels:
    """The grain of an organ: a random field whose power falls with frequency; often none."""
    if random.random() < 0.5:
        return np.zeros((size, size), np.float32)
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij"))
    f[0, 0] = np.inf
    white = np.fft.rfft2(random.standard_normal((size, size)))
    field = np.fft.irfft2(white * f ** -random.uniform(0.8, 2.0), s=(size, size))
    return np.asarray(field / field.std() * random.uniform(*_TEXTURE_HU), np.float32)
