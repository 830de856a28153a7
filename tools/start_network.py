"""Train the network that learning from a scan starts with: `python tools/start_network.py OUT.safetensors [--steps 5000]`.

It sees no patient: random tissue and analytic bodies, with noise of random spectra, levels and directions (some of it drawn in
projections, with its streaks), and the same without noise as the target. Seeded; 20 minutes on two cores. The file that
demottle ships, src/demottle/networks/start_slices.safetensors, was made by this call.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from demottle.image import Voxels
from demottle.learning.loop import Schedule, learn
from demottle.learning.seeding import seeded
from demottle.learning.structures import random_structures
from demottle.losses.neighbors import bounded_square
from demottle.methods.one_scan.slice_network import INPUTS, Normalized, Scale
from demottle.networks.half_resolution_unet import HalfResolutionUNet
from demottle.networks.windowed_wiener import WindowedWiener
from demottle.noise.synthesis import NoiseSource
from demottle.physics.catalog import build
from demottle.physics.ct_noise import Scanner, independent_noise
from demottle.physics.random_tissue import random_tissue

SIZE, BATCH = 96, 8
KERNELS = ("soft", "standard", "sharp")
BODIES = range(100, 106)
_SIGMA = 30.0  # of the noise drawn in projections
_PROJECTED_SHARE = 0.3
_LEVELS = (8.0, 120.0)  # HU
_MISJUDGED = 0.06  # error of the noise level as it would be measured
_SEEN = (-950.0, 400.0)  # HU; beyond, the network is not asked
_SPECTRUM = 64


@dataclass(frozen=True, eq=False)
class Projected:
    """Bodies and noise drawn in their projections: truth (n, 512, 512); noise and its level for every kernel; mean spectra."""

    truth: Voxels
    noise: dict[str, Voxels]
    level: dict[str, Voxels]
    spectra: dict[str, Voxels]


@dataclass(frozen=True, eq=False)
class Batch:
    """Patches (n, SIZE, SIZE), the mean noise spectrum that would be measured, and the noise level of the whole."""

    tissue: Voxels
    noise: Voxels
    level: Voxels
    spectrum: Voxels
    overall: float


def projected_bodies() -> Projected:
    """Paint bodies and draw their noise."""
    truth = []
    noise: dict[str, list[Voxels]] = {kernel: [] for kernel in KERNELS}
    level: dict[str, list[Voxels]] = {kernel: [] for kernel in KERNELS}
    for seed in BODIES:
        body = build("body", 3, 512, (3.0, 0.75, 0.75), seed).image
        truth.append(body.voxels)
        for kernel in KERNELS:
            drawn = independent_noise(body, _SIGMA, Scanner(512, kernel), seed)[1:-1]
            variance = np.mean([cv2.GaussianBlur(plane**2, (0, 0), 14) for plane in drawn], axis=0)
            noise[kernel].append(drawn)
            level[kernel].append(np.repeat(np.sqrt(variance)[None], len(drawn), axis=0))
    whole = {kernel: np.concatenate(planes) for kernel, planes in noise.items()}
    levels = {kernel: np.concatenate(planes) for kernel, planes in level.items()}
    return Projected(np.concatenate(truth), whole, levels, {k: _spectrum_of(whole[k] / levels[k]) for k in KERNELS})


def _spectrum_of(noise: Voxels) -> Voxels:
    window = np.outer(np.hanning(_SPECTRUM), np.hanning(_SPECTRUM))
    corners = range(2 * _SPECTRUM, 5 * _SPECTRUM, _SPECTRUM)
    tiles = [plane[y : y + _SPECTRUM, x : x + _SPECTRUM] for plane in noise for y in corners for x in corners]
    return np.asarray(np.mean([np.abs(np.fft.fft2(tile * window)) ** 2 for tile in tiles], axis=0), np.float32)


class Lesson:
    """Draws batches."""

    def __init__(self, projected: Projected, seed: int) -> None:
        """Keep the bodies; every draw comes from one generator."""
        self._projected, self._random = projected, np.random.default_rng(seed)

    def loss(self, student: nn.Module) -> Tensor:
        """Squared error in units of the local noise, large errors counted linearly."""
        assert isinstance(student, Normalized)
        random = self._random
        batch = self._stationary() if random.random() >= _PROJECTED_SHARE else self._from_projections()
        student.pilot = WindowedWiener(batch.spectrum)
        student.scale = Scale(0.0, 400.0, batch.overall, 150.0)
        known = batch.level * np.exp(random.normal(0, _MISJUDGED, (BATCH, 1, 1)))
        clean, noise, level, measured = (
            torch.from_numpy(np.ascontiguousarray(part, np.float32))[:, None]
            for part in (self._with_structures(batch), batch.noise, batch.level, known)
        )
        error = (student(clean + noise, measured) - clean) / level
        asked = (clean > _SEEN[0]) & (clean < _SEEN[1])
        return (asked * bounded_square(error, torch.full_like(error, 2.0))).mean()

    def _with_structures(self, batch: Batch) -> Voxels:
        few = BATCH // 4
        added = np.zeros_like(batch.tissue)
        added[:few] = random_structures(few, SIZE, self._random)
        return batch.tissue + added * batch.level

    def _stationary(self) -> Batch:
        """Noise of one family of spectra, each patch with its own direction and slowly changing level."""
        random = self._random
        shape = (
            random.uniform(0.2, 1.4),
            np.exp(random.uniform(np.log(0.09), np.log(0.45))),
            random.uniform(1.2, 4),
        )
        overall = float(np.exp(random.uniform(np.log(_LEVELS[0]), np.log(_LEVELS[1]))))
        tissue, noise, levels = [], [], []
        for _ in range(BATCH):
            stretch = random.choice([0, np.exp(random.uniform(-1, 1.5))])
            source = NoiseSource(_ct_spectrum(shape, stretch, random.uniform(0, np.pi)), SIZE)
            level = overall * np.exp(random.normal(0, 0.4) + _field(random.uniform(0, 0.25), random))
            tissue.append(random_tissue(SIZE, random))
            noise.append(source.draw(1, random)[0] * level)
            levels.append(level)
        return Batch(np.stack(tissue), np.stack(noise), np.stack(levels), _ct_spectrum(shape), overall)

    def _from_projections(self) -> Batch:
        """Noise with streaks; under it the body that made them, or random tissue."""
        random, bodies = self._random, self._projected
        kernel = KERNELS[random.integers(len(KERNELS))]
        overall = float(np.exp(random.uniform(np.log(_LEVELS[0]), np.log(_LEVELS[1]))))
        tissue, noise, levels = [], [], []
        for _ in range(BATCH):
            at = self._place()
            mirrored = [axis for axis in (0, 1) if random.random() < 0.5]
            body = np.flip(bodies.truth[at], mirrored)
            tissue.append(random_tissue(SIZE, random) if random.random() < 0.5 else body)
            noise.append(np.flip(bodies.noise[kernel][at], mirrored) * (overall / _SIGMA))
            levels.append(np.flip(bodies.level[kernel][at], mirrored) * (overall / _SIGMA))
        return Batch(np.stack(tissue), np.stack(noise), np.stack(levels), bodies.spectra[kernel], overall)

    def _place(self) -> tuple[int, slice, slice]:
        """A patch that shows mostly body."""
        random, truth = self._random, self._projected.truth
        for _ in range(20):
            n = int(random.integers(len(truth)))
            row, column = (int(v) for v in random.integers(60, truth.shape[1] - SIZE - 60, 2))
            at = (n, slice(row, row + SIZE), slice(column, column + SIZE))
            if (truth[at] > -300).mean() > 0.6:
                break
        return at


def _ct_spectrum(shape: tuple[float, float, float], stretch: float = 0.0, direction: float = 0.0) -> Voxels:
    """f^p exp(-(f / c)^q): a ramp, and what a kernel leaves of it; `stretch` makes one direction stronger."""
    power, cut, steepness = shape
    v, u = np.meshgrid(np.fft.fftfreq(_SPECTRUM), np.fft.fftfreq(_SPECTRUM), indexing="ij")
    f = np.hypot(u, v)
    plain = f**power * np.exp(-((f / cut) ** steepness))
    return np.asarray(plain * (1 + stretch * np.cos(np.arctan2(v, u) - direction) ** 2) ** 2, np.float32)


def _field(strength: float, random: np.random.Generator) -> Voxels:
    """A smooth random field (SIZE, SIZE) of that standard deviation."""
    coarse = random.standard_normal((8, 8)).astype(np.float32)
    field = cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field / field.std() * strength, np.float32)


def main() -> None:
    """Train and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    lesson = Lesson(projected_bodies(), options.seed)
    network = seeded(lambda: HalfResolutionUNet(INPUTS), options.seed)
    student = Normalized(network, WindowedWiener(_ct_spectrum((1, 0.2, 2))), Scale(0.0, 400.0, 40.0, 150.0))
    started = time.monotonic()

    def say(progress: object) -> None:
        done = int(getattr(progress, "done", 0))
        if done % 100 == 0:
            print(f"{done} of {options.steps} steps, {time.monotonic() - started:.0f} s", flush=True)

    schedule = Schedule(steps=options.steps, cool_down=0.5, averaging=0.995)
    learned, history = learn(student, lesson.loss, schedule, listener=say)
    last = float(np.mean(history.losses[-200:]))
    print(f"loss over the last 200 steps {last:.4f}")
    recipe = {"recipe": "tools/start_network.py", "steps": options.steps, "seed": options.seed, "loss": round(last, 5)}
    weights = {
        name: value.detach().to(torch.bfloat16).contiguous() for name, value in learned.network.state_dict().items()
    }
    save_file(weights, options.out, {"demottle": json.dumps(recipe)})


if __name__ == "__main__":
    main()
