"""Simulations that `tools.start_network` learns from, made by several processes: tissue, structures, and noise with streaks."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

import cv2
import numpy as np

from demottle.image import Image, Voxels
from demottle.learning.data.structures import random_structures
from demottle.physics.ct.ct_noise import Scanner, independent_noise
from demottle.physics.ct.projection import Kernel
from demottle.physics.phantoms.catalog import build
from demottle.physics.phantoms.random_tissue import random_tissue

SPECTRUM = 64
"""Side of a noise spectrum."""
SIDE = 512
KERNELS: tuple[Kernel, ...] = ("soft", "standard", "sharp")
SIGMA = 30.0
"""HU of the noise as it is drawn, before it is brought to the level wanted."""
_PIXEL = 0.75  # mm
_LEVEL_WIDTH = 14  # pixels, of the local level
_EACH = 40  # patches that a process makes at once

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Projected:
    """Noise drawn in the projections of a body, of one kernel and filter.

    Attributes:
        style: which kernel and filter.
        body: (rows, columns) HU of the body, free of noise; None: a rough torso, whose tissue is not worth learning.
        inside: (rows, columns) True where the body is.
        noise: (n, rows, columns), HU.
        level: (rows, columns), its local standard deviation.
        spectrum: (SPECTRUM, SPECTRUM) of the noise over its level, FFT order, any unit.
    """

    style: int
    body: Voxels | None
    inside: Voxels
    noise: Voxels
    level: Voxels
    spectrum: Voxels


def tissue_pool(count: int, side: int, seed: int, workers: int) -> Voxels:
    """Random tissue, float16 (count, side, side) in HU; steps of a quarter of a HU below 512 HU."""
    return _pooled(_tissue, count, side, seed, workers)


def structure_pool(count: int, side: int, seed: int, workers: int) -> Voxels:
    """Random structures in units of the noise level, float16 (count, side, side)."""
    return _pooled(_structures, count, side, seed, workers)


def projected_noise(bodies: int, torsos: int, seed: int, workers: int) -> Iterator[Projected]:
    """Noise of analytic bodies and of rough torsos with arms, for every kernel and every filter."""
    jobs = [(kind, seed + n) for kind, count in (("body", bodies), ("torso", torsos)) for n in range(count)]
    for found in _mapped(_projected, jobs, workers):
        yield from found


def _pooled(make: Callable[[tuple[int, int, int]], Voxels], count: int, side: int, seed: int, workers: int) -> Voxels:
    jobs = [(seed, first, side) for first in range(0, count, _EACH)]
    return np.concatenate(list(_mapped(make, jobs, workers)))[:count]


def _mapped(
    make: Callable[..., T], jobs: list[tuple[object, ...]] | list[tuple[int, int, int]], workers: int
) -> Iterator[T]:
    if workers < 2:
        yield from map(make, jobs)
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        yield from pool.map(make, jobs)


def _tissue(job: tuple[int, int, int]) -> Voxels:
    seed, first, side = job
    random = np.random.default_rng([seed, 1, first])
    return np.stack([random_tissue(side, random) for _ in range(_EACH)]).astype(np.float16)


def _structures(job: tuple[int, int, int]) -> Voxels:
    seed, first, side = job
    return random_structures(_EACH, side, np.random.default_rng([seed, 2, first])).astype(np.float16)


def _projected(job: tuple[str, int]) -> list[Projected]:
    """All kernels and filters of one body."""
    kind, seed = job
    random = np.random.default_rng([seed, 3])
    analytic = kind == "body"
    body = build("body", 3, SIDE, (3.0, _PIXEL, _PIXEL), seed).image.voxels[1] if analytic else _torso(random)
    image = Image(np.repeat(body[None], 2, axis=0), (3.0, _PIXEL, _PIXEL), modality="CT", unit="HU")
    found = []
    for k, kernel in enumerate(KERNELS):
        sigma = SIGMA * float(np.exp(random.uniform(-0.7, 1.1)))  # with it the share of electronic noise
        scanner = Scanner(512, kernel, electronic=float(random.uniform(2, 14)), bow_tie=float(random.uniform(0, 0.8)))
        drawn = independent_noise(image, sigma, scanner, seed, region=image.voxels > -300, workers=1)
        for f, filtered in enumerate(_filters(drawn * np.float32(SIGMA / sigma))):
            level = np.sqrt(np.mean([cv2.GaussianBlur(plane**2, (0, 0), _LEVEL_WIDTH) for plane in filtered], axis=0))
            level = np.maximum(level, 1e-3)
            spectrum = _spectrum_of(filtered / level)
            noise, inside = filtered.astype(np.float16), body > -500
            found.append(
                Projected(k * 4 + f, body if analytic else None, inside, noise, level.astype(np.float16), spectrum)
            )
    return found


def _filters(noise: Voxels) -> Iterator[Voxels]:
    """The noise as it is, softer, sharper, and with less of the lowest frequencies."""
    v, u = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij")
    f = np.hypot(v, u)
    transform = np.fft.rfft2(noise)
    for gain in (np.ones_like(f), np.exp(-((f / 0.22) ** 2)), 1.6 - np.exp(-((f / 0.12) ** 2)), f / (f + 0.04)):
        yield np.asarray(np.fft.irfft2(transform * gain, s=(SIDE, SIDE)), np.float32)


def _torso(random: np.random.Generator) -> Voxels:
    """Ellipses of soft tissue, lung and bone, often with arms beside: what makes noise uneven and streaky."""
    canvas = np.full((SIDE, SIDE), -1000, np.float32)

    def ellipse(x: float, y: float, a: float, b: float, hu: float, turn: float = 0.0) -> None:
        cv2.ellipse(canvas, (round(x), round(y)), (max(round(a), 1), max(round(b), 1)), turn, 0, 360, hu, -1)

    width, depth = random.uniform(150, 225), random.uniform(95, 150)
    middle = SIDE / 2
    ellipse(middle, middle, width, depth, -95)
    ellipse(middle, middle, width * 0.93, depth * 0.9, random.uniform(30, 70))
    if random.random() < 0.7:
        for side in (-1, 1):
            ellipse(
                middle + side * width * 0.45,
                middle,
                width * random.uniform(0.2, 0.36),
                depth * random.uniform(0.4, 0.75),
                -860,
            )
    ellipse(middle, middle + depth * 0.62, random.uniform(14, 26), random.uniform(14, 24), random.uniform(300, 900))
    for _ in range(random.integers(2, 18)):  # ribs, shoulder blades, arms' bones
        angle = random.uniform(0, 2 * np.pi)
        at = middle + width * 0.85 * np.cos(angle), middle + depth * 0.82 * np.sin(angle)
        ellipse(*at, random.uniform(3, 22), random.uniform(2, 7), random.uniform(300, 1200), random.uniform(0, 180))
    if random.random() < 0.5:
        for side in (-1, 1):
            x, y = middle + side * min(width + 12, 228), middle + random.uniform(-40, 40)
            ellipse(x, y, 34, 40, 50)
            ellipse(x, y, random.uniform(9, 16), random.uniform(9, 16), random.uniform(600, 1400))
    return canvas


def _spectrum_of(noise: Voxels) -> Voxels:
    window = np.outer(np.hanning(SPECTRUM), np.hanning(SPECTRUM))
    corners = range(2 * SPECTRUM, 6 * SPECTRUM, SPECTRUM)
    tiles = [plane[y : y + SPECTRUM, x : x + SPECTRUM] for plane in noise for y in corners for x in corners]
    return np.asarray(np.mean([np.abs(np.fft.fft2(tile * window)) ** 2 for tile in tiles], axis=0), np.float32)
