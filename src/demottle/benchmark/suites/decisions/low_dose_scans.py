"""Pairs of full and quarter dose from a simulated scanner, which `simulate low-dose` is held against.

The scanner (`physics.ct.machine`) shares no assumption with the simulation: fan, photons of all energies, a bow-tie of aluminum,
kernels of no Hann family, counts drawn as such. "tune" may be looked at while the simulation is changed; "judge" only says
what it is worth. Both were written down before anything was changed; no patient, kernel or bow-tie is in both. The public
scans, made noise-free, are added where they are found: the abdomen for tuning, the chest for judging.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from demottle.benchmark.suites.ct_real import truth_of
from demottle.benchmark.suites.store import Parts
from demottle.image import Image, Voxels
from demottle.noise.body import body_plane
from demottle.noise.guide import smooth
from demottle.physics.ct.ct_noise import mix_slices
from demottle.physics.ct.machine import Exposure, Machine, seen_through
from demottle.physics.ct.projection import FloatArray, Response
from demottle.physics.phantoms.regions.catalog import region_phantom
from demottle.physics.phantoms.scenes import Grid

TUNING, JUDGING = "tune", "judge"
FIRST_SEED = {TUNING: 6700, JUDGING: 6600}
DOSE = 0.25
SLICES = 3
STEP = 4
"""Maps of the level hold one value for so many rows and columns."""
_SLICE_MM = 3.0
_GRAIN = 0.25  # of that of ct-anatomies: no measure can tell from noise what is new in every slice
_QUARTERS = 1
_DEPTH_MM = 25.0  # below the skin is the middle, where the noise's level is told

Kernel = tuple[float, float, float, float]


@dataclass(frozen=True)
class DoseSetting:
    """One pair.

    Attributes:
        half, name, seed: which one it is.
        patient: arguments of `region_phantom`, "size" and "pixel"; or "real", a public scan, and its "slice".
        kernel: frequency in 1/mm where it ends, how steeply, boost of edges and at which frequency (`response_of`).
        sigma: noise in HU in the middle, full dose.
        rho: correlation of adjacent slices' noise.
        machine: what else the scanner is set to.
    """

    half: str
    name: str
    seed: int
    patient: Mapping[str, Any]
    kernel: Kernel
    sigma: float
    rho: float
    machine: Mapping[str, Any]


_SOFT, _BODY, _EDGE, _LUNG = (0.42, 2.2, 0, 0.3), (0.52, 2.6, 0.15, 0.3), (0.6, 3.5, 0.5, 0.35), (0.8, 7.0, 0.6, 0.55)
_SOFT_2, _BODY_2, _EDGE_2, _LUNG_2 = (
    (0.46, 1.9, 0, 0.3),
    (0.56, 3, 0.25, 0.28),
    (0.66, 4, 0.8, 0.4),
    (0.86, 6, 0.9, 0.6),
)
_WIDE: Mapping[str, Any] = {"size": 420, "pixel": 0.88}
_Row = tuple[str, Mapping[str, Any], Kernel, float, float, Mapping[str, Any]]
_ROWS: Mapping[str, tuple[_Row, ...]] = {
    # name, patient, kernel, HU, rho, machine
    TUNING: (
        ("abdomen, soft", {"region": "abdomen", **_WIDE}, _SOFT, 12, 0.2,
         {"electronic": 6, "bow_tie": (40, 2.4), "modulation": 0.5}),
        ("large abdomen, lung kernel", {"region": "abdomen", "shrink": 1.2, "size": 440, "pixel": 0.97}, _LUNG, 20, 0.2,
         {"electronic": 10, "bow_tie": (65, 2.0), "modulation": 0.6}),
        ("chest, edges", {"region": "chest", **_WIDE}, _EDGE, 14, 0.0,
         {"electronic": 8, "bow_tie": (50, 2.8), "modulation": 0.0}),
        ("large pelvis, body", {"region": "pelvis", "shrink": 1.1, "size": 440, "pixel": 0.98}, _BODY, 16, 0.3,
         {"electronic": 14, "bow_tie": (55, 2.2), "modulation": 0.6}),
        ("child, body", {"region": "abdomen", "shrink": 0.6, "size": 340, "pixel": 0.66}, _BODY, 10, 0.2,
         {"electronic": 5, "bow_tie": (60, 1.8), "modulation": 0.2, "kvp": 80.0}),
        ("shoulders, edges", {"region": "shoulders", "size": 420, "pixel": 1.13}, _EDGE, 20, 0.2,
         {"electronic": 10, "bow_tie": (40, 2.0), "modulation": 0.7}),
        ("head, soft", {"region": "head", "size": 320, "pixel": 0.7}, _SOFT, 6, 0.1,
         {"electronic": 6, "bow_tie": (90, 2.0), "modulation": 0.0}),
    ),
    JUDGING: (
        ("abdomen, lung kernel", {"region": "abdomen", "from_mm": 25.0, "size": 460, "pixel": 0.78}, _LUNG_2, 18, 0.15,
         {"electronic": 8, "bow_tie": (50, 2.1), "modulation": 0.5}),
        ("large abdomen, body", {"region": "abdomen", "shrink": 1.25, "from_mm": -20.0, "size": 440, "pixel": 1.02}, _BODY_2,
         18, 0.25, {"electronic": 12, "bow_tie": (60, 2.3), "modulation": 0.5}),
        ("large abdomen, edges", {"region": "abdomen", "shrink": 1.15, "from_mm": 10.0, "size": 440, "pixel": 0.94}, _EDGE_2, 20,
         0.2, {"electronic": 9, "bow_tie": (45, 2.6), "modulation": 0.0}),
        ("chest, soft", {"region": "chest", "from_mm": -20.0, "size": 440, "pixel": 0.86}, _SOFT_2, 10, 0.25,
         {"electronic": 7, "bow_tie": (55, 2.0), "modulation": 0.4}),
        ("large chest, lung kernel", {"region": "chest", "shrink": 1.15, "from_mm": 20.0, "size": 440, "pixel": 0.98}, _LUNG_2,
         20, 0.0, {"electronic": 10, "bow_tie": (70, 2.4), "modulation": 0.6}),
        ("pelvis, edges", {"region": "pelvis", "from_mm": -25.0, "size": 440, "pixel": 0.9}, _EDGE_2, 15, 0.3,
         {"electronic": 10, "bow_tie": (45, 1.9), "modulation": 0.7}),
        ("small patient, soft", {"region": "abdomen", "shrink": 0.75, "from_mm": -30.0, "size": 400, "pixel": 0.68}, _SOFT_2,
         10, 0.2, {"electronic": 6, "bow_tie": (55, 2.5), "modulation": 0.3, "kvp": 100.0}),
        ("shoulders, body", {"region": "shoulders", "from_mm": -15.0, "size": 420, "pixel": 1.13}, _BODY_2, 20, 0.2,
         {"electronic": 12, "bow_tie": (48, 2.2), "modulation": 0.6}),
    ),
}  # fmt: skip
_REAL: Mapping[str, tuple[_Row, ...]] = {
    TUNING: (
        ("real abdomen, lung kernel", {"real": "abdomen", "slice": 30}, _LUNG, 18, 0.15,
         {"electronic": 9, "bow_tie": (50, 2.2), "modulation": 0.5}),
        ("real abdomen, soft", {"real": "abdomen", "slice": 42}, _SOFT, 12, 0.2,
         {"electronic": 8, "bow_tie": (60, 2.4), "modulation": 0.6}),
    ),
    JUDGING: (
        ("real chest, edges", {"real": "chest", "slice": 26}, _EDGE_2, 16, 0.2,
         {"electronic": 9, "bow_tie": (55, 2.1), "modulation": 0.5}),
        ("real chest, body", {"real": "chest", "slice": 40}, _BODY_2, 14, 0.2,
         {"electronic": 11, "bow_tie": (45, 2.3), "modulation": 0.6}),
    ),
}  # fmt: skip


def settings(half: str) -> list[DoseSetting]:
    """All settings of a half; those on public scans come last."""
    rows = (*_ROWS[half], *_REAL[half])
    return [DoseSetting(half, row[0], FIRST_SEED[half] + n, *row[1:]) for n, row in enumerate(rows)]


def response_of(kernel: Kernel) -> Response:
    """`[1 + boost (g(f) - g(0))] exp(-(f / end)^steep)`, g a Gaussian of half the boosted frequency around it."""
    end, steep, boost, at = kernel
    f = np.linspace(0, 3.2, 321)
    bump = np.exp(-(((f - at) / (at / 2)) ** 2))
    gain = (1 + boost * (bump - bump[0])) * np.exp(-((f / end) ** steep))
    return Response(tuple(f.tolist()), tuple(gain.tolist()))


def drawn(setting: DoseSetting, folder: Path | None, cache: Path) -> Parts:
    """Scan a patient at full dose, and draw what a quarter of it has.

    Returns:
        "full": (slices, rows, columns) in HU; "quarter": noise of the middle slice at a quarter of the dose, several times;
        "added": variance in HU^2 that it has more than the full dose, on a coarse grid; "body": 1 inside, 0 outside; "spacing".
    """
    plain = _patient(setting, folder, cache)
    machine = Machine(response_of(setting.kernel), **setting.machine)
    exposed = [Exposure(plane, plain.spacing[1], machine) for plane in plain.voxels]
    exposed = [exposed[0], *exposed, exposed[-1]]  # beyond the ends the anatomy goes on
    inside = np.stack([body_plane(smooth(plane), "HU") for plane in plain.voxels])
    photons = _photons(setting.sigma, exposed[1], inside[0], plain.spacing[1])
    full = np.stack([one.noise(photons, np.random.default_rng([setting.seed, n])) for n, one in enumerate(exposed)])
    quarter = [exposed[2].noise(DOSE * photons, np.random.default_rng([setting.seed, 9, n])) for n in range(_QUARTERS)]
    shown = plain.voxels
    if "real" not in setting.patient:  # a real scan was seen through a kernel already
        shown = np.stack([seen_through(plane, plain.spacing[1], response_of(setting.kernel)) for plane in shown])
    added = [one.variance_map(DOSE * photons, STEP) - one.variance_map(photons, STEP) for one in exposed[1:-1]]
    return {
        "full": np.maximum(np.rint(shown + mix_slices(full, setting.rho)), -1024).astype(np.float32),
        "quarter": np.stack(quarter),
        "added": np.stack(added),
        "body": inside.astype(np.float32),
        "spacing": np.array(plain.spacing, np.float32),
    }


def _patient(setting: DoseSetting, folder: Path | None, cache: Path) -> Image:
    """Three noise-free slices."""
    patient = dict(setting.patient)
    if "real" in patient:
        first = patient["slice"] - 1
        return truth_of(patient["real"], first, first + SLICES, folder, cache)
    pixel = patient.pop("pixel")
    grid = Grid(SLICES, patient.pop("size"), (_SLICE_MM, pixel, pixel))
    return region_phantom(patient.pop("region"), grid, setting.seed, grain=_GRAIN, **patient)


def _photons(sigma: float, exposed: Exposure, body: Voxels, pixel: float) -> float:
    """Photons for which the noise has `sigma` HU in the middle of the body, found by secants in the logarithm."""
    middle = deep(body, _DEPTH_MM / pixel)
    photons, last = 1e6, (0.0, 0.0)
    for turn in range(5):
        found = _mean(exposed.variance_map(photons, 2 * STEP), middle)
        now = (float(np.log(photons)), float(np.log(found / sigma**2)))
        slope = -1.0 if turn == 0 else (now[1] - last[1]) / (now[0] - last[0])
        if abs(now[1]) < 1e-3:
            break
        photons, last = float(np.exp(now[0] - now[1] / slope)), now
    return photons


def deep(body: Voxels, pixels: float) -> FloatArray:
    """1 where a body is at least so many pixels below its skin, 0 elsewhere; the deepest third where nothing is."""
    depth = cv2.distanceTransform(np.asarray(body > 0, np.uint8), cv2.DIST_L2, 5)
    return np.asarray(depth >= min(pixels, 0.67 * float(depth.max())), np.float32)


def _mean(coarse: FloatArray, where: FloatArray) -> float:
    share = cv2.resize(where, coarse.shape[::-1], interpolation=cv2.INTER_AREA)
    return float((coarse * share).sum() / share.sum())
