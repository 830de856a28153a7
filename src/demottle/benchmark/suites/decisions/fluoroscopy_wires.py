"""Suite fluoroscopy-wires: how well thin moving wires are seen in what each filter makes of a run.

Wires of 1, 2 and 4 standard deviations of the noise are drawn into the run (`demottle.pipeline.sequence_wire`). Contrast is the
share of a wire that is left; detectability is that over the spread of the result's error at places without a wire, against the
known truth. Beside it stands what is estimated on the run itself, without the truth, for wires of 1. `udca` is the network as it
comes with demottle, `learned` what it becomes on the run (20 frames and more). Group "tune" was looked at while it was written.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.decisions.runs import PlanCase, run_of
from demottle.errors import UnsuitableError
from demottle.image import Image
from demottle.methods.registry import method
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.physics.fluoroscopy.moved_still import StillMotion
from demottle.pipeline.plan_sequence import CANDIDATES, DEFAULT_SEQUENCE
from demottle.pipeline.sequence_risk import probe_of, probed
from demottle.pipeline.sequence_wire import wires_seen
from demottle.pipeline.settings import make_settings

DEPTHS = (1.0, 2.0, 4.0)
LEARNED = "learned"
_OF_WIRES = ("wire_contrast", "wire_seen")
TUNING = (
    PlanCase("texture-100", StillMotion(), 24, 12, 8, 1.0),
    PlanCase("wires-100", StillMotion("pan", 1.0, 60), 60, 12, 8, 0.68),
    PlanCase("texture-60", StillMotion("heartbeat", 3.0), 12, 16, 10, 1.0, 0.1),
    PlanCase("wires-60", StillMotion("pan", 6.0, 45), 200, 10, 8, 0.68),
    PlanCase("texture-60", StillMotion(), 100, 8, 12, 1.0),
    PlanCase("wires-60", StillMotion(), 24, 16, 8, 1.0),
    PlanCase("texture-100", StillMotion("zoom", 2.0), 60, 12, 8, 0.68),
    PlanCase("wires-100", StillMotion("rotation", 2.0), 24, 19, 8, 1.0),
    PlanCase("texture-100", StillMotion(), 24, 20, 8, 1.0),
    PlanCase("wires-100", StillMotion("pan", 1.0, 60), 60, 20, 8, 0.68),
    PlanCase("texture-60", StillMotion("heartbeat", 3.0), 24, 20, 8, 1.0),
)
JUDGING = (
    PlanCase("texture-71", StillMotion(), 24, 8, 8, 1.0),
    PlanCase("wires-72", StillMotion("pan", 0.4, 75), 60, 12, 8, 0.68),
    PlanCase("texture-73", StillMotion("pan", 2.0), 12, 16, 10, 1.0, 0.1),
    PlanCase("wires-74", StillMotion("pan", 5.5, 215), 100, 12, 12, 0.5),
    PlanCase("texture-75", StillMotion("zoom", 2.5), 200, 10, 8, 0.68),
    PlanCase("wires-76", StillMotion("rotation", 2.5), 24, 8, 8, 1.0),
    PlanCase("texture-77", StillMotion("heartbeat", 3.5), 60, 12, 8, 0.68),
    PlanCase("wires-78", StillMotion("breathing", 3.5), 12, 16, 10, 1.0, 0.1),
    PlanCase("texture-79", StillMotion(), 100, 12, 12, 0.5),
    PlanCase("wires-80", StillMotion("heartbeat", 3.5), 24, 24, 8, 1.0),
    PlanCase("texture-81", StillMotion("pan", 1.0), 60, 24, 8, 0.68),
    PlanCase("wires-82", StillMotion(), 12, 24, 10, 1.0),
)
_LONG = 20  # frames from which on the plan lets a network learn


@dataclass(frozen=True)
class Measured:
    """Of one filter: contrast and detectability of wires of each depth, that of the shallowest as estimated, its error.

    The error is the root mean square in gray levels of 8 bits.
    """

    contrast: tuple[float, ...]
    detectability: tuple[float, ...]
    estimated: float
    error: float


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the runs, judged ones first."""
    count = choices.seeds or (1 if choices.quick else None)
    return tuple(
        CaseSpec("fluoroscopy-wires", group, first + number, case.recipe)
        for group, first, cases in (("judge", 0, JUDGING), ("tune", 1000, TUNING))
        for number, case in enumerate(cases[:count])
    )


def entrants() -> tuple[str, ...]:
    """The run itself, every filter that the plan may choose, and the network after learning."""
    return ("input", *(one.name for one in CANDIDATES if one.method != "frame-average"), LEARNED)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Measure one filter on one run.

    Raises:
        UnsuitableError: for the learned network on a run too short to learn from.
    """
    case = PlanCase.of(spec.recipe)
    found = measured(case, only=entrant)
    if entrant not in found:
        raise UnsuitableError(f"A network learns from runs of {_LONG} frames and more; this one has {case.frames}.")
    one = found[entrant]
    each = zip(DEPTHS, one.contrast, one.detectability, strict=True)
    wires = {f"{key}_{depth:g}": value for depth, *both in each for key, value in zip(_OF_WIRES, both, strict=True)}
    return Finding({"error": one.error, **wires, "wire_estimated": one.estimated}, {"name": case.name})


def measured(case: PlanCase, depths: Sequence[float] = DEPTHS, only: str | None = None) -> dict[str, Measured]:
    """Measure every filter on one run, or `only` the one of that name."""
    noisy, truth, _ = run_of(case)
    found = measure_sequence(noisy)
    probe, clean = probe_of(noisy, found), truth[probed(noisy)]
    out = {}
    for name, one in _filters(noisy, found, only):
        seen = [wires_seen([one], probe, depth, clean)[0] for depth in depths]
        error = 255 / (2**case.bits - 1) * float(np.sqrt(np.mean((one(noisy).voxels - truth).astype(np.float64) ** 2)))
        out[name] = Measured(
            tuple(each.contrast for each in seen),
            tuple(each.detectability for each in seen),
            wires_seen([one], probe, depths[0])[0].detectability,
            error,
        )
    return out


def _filters(
    noisy: Image, found: SequenceFingerprint, only: str | None
) -> Iterator[tuple[str, Callable[[Image], Image]]]:
    def wanted(name: str) -> bool:
        return only in (None, name)

    if wanted("input"):
        yield "input", lambda image: image
    for candidate in CANDIDATES:
        if candidate.method == "frame-average":
            continue
        module = method(candidate.method).load()
        settings = make_settings(candidate.method, candidate.settings)
        if wanted(candidate.name):
            yield candidate.name, getattr(module, "untaught", module.fit)(noisy, settings, found)
        if wanted(LEARNED) and candidate.method == DEFAULT_SEQUENCE and noisy.shape[0] >= _LONG:
            yield LEARNED, module.fit(noisy, settings, found)
