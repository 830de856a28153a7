"""Complex MR series with known truth: functional (activation, drift, heart, breath) and diffusion (a tensor per voxel).

The head is `brain_phantom`'s, on the coarse grid of such series. Both have a static phase (field and coil), a phase of each
volume (breathing and drift, or motion during the diffusion gradients) and complex Gaussian noise of sigma times a g-factor of 1
to `g_factor`, strongest in the middle, as parallel imaging leaves it. Simulated: no readout, distortion or motion is in it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image
from demottle.physics.phantoms.brain import BrainTissue, brain_phantom

Complex = NDArray[np.complex64]
Array = NDArray[np.float32]
_GRAY = (BrainTissue.GRAY, BrainTissue.DEEP_GRAY)
_BETWEEN, _PITCH = 3.0, 216.0  # mm: distance of slices, width of an image
_CYCLE = 40.0  # s of rest and task together
_STATIC_TURNS = 3.0  # rad
_B_VALUE = 1.0  # ms / um^2


@dataclass(frozen=True, eq=False)
class MrSeries:
    """A simulated complex series.

    Attributes:
        truth, noisy: complex64, (volumes, slices, rows, columns).
        noise_map: standard deviation of the noise in each part of the signal, (slices, rows, columns).
        head: True in the brain and its coverings, (slices, rows, columns).
        tissue: `BrainTissue` at each voxel.
        active: where the task changes the signal (all False for diffusion).
        design: what the task does over time, mean 0 and largest value 1 apart (zeros for diffusion), (volumes,).
        noise_only: volumes without any signal, complex64, for a noise scan.
        spacing: s between volumes, mm between slices, rows and columns.
    """

    truth: Complex
    noisy: Complex
    noise_map: Array
    head: NDArray[np.bool_]
    tissue: NDArray[np.uint8]
    active: NDArray[np.bool_]
    design: Array
    noise_only: Complex
    spacing: tuple[float, float, float, float]


def functional_series(
    volumes: int = 100, slices: int = 12, size: int = 64, snr: float = 20.0, g_factor: float = 3.0, seed: int = 0
) -> MrSeries:
    """Simulate a block design: 2 to 5 % of activation in parts of the gray matter, drift, breathing and heartbeat.

    Args:
        volumes: one every 2 s.
        slices, size: slices and size of the head, 3 mm apart and size x size pixels.
        snr: median signal of gray matter over sigma where the g-factor is 1.
        g_factor: the largest one.
        seed: another seed gives another head, other noise and other spots.
    """
    rng = np.random.default_rng([seed, 21])
    image, tissue = _head(slices, size, seed)
    shape, times = image.shape, 2.0 * np.arange(volumes)
    design = _response(times)
    gray = np.isin(tissue, _GRAY)
    active, strength = _spots(gray, rng)
    weight = [strength * active, 0.01 * _smooth(shape, rng), 0.012 * _smooth(shape, rng) * (tissue > 0)]
    fluid = np.isin(tissue, (BrainTissue.FLUID, BrainTissue.VESSEL))
    weight.append(0.02 * np.abs(_smooth(shape, rng)) * (0.3 + 2 * fluid))
    breath = np.sin(2 * np.pi * (0.27 * times + 0.02 * np.cumsum(rng.normal(size=volumes))) + rng.uniform(0, 6))
    beat = np.sin(2 * np.pi * (1.08 * times + 0.02 * np.cumsum(rng.normal(size=volumes))) + rng.uniform(0, 6))
    drift = np.cos(np.pi * np.linspace(0, 1, volumes)) + 0.3 * np.linspace(-1, 1, volumes) ** 2
    courses = np.stack([design, drift, breath, beat])
    change = np.einsum("kt,kzyx->tzyx", courses, np.stack(weight)).astype(np.float32)
    turn = _of_breath(shape, rng, breath, drift)
    truth = image.voxels * (1 + change) * np.exp(1j * (_static_phase(shape, rng) + turn))
    gray_signal = float(np.median(image.voxels[gray]))
    return _noisy(truth, image, tissue, active, design, gray_signal / snr, g_factor, 2.0, rng)


def diffusion_series(
    directions: int = 60, slices: int = 12, size: int = 64, snr: float = 15.0, g_factor: float = 3.0, seed: int = 0
) -> MrSeries:
    """Simulate diffusion weighting: six volumes without, `directions` with b = 1000 s/mm^2, a phase of each shot.

    Args:
        directions: spread evenly over the sphere.
        slices, size, g_factor, seed: as of `functional_series`.
        snr: median signal of white matter without diffusion weighting over sigma where the g-factor is 1.
    """
    rng = np.random.default_rng([seed, 22])
    image, tissue = _head(slices, size, seed)
    shape = image.shape
    vectors = np.concatenate([np.zeros((6, 3)), _sphere(directions)])
    b = np.where(np.abs(vectors).sum(axis=1) > 0, _B_VALUE, 0.0)
    fiber = np.stack([_smooth(shape, rng) for _ in range(3)])
    fiber /= np.sqrt((fiber**2).sum(axis=0)) + 1e-6
    white = np.isin(tissue, (BrainTissue.WHITE, BrainTissue.LESION))
    fluid = np.isin(tissue, (BrainTissue.FLUID, BrainTissue.VESSEL))
    across = np.where(white, 0.4, np.where(fluid, 3.0, 0.75)) * (1 + 0.05 * _smooth(shape, rng))
    along = np.where(white, 1.7, across)
    cosine = np.einsum("tk,kzyx->tzyx", vectors, fiber) ** 2
    decay = np.exp(-b[:, None, None, None] * (across + (along - across) * cosine))
    turn = np.stack([_shot(shape, rng, 1.0 if value else 0.1) for value in b])
    truth = image.voxels * decay * np.exp(1j * (_static_phase(shape, rng) + turn))
    sigma = float(np.median(image.voxels[white])) / snr
    nothing = np.zeros(shape, np.bool_)
    return _noisy(truth, image, tissue, nothing, np.zeros(len(b), np.float32), sigma, g_factor, 6.0, rng)


def _head(slices: int, size: int, seed: int) -> tuple[Image, NDArray[np.uint8]]:
    brain = brain_phantom(slices, size, (_BETWEEN, _PITCH / size, _PITCH / size), seed, "t2")
    return brain.image, brain.tissue


def _noisy(
    truth: NDArray[np.complexfloating],
    image: Image,
    tissue: NDArray[np.uint8],
    active: NDArray[np.bool_],
    design: Array,
    sigma: float,
    g_factor: float,
    seconds: float,
    rng: np.random.Generator,
) -> MrSeries:
    z, y, x = (np.linspace(-1, 1, count) for count in image.shape)
    bump = np.exp(-(y[:, None] ** 2 + x[None] ** 2) / 0.32) * (1 - 0.15 * z[:, None, None] ** 2)
    noise_map = np.asarray(sigma * (1 + (g_factor - 1) * bump), np.float32)

    def noise(count: int) -> Complex:
        white = rng.standard_normal((2, count, *image.shape), np.float32)
        return np.asarray(noise_map * (white[0] + 1j * white[1]), np.complex64)

    return MrSeries(
        truth=truth.astype(np.complex64),
        noisy=np.asarray(truth + noise(len(truth)), np.complex64),
        noise_map=noise_map,
        head=tissue > 0,
        tissue=tissue,
        active=active,
        design=design,
        noise_only=noise(5),
        spacing=(seconds, *image.spacing),
    )


def _response(times: NDArray[np.floating]) -> Array:
    """A block design through the usual response of the blood (two gamma functions)."""
    t = np.arange(0, 30, 0.1)
    kernel = t**5 * np.exp(-t) / 120 - t**15 * np.exp(-t) / 1.307674368e12 / 6
    fine = np.arange(0, times[-1] + 0.1, 0.1)
    task = (fine % _CYCLE >= _CYCLE / 2).astype(np.float64)
    course = np.interp(times, fine, np.convolve(task, kernel)[: fine.size] * 0.1)
    course -= course.mean()
    return np.asarray(course / np.ptp(course), np.float32)


def _spots(gray: NDArray[np.bool_], rng: np.random.Generator) -> tuple[NDArray[np.bool_], Array]:
    """Where and by what share of the signal a task activates: the gray matter of six balls of 20 to 40 mm."""
    places = np.argwhere(gray)
    grid = np.indices(gray.shape).astype(np.float32)
    active, strength = np.zeros(gray.shape, np.bool_), np.zeros(gray.shape, np.float32)
    pitch = _PITCH / gray.shape[1]
    for index in rng.choice(len(places), 6, replace=False):
        steps = grid - places[index][:, None, None, None]
        away = np.sqrt((_BETWEEN * steps[0]) ** 2 + (pitch * steps[1]) ** 2 + (pitch * steps[2]) ** 2)
        spot = gray & (away < rng.uniform(10, 20))
        active |= spot
        strength[spot] = rng.uniform(0.02, 0.05)
    return active, strength


def _smooth(shape: tuple[int, ...], rng: np.random.Generator, waves: int = 6) -> Array:
    """A smooth random field of about unit deviation: a few plane waves at most as short as half the image."""
    grid = np.meshgrid(*(np.linspace(0, 1, count) for count in shape), indexing="ij")
    field = np.zeros(shape)
    for _ in range(waves):
        angle = sum(rng.uniform(-2, 2) * axis for axis in grid)
        field += np.cos(2 * np.pi * angle + rng.uniform(0, 2 * np.pi))
    return np.asarray(field * np.sqrt(2 / waves), np.float32)


def _static_phase(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return np.asarray(_STATIC_TURNS * _smooth(shape, rng), np.float32)


def _of_breath(
    shape: tuple[int, ...], rng: np.random.Generator, breath: NDArray[np.float64], drift: NDArray[np.float64]
) -> Array:
    """Breathing and drift of the field turn the phase of each volume, most where the lungs are near."""
    field = 1 + 0.5 * _smooth(shape, rng, 3)
    course = 0.25 * breath + 1.2 * drift
    return np.asarray(course[:, None, None, None] * field, np.float32)


def _shot(shape: tuple[int, ...], rng: np.random.Generator, size: float) -> Array:
    """Motion during the diffusion gradients: each slice of a volume has another constant, slope and curvature of its phase."""
    y, x = (np.linspace(-1, 1, count) for count in shape[1:])
    terms = np.stack(
        [np.ones(shape[1:]), y[:, None] + 0 * x, 0 * y[:, None] + x, y[:, None] * x, y[:, None] ** 2 + 0 * x]
    )
    scale = np.array([np.pi, 1.5, 1.5, 0.5, 0.5])
    return np.asarray(np.einsum("zk,kyx->zyx", size * scale * rng.normal(size=(shape[0], 5)), terms), np.float32)


def _sphere(count: int) -> NDArray[np.float64]:
    """Directions spread evenly over a sphere, along a spiral of golden angles."""
    index = np.arange(count) + 0.5
    up = 1 - index / count  # half a sphere: a direction and its opposite weigh alike
    around = np.pi * (1 + 5**0.5) * index
    flat = np.sqrt(1 - up**2)
    return np.stack([flat * np.cos(around), flat * np.sin(around), up], axis=1)
