"""What `benchmarks.unpaired` runs and what it keeps of it: one JSON line for each run, found again by what was asked for."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.__main__ import judge
from benchmarks.cases import Case
from benchmarks.unpaired_cases import Patient
from demottle.image import Image

FOLDER = Path("benchmark-results")
RESULTS = FOLDER / "unpaired-cohort.jsonl"
ABLATIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "pdml": {
        "as it is": {},
        "wavelet off": {"levels": 0},
        "metric loss off": {"metric": 0.0},
        "PatchNCE in its place": {"contrast": "nce"},
        "re-projection off": {"reproject": False},
        "5 levels": {"levels": 5},
        "4 levels": {"levels": 4},
        "paper's losses off": {"adversarial": 0.0, "metric": 0.0, "identity": 0.0},
        "start on simulated noise off": {"warm_up": 0},
        "simulated noise off in the game": {"simulated": 0.0},
        "simulated noise off": {"warm_up": 0, "simulated": 0.0},
        "paper's network": {"spectral": True, "residual": 0.1, "skip": False, "shared": True},
    },
    "perceptual-cyclegan": {
        "as it is": {},
        "attention off": {"attention": False},
        "residual bottleneck off": {"blocks": 0},
        "share 0, no autoencoder": {"share": 0.0},
        "share 50 %": {"share": 0.5},
        "share 95 %": {"share": 0.95},
        "start on simulated noise off": {"warm_up": 0},
        "simulated noise off in the game": {"simulated": 0.0},
        "simulated noise off": {"warm_up": 0, "simulated": 0.0, "adversarial": 1.0},
    },
}
"""Settings by what a table calls them; the default share is 80 %."""


@dataclass(frozen=True)
class Asked:
    """One run. What is equal has the same result, up to the clock where minutes are given.

    Attributes:
        method: of demottle, or the name of a filter, or "input".
        seed: of noise, split and learning.
        real: parts of real scans are in the cohort.
        who: the patients of the figures, "test" or "tuning".
        preset, sets, steps, minutes: as of `demottle train`; for a filter "rule" or "truth", how its strength was chosen.
        shift: HU added to every full-dose scan.
        label: what an ablation calls it.
    """

    method: str
    seed: int
    real: bool
    who: str = "test"
    preset: str = ""
    sets: Mapping[str, Any] = field(default_factory=dict)
    steps: int | None = None
    minutes: float | None = None
    shift: float = 0.0
    label: str = ""

    @property
    def key(self) -> str:
        """Names the run's folder and model."""
        plain = {name: value for name, value in asdict(self).items() if name != "label"}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """What tables call it, without seed and patients."""
        if self.preset in ("rule", "truth"):
            return f"{self.method}, strength by {'its rule' if self.preset == 'rule' else 'THE TRUTH'}"
        sets = ", ".join(f"{name}={value}" for name, value in self.sets.items())
        length = [f"{self.steps} steps"] if self.steps else []
        length += [f"{self.minutes:g} min"] if self.minutes else []
        parts = [self.method, f"({', '.join([self.preset, *length])})" if self.preset else "", self.label or sets]
        return " ".join(part for part in [*parts, f"+{self.shift:g} HU" if self.shift else ""] if part)


def figures(patient: Patient, case: Case, image: Image, discs: list[list[float]]) -> dict[str, Any]:
    """Return what is kept of one patient's result."""
    outcome = judge(case, image, [])
    return {
        "patient": patient.name,
        "psnr": outcome.psnr,
        "rmse": outcome.rmse,
        "shifts": outcome.shifts,
        "discs": discs,
    }


def known(asked: Asked) -> dict[str, Any] | None:
    """Return the line of a run that was made before."""
    return next((line for line in lines() if line["key"] == asked.key), None)


def keep(asked: Asked, patients: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Append a run to the results."""
    line = line_of(asked, patients, **more)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("a") as log:
        log.write(json.dumps(line) + "\n")
    return line


def line_of(asked: Asked, patients: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """What is kept of a run."""
    return {"key": asked.key, "asked": asdict(asked), **more, "patients": patients}


def lines(file: Path = RESULTS) -> list[dict[str, Any]]:
    """Return every run that was kept, the first one first; a line that a kill cut short is left out."""
    found = []
    for text in file.read_text().splitlines() if file.exists() else []:
        try:
            found.append(json.loads(text))
        except ValueError:
            continue
    return found


def mean(line: Mapping[str, Any], figure: str, kind: str = "") -> float:
    """Mean of a figure over a run's patients, all or those of one kind ("phantom", "real"); NaN where there are none."""
    phantom = {"phantom": (True,), "real": (False,)}.get(kind, (True, False))
    chosen = [one for one in line["patients"] if one["patient"].startswith("phantom") in phantom]
    values = [one["shifts"].get(figure) if figure not in one else one[figure] for one in chosen]
    numbers = [value for value in values if value is not None]
    return float(np.mean(numbers)) if numbers else float("nan")
