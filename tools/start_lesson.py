"""What the network that learning from a scan starts with is taught: simulated tissue and noise, drawn on the device."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from tools.start_simulations import SIGMA, SPECTRUM, Projected
from torch import Tensor, nn
from torch.nn import functional

from demottle.image import Voxels
from demottle.losses.neighbors import bounded_square
from demottle.methods.one_scan.slice_network import Normalized, Scale
from demottle.networks.windowed_wiener import WindowedWiener

_PROJECTED_SHARE = 0.35
_STRUCTURED_SHARE = 0.25
_LEVELS = (8.0, 120.0)  # HU
_MISJUDGED = 0.06  # error of the noise level as it would be measured
_SEEN = (-950.0, 400.0)  # HU; beyond, the network is not asked
_MOSTLY_BODY = 0.6


@dataclass(frozen=True, eq=False)
class Batch:
    """Patches (n, side, side), the mean noise spectrum that would be measured, and the noise level of the whole."""

    tissue: Tensor
    noise: Tensor
    level: Tensor
    spectrum: Voxels
    overall: float


class Lesson:
    """Draws batches; every draw comes from two generators of one seed.

    Args:
        tissue, structures: pools (count, side, side), float16.
        projected: noise with streaks.
        patch, batch: side and number of the patches of a step.
        device: where all of it lies.
        seed: of the draws.
    """

    def __init__(
        self,
        tissue: Voxels,
        structures: Voxels,
        projected: Iterable[Projected],
        patch: int,
        batch: int,
        device: torch.device,
        seed: int,
    ) -> None:
        """Bring the pools to the device."""
        self._patch, self._batch, self._device = patch, batch, device
        self._tissue = torch.from_numpy(tissue).to(device)
        self._structures = torch.from_numpy(structures).to(device)
        self._styles: dict[int, list[_Field]] = {}
        spectra: dict[int, list[Voxels]] = {}
        for one in projected:
            self._styles.setdefault(one.style, []).append(_Field(one, patch, device))
            spectra.setdefault(one.style, []).append(one.spectrum)
        self._spectra = {style: np.mean(found, axis=0) for style, found in spectra.items()}
        self._random = np.random.default_rng(seed)
        self._draws = torch.Generator(device).manual_seed(seed)

    def loss(self, student: nn.Module) -> Tensor:
        """Squared error in units of the local noise, large errors counted linearly."""
        assert isinstance(student, Normalized)
        batch = self._stationary() if self._random.random() >= _PROJECTED_SHARE else self._from_projections()
        student.pilot = WindowedWiener(batch.spectrum).to(self._device)
        student.scale = Scale(0.0, 400.0, batch.overall, 150.0)
        known = batch.level * torch.exp(_MISJUDGED * self._normal(self._batch, 1, 1))
        clean = self._with_structures(batch)[:, None]
        level = batch.level[:, None]
        error = (student(clean + batch.noise[:, None], known[:, None]) - clean) / level
        asked = (clean > _SEEN[0]) & (clean < _SEEN[1])
        return (asked * bounded_square(error, torch.full_like(error, 2.0))).mean()

    def _with_structures(self, batch: Batch) -> Tensor:
        few = int(self._batch * _STRUCTURED_SHARE)
        added = torch.zeros_like(batch.tissue)
        added[:few] = self._cut(self._structures, few)
        return batch.tissue + added * batch.level

    def _stationary(self) -> Batch:
        """Noise of one family of spectra, each patch with its own direction and slowly changing level."""
        random, n, side = self._random, self._batch, self._patch
        shape = (random.uniform(0.2, 1.4), np.exp(random.uniform(np.log(0.09), np.log(0.45))), random.uniform(1.2, 4))
        overall = self._some_level()
        stretch = np.exp(random.uniform(-1, 1.5, n)) * random.integers(0, 2, n)
        amplitude = torch.sqrt(_ct_spectra(shape, stretch, random.uniform(0, np.pi, n), side, self._device))
        amplitude[:, 0, 0] = 0
        noise = torch.fft.ifft2(torch.fft.fft2(self._normal(n, side, side)) * amplitude).real
        noise = noise / amplitude.square().mean((1, 2), keepdim=True).sqrt()
        level = overall * torch.exp(0.4 * self._normal(n, 1, 1) + self._fields(n))
        mean = _ct_spectra(shape, np.zeros(1), np.zeros(1), SPECTRUM, self._device)[0]
        return Batch(self._cut(self._tissue, n), noise * level, level, mean.cpu().numpy(), overall)

    def _from_projections(self) -> Batch:
        """Noise with streaks; under it the body that made them, or random tissue."""
        random = self._random
        style = int(random.choice(list(self._styles)))
        overall = self._some_level()
        tissue = self._cut(self._tissue, self._batch)
        noise, level = torch.empty_like(tissue), torch.empty_like(tissue)
        for n in range(self._batch):
            field = self._styles[style][random.integers(len(self._styles[style]))]
            at = field.place(random)
            turned = [axis for axis in (0, 1) if random.random() < 0.5]
            noise[n] = torch.flip(field.noise[(random.integers(len(field.noise)), *at)].float(), turned)
            level[n] = torch.flip(field.level[at].float(), turned)
            if field.body is not None and random.random() < 0.5:
                tissue[n] = torch.flip(field.body[at].float(), turned)
        gain = overall / SIGMA
        return Batch(tissue, noise * gain, level * gain, self._spectra[style], overall)

    def _some_level(self) -> float:
        return float(np.exp(self._random.uniform(np.log(_LEVELS[0]), np.log(_LEVELS[1]))))

    def _cut(self, pool: Tensor, count: int) -> Tensor:
        """Patches from random places of random pictures, mirrored and turned at random."""
        random, side = self._random, self._patch
        steps = np.arange(side)

        def along() -> Tensor:
            at = random.integers(0, pool.shape[1] - side + 1, count)[:, None] + steps
            mirrored = random.random(count) < 0.5
            at[mirrored] = at[mirrored, ::-1]
            return torch.from_numpy(at).to(self._device)

        which = torch.from_numpy(random.integers(0, len(pool), count)).to(self._device)[:, None, None]
        cut = pool[which, along()[:, :, None], along()[:, None, :]].float()
        turned = torch.from_numpy(random.random(count) < 0.5).to(self._device)[:, None, None]
        return torch.where(turned, cut.transpose(1, 2), cut)

    def _fields(self, count: int) -> Tensor:
        """Smooth random fields (count, side, side) of random strength."""
        coarse = self._normal(count, 1, 8, 8)
        field = functional.interpolate(coarse, size=(self._patch, self._patch), mode="bicubic", align_corners=False)[
            :, 0
        ]
        strength = torch.from_numpy(self._random.uniform(0, 0.25, (count, 1, 1))).float().to(self._device)
        return field / field.std((1, 2), keepdim=True) * strength

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._draws, device=self._device)


class _Field:
    """Noise of one body on the device, and where patches of mostly body lie in it."""

    def __init__(self, projected: Projected, patch: int, device: torch.device) -> None:
        self.noise = torch.from_numpy(projected.noise).to(device)
        self.level = torch.from_numpy(projected.level).to(device)
        self.body = None if projected.body is None else torch.from_numpy(projected.body.copy()).to(device)
        self._patch = patch
        total = np.pad(projected.inside.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        share = total[patch:, patch:] - total[:-patch, patch:] - total[patch:, :-patch] + total[:-patch, :-patch]
        self._corners = np.argwhere(share > _MOSTLY_BODY * patch**2)

    def place(self, random: np.random.Generator) -> tuple[slice, slice]:
        """Rows and columns of a patch."""
        row, column = (int(v) for v in self._corners[random.integers(len(self._corners))])
        return slice(row, row + self._patch), slice(column, column + self._patch)


def _ct_spectra(
    shape: tuple[float, float, float], stretch: Voxels, direction: Voxels, side: int, device: torch.device
) -> Tensor:
    """f^p exp(-(f / c)^q), (n, side, side): a ramp, and what a kernel leaves of it; `stretch` makes one direction stronger."""
    power, cut, steepness = shape
    f = torch.fft.fftfreq(side, device=device)
    v, u = torch.meshgrid(f, f, indexing="ij")
    radius = torch.hypot(u, v)
    plain = radius**power * torch.exp(-((radius / cut) ** steepness))
    strong, along = (
        torch.as_tensor(np.asarray(a, np.float32), device=device)[:, None, None] for a in (stretch, direction)
    )
    return plain * (1 + strong * torch.cos(torch.atan2(v, u) - along) ** 2) ** 2
