"""The tables of `benchmarks.unpaired`, from the lines its runs left: mean over the patients, mean and spread over the seeds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.unpaired_discs import RADII_PX
from benchmarks.unpaired_runs import Asked, lines, mean

Line = dict[str, Any]
_FORM = "{:58s} {:>5s} {:>14s} {:>14s} {:>14s} {:>14s} {:>14s} {:>13s} {:>13s} {:>6s}"


def show(tuning: bool, files: Sequence[Path]) -> None:
    """Print everything that there is."""
    found = [line for file in files for line in lines(file) if "failed" not in line]
    for real in (True, False):
        groups = grouped([one for one in found if _belongs(one, real, tuning)])
        if not groups:
            continue
        print(f"\n## {'Phantoms and parts of real scans' if real else 'Phantoms'}{', tuning' * tuning}\n")
        _figures(groups)
        _shifted(groups)
        _discs(groups)


def grouped(found: Sequence[Line]) -> dict[str, dict[int, Line]]:
    """Runs by their name and seed."""
    groups: dict[str, dict[int, Line]] = defaultdict(dict)
    for line in found:
        asked = Asked(**line["asked"])
        groups[asked.name][asked.seed] = line
    return groups


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Mean, and standard deviation where there are several."""
    known = [value for value in values if np.isfinite(value)]
    if not known:
        return "-"
    more = f" ± {np.std(known, ddof=1):.{digits}f}" if len(known) > 1 else ""
    return f"{np.mean(known):.{digits}f}{more}"


def over_seeds(runs: Mapping[int, Line], figure: str, kind: str = "") -> str:
    """Mean and spread of a figure."""
    return spread([mean(line, figure, kind) for line in runs.values()])


def gap(line: Line, everything: dict[str, dict[int, Line]]) -> float:
    """RMSE beyond that of `supervised` on the same network, with the same preset and seed, as long; NaN where there is none."""
    asked = line["asked"]
    if asked["method"] != "pdml" or asked["sets"] or asked["shift"]:
        return float("nan")
    for others in everything.values():
        other = others.get(asked["seed"])
        same = ("preset", "sets", "steps", "minutes", "shift")
        if other and other["asked"]["method"] == "supervised" and all(other["asked"][k] == asked[k] for k in same):
            return mean(line, "rmse") - mean(other, "rmse")
    return float("nan")


def _figures(groups: dict[str, dict[int, Line]]) -> None:
    inputs = groups.get("input", {})
    head = (
        "",
        "seeds",
        "PSNR dB",
        "gain dB",
        "RMSE HU",
        "of phantoms",
        "of real parts",
        "fat HU",
        "muscle HU",
        "gap HU",
    )
    print(_FORM.format(*head))
    for name, runs in groups.items():
        gains = [mean(line, "psnr") - mean(inputs[seed], "psnr") for seed, line in runs.items() if seed in inputs]
        print(
            _FORM.format(
                name,
                str(len(runs)),
                over_seeds(runs, "psnr"),
                spread(gains),
                over_seeds(runs, "rmse"),
                over_seeds(runs, "rmse", "phantom"),
                over_seeds(runs, "rmse", "real"),
                over_seeds(runs, "fat"),
                over_seeds(runs, "muscle"),
                spread([gap(line, groups) for line in runs.values()]),
            )
        )
    print("PSNR in [-160, 240] HU, RMSE unclipped, in the body, against the truth; fat, muscle: output minus input;")
    print("gap: RMSE beyond that of supervised on the same network; ±: standard deviation over the seeds.")


def _shifted(groups: dict[str, dict[int, Line]]) -> None:
    """What becomes of the tissues when every full-dose scan is off."""
    for name, runs in groups.items():
        shift = next(iter(runs.values()))["asked"]["shift"]
        plain = groups.get(name.replace(f" +{shift:g} HU", "")) if shift else None
        seeds = sorted(set(runs) & set(plain or {}))
        if plain is None or not seeds:
            continue
        print(f"\n{name}: output with the full-dose scans off, minus output without")
        for tissue in ("fat", "fluid", "muscle", "bone"):
            moved = [mean(runs[seed], tissue) - mean(plain[seed], tissue) for seed in seeds]
            print(f"  {tissue:8s} {spread(moved):>14s} HU")


def _discs(groups: dict[str, dict[int, Line]]) -> None:
    """Share of the contrast of discs that is left; ±: standard error over discs, patients and seeds."""
    sizes = [(radius, contrast) for radius in RADII_PX for contrast in (10, 20, 40)]
    print("\nContrast of discs that is left, in %, by radius (pixels) and contrast (HU, both signs)")
    print(" " * 58 + "".join(f"{radius:>5d} px {contrast:>2d} HU" for radius, contrast in sizes))
    for name, runs in groups.items():
        found = [disc for line in runs.values() for one in line["patients"] for disc in one["discs"]]
        if not found:
            continue
        cells = []
        for radius, contrast in sizes:
            shares = [100 * share for r, c, share in found if (r, abs(c)) == (radius, contrast)]
            error = np.std(shares, ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else float("nan")
            cells.append(f"{np.mean(shares):.0f} ± {error:.0f}" if shares else "-")
        print(f"{name:58s}" + "".join(f"{cell:>14s}" for cell in cells))


def _belongs(line: Line, real: bool, tuning: bool) -> bool:
    asked = line["asked"]
    return asked["real"] == real and (asked["who"] == "tuning") == tuning
