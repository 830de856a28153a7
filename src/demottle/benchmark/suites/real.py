"""Real CT scans as truths of suite ct-volume: scans with little noise, to which the noise of a low dose is added.

What noise a scan has itself stays in the truth; give full-dose scans, or such that were made noise-free. Slices are those in the
middle. Where a scan lies is not written to the results.
"""

from pathlib import Path
from typing import Any

import numpy as np

from demottle.benchmark.suites.cases import CaseSpec
from demottle.errors import InputError, counted
from demottle.image import Image, Voxels
from demottle.physics.ct.ct_noise import simulate_noise

CORRELATIONS = (0.12, 0.45)
MOST_SLICES, FEWEST_SLICES = 24, 6
SIGMA = 40.0
FIRST_SEED = 1500


def real_specs(folder: Path, count: int) -> tuple[CaseSpec, ...]:
    """Return `count` cases of each scan and correlation, the first of every one first.

    Raises:
        InputError: where there is no scan.
    """
    from demottle.io.scans import find_scans

    scans = find_scans(folder)
    pairs = [(number, path, rho) for number, path in enumerate(scans, start=1) for rho in CORRELATIONS]
    return tuple(
        CaseSpec(
            "ct-volume",
            f"real scan {number}, rho {rho:g}",
            FIRST_SEED + turn * len(pairs) + place,
            {"real": stamp(path), "path": str(path.absolute()), "rho": rho, "sigma": SIGMA},
            turn == 0,
        )
        for turn in range(count)
        for place, (number, path, rho) in enumerate(pairs)
    )


def drawn(spec: CaseSpec) -> dict[str, Voxels]:
    """Read the scan and draw its noise: `plain`, `noise`, and `spacing` as three numbers.

    Raises:
        InputError: for a scan that cannot be read or used.
    """
    scan = _read(Path(spec.recipe["path"]))
    middle = scan.shape[0] // 2
    used = min(MOST_SLICES, scan.shape[0])
    part = scan.part(middle - used // 2, middle - used // 2 + used)
    noise = simulate_noise(part, spec.recipe["sigma"], spec.recipe["rho"], seed=spec.seed)
    return {"plain": part.voxels, "noise": noise, "spacing": np.array(part.spacing, np.float32)}


def _read(path: Path) -> Image:
    from demottle import io
    from demottle.io.formats import format_of

    kind = None if path.is_dir() else format_of(path)
    named: dict[str, Any] = {} if kind in (None, "dicom") else {"modality": "CT"}
    scan = io.read(path, **named)
    if scan.sequence or scan.modality != "CT" or scan.unit != "HU":
        raise InputError("A real scan of this suite has to be CT in HU.")
    if scan.shape[0] < FEWEST_SLICES:
        raise InputError(f"The scan has {counted(scan.shape[0], 'slice')}; at least {FEWEST_SLICES} are needed.")
    return scan


def stamp(path: Path) -> str:
    """Tells two states of a scan apart, without its name."""
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    facts = [one.stat() for one in files]
    return f"{len(files)}-{sum(fact.st_size for fact in facts)}-{max(fact.st_mtime_ns for fact in facts)}"
