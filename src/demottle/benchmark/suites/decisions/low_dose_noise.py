"""Suite low-dose-noise: is the noise that `simulate low-dose` adds that of a real quarter dose?

From the full-dose scan alone, one slice and three, over the scans of `low_dose_scans`. Held against what the scanner's own
quarter dose has more than its full dose: the level (root of the mean variance) over the body, in its middle and at its rim, and
in the worst of 17 places (the middle, and eight directions at two depths): within 5 %. The map of the local level (8 pixels
wide): correlation 0.9. The spectrum over the body up to Nyquist: its power above half the cut-off within 5 points, the cut-off
being where 99 % of the true power lies below; and the mean frequency. Levels are those foretold (`LowDose.variance`), which
have no chance in them; spectra are those of noise that was drawn.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.decisions.low_dose_scans import (
    DOSE,
    FIRST_SEED,
    JUDGING,
    TUNING,
    DoseSetting,
    drawn,
    settings,
)
from demottle.benchmark.suites.decisions.noise_measures import covariance_density
from demottle.benchmark.suites.real_scans import folder_of, real_folder
from demottle.benchmark.suites.store import Parts, kept_as
from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.spectrum import Array, spectrum_of_density
from demottle.physics.low_dose.scan import LowDose

LEVEL, MAP, POWER = 0.05, 0.9, 0.05
"""How far the level may be off in the worst place, the least correlation of the maps, how far the power above may be off."""
STACKS = (1, 3)
_SEED = 5
_SMOOTH = 8.0  # pixels
_SKIN, _SECTORS = 3, 8  # pixels left out, directions
_RIM_MM, _MIDDLE = 15.0, 0.6  # depth below the skin; share of the greatest depth
_FEWEST = 1000  # pixels of a place
_SHARE = 0.99


@dataclass(frozen=True)
class Likeness:
    """Simulated noise against true noise: levels as ratios less 1, power as difference of shares, frequencies in 1/mm."""

    level: float
    middle: float
    rim: float
    worst: float
    correlation: float
    power: float
    mean: float
    true_mean: float


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the scans, judged ones first, each as one slice and as three; those on public scans where these are found."""
    count = choices.seeds or (1 if choices.quick else None)
    folder = real_folder(choices.real)
    path = {} if folder is None or not folder.is_dir() else {"path": str(folder)}
    return tuple(
        CaseSpec(
            "low-dose-noise",
            f"{half}, {_told(slices)}",
            100 * slices + one.seed,
            {"name": one.name, "slices": slices, **path},
        )
        for half in (JUDGING, TUNING)
        for one in [one for one in settings(half) if path or "real" not in one.patient][:count]
        for slices in STACKS
    )


def entrants() -> tuple[str, ...]:
    """What `simulate low-dose` does by default."""
    return ("simulate low-dose",)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Simulate a quarter of the dose from the full one and hold the noise against the scanner's own."""
    setting = setting_of(spec)
    parts = kept_as(cache, f"low-dose-{setting.seed}", lambda: drawn(setting, folder_of(spec), cache))
    scan, added, body = scan_of(parts, int(spec.recipe["slices"]))
    simulation = LowDose(scan, DOSE, workers=1)
    variance = np.mean([simulation.variance(index) for index in range(scan.shape[0])], axis=0)
    noise = simulation.noise(_SEED).reshape(-1, *body.shape)
    found = likeness(variance, noise, added, parts["quarter"], body, scan.spacing[1])
    return held_against(f"{setting.name}, {_told(scan.shape[0])}", found)


def setting_of(spec: CaseSpec) -> DoseSetting:
    """The setting that a case was made of."""
    half = spec.group.partition(",")[0]
    return settings(half)[spec.seed % 100 - FIRST_SEED[half] % 100]


def scan_of(parts: Parts, slices: int) -> tuple[Image, Voxels, Mask]:
    """Return the full dose as one slice (the middle one) or three, the variance added (rows, columns), and the body there."""
    middle = len(parts["full"]) // 2
    used = slice(middle, middle + 1) if slices == 1 else slice(None)
    z, y, x = (float(round(float(step), 4)) for step in parts["spacing"])
    scan = Image(parts["full"][used], (z, y, x), "CT", "HU", slice_thickness=z)
    body = guide.erode(parts["body"][middle] > 0, _SKIN)
    added = cv2.resize(parts["added"][used].mean(axis=0), body.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return scan, np.asarray(added, np.float32), body


def likeness(variance: Voxels, noise: Voxels, added: Voxels, true_noise: Voxels, body: Mask, pixel: float) -> Likeness:
    """Compare variance (rows, columns) and draws (draws, rows, columns) of simulated noise with those of the truth."""
    simulated, true = _local(variance, body), _local(added, body)

    def apart(place: Mask) -> float:
        return float(np.sqrt(simulated[place].mean() / true[place].mean()) - 1)

    middle, rim, others = places(body, pixel)
    worst = max((apart(place) for place in (middle, *others)), key=abs)
    correlation = float(np.corrcoef(np.sqrt(simulated[body]), np.sqrt(true[body]))[0, 1])
    frequency, ours = _radial(noise, body, pixel)
    _, theirs = _radial(true_noise, body, pixel)
    cut_off = frequency[np.searchsorted(np.cumsum(theirs), _SHARE)]
    above = frequency > cut_off / 2
    power = float(ours[above].sum() - theirs[above].sum())
    return Likeness(
        apart(body),
        apart(middle),
        apart(rim),
        worst,
        correlation,
        power,
        float(frequency @ ours),
        float(frequency @ theirs),
    )


def held_against(name: str, found: Likeness) -> Finding:
    """Tell what has not reached its aim."""
    passes = abs(found.worst) <= LEVEL and found.correlation >= MAP and abs(found.power) <= POWER
    said: dict[str, object] = {"name": name, "found": vars(found)}
    if not passes:
        said["missed"] = (
            f"{name}: level {found.level:+.1%} (middle {found.middle:+.1%}, rim {found.rim:+.1%}, worst {found.worst:+.1%}), map "
            f"{found.correlation:.2f}, power above half the cut-off {100 * found.power:+.0f} points"
        )
    figures = {
        "passes": float(passes),
        "level_apart": found.level,
        "middle_apart": found.middle,
        "rim_apart": found.rim,
        "worst_apart": found.worst,
        "map_correlation": found.correlation,
        "power_apart": found.power,
        "mean_apart": found.mean / found.true_mean - 1,
    }
    return Finding(figures, said)


def places(body: Mask, pixel: float) -> tuple[Mask, Mask, list[Mask]]:
    """Return the middle of a body, its rim, and the places of eight directions at its rim and between."""
    depth = cv2.distanceTransform(body.astype(np.uint8), cv2.DIST_L2, 5)
    middle = depth >= _MIDDLE * depth.max()
    rim = body & (depth * pixel < _RIM_MM)
    grid = np.indices(body.shape).astype(np.float64)
    y, x = (grid[axis] - grid[axis][middle].mean() for axis in (0, 1))
    sector = ((np.arctan2(y, x) / (2 * np.pi) % 1) * _SECTORS).astype(int)
    parts = (ring & (sector == n) for ring in (rim, body & ~middle & ~rim) for n in range(_SECTORS))
    return middle, rim, [part for part in parts if np.count_nonzero(part) >= _FEWEST]


def _local(variance: Voxels, body: Mask) -> Voxels:
    """Mean over the body around every pixel."""
    inside = body.astype(np.float32)
    total, share = guide.smooth(np.asarray(variance * inside, np.float32), _SMOOTH), guide.smooth(inside, _SMOOTH)
    return np.asarray(total / np.maximum(share, np.float32(1e-3)), np.float32)


def _radial(noise: Voxels, body: Mask, pixel: float) -> tuple[Array, Array]:
    """Frequencies in 1/mm up to Nyquist, and the share of the noise's power in each ring of the plane."""
    spectrum = spectrum_of_density(covariance_density(noise[:, None], body[None]), (pixel, pixel))
    power = np.maximum(spectrum.density, 0) * spectrum.frequency
    return spectrum.frequency, power / power.sum()


def _told(slices: int) -> str:
    return "1 slice" if slices == 1 else f"{slices} slices"
