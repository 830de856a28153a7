"""The cases of suite node: `demottle serve` as a hospital would run it, measured from outside.

Receiving is run five times, and of each other case there is one run and so no interval; `--seeds` repeats all.

**Receiving.** Three senders (dcmtk's storescu; pynetdicom where dcmtk is missing) send 500 slices of 512 x 512 (16 bits) each at
once, to a node and to Orthanc with its defaults on the same machine, in turn; aim: at least 60 % of Orthanc's rate. Memory and
descriptors are those of the node's network process at their peak.

**Memory.** One object of 512 MiB comes, then a series of 64 slices of 256 x 256 that is denoised (`gaussian`). What the node
holds beside the denoising itself is its network process at its peak and its worker while that waits, whichever is more of before
and after the work; aim: less than 1 GiB.

**A day.** 400 series of 6 slices of 96 x 96 come from two scanners in 14 minutes that stand for 24 hours, as many at each hour
as in a hospital; a series is complete after 2 s. One in ten comes in two parts (of every second of these the second part comes
when the result of the first stands in the archive, so that it has to be done again), one in ten comes twice, one in ten meets no
rule, and 40 % go to a second archive too, which is away from 20 to 6 o'clock. Method `gaussian`, with gate and page. In the
end every series has to be in its archives once and complete, or in the queue with a reason. Growth is that of lines through
the most in each of 12 blocks of series, after the first 200; aim: less than 1 MiB per 100 series, or an interval that holds 0.

**Added time.** Two patients of one protocol, CT of 64 slices of 512 x 512 (a simulated body, 1 mm), rule with `share = true`
and the method that the scan decides; told is the second one, for which the network is there already: from the last instance
that came to the first of the result that reached the archive. The series says how many instances it has, so nothing is waited
for. Aim: less than 30 s on two cores. Beside it the same for the first one, until its last instance was sent, and for one
patient with a rule that names spectral-wiener, a filter that takes little time itself, and for two with `preset = "fast"`: the
network of the first (matched-neighbors) alone is applied to the second. And for one patient with a rule that names a trained
model, `pdml` at preset `small`, here after a short training on small phantoms: that is about time alone, and the gate, which
judges all the same, does not keep it back.
"""

from pathlib import Path
from typing import Any

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.node import added, hospital, memory, receiving

_FILTER = "spectral-wiener"
FULL: dict[str, dict[str, Any]] = {
    "receiving, 3 x 500 slices": {"what": "receiving", "slices": 500, "size": 512, "repeats": 5},
    "memory, 512 MiB at once": {"what": "memory", "mib": 512, "slices": 64, "size": 256, "repeats": 1},
    "a day, 400 series": {"what": "day", "series": 400, "seconds": 840.0, "repeats": 1},
    "added time, 64 slices of 512 x 512": {"what": "added", "slices": 64, "size": 512, "repeats": 1},
    "added time, spectral-wiener": {
        "what": "added",
        "slices": 64,
        "size": 512,
        "method": _FILTER,
        "share": False,
        "repeats": 1,
    },
    "added time, preset fast": {"what": "added", "slices": 64, "size": 512, "preset": "fast", "repeats": 1},
    "added time, trained model": {"what": "added", "slices": 64, "size": 512, "model": "pdml", "repeats": 1},
}
QUICK: dict[str, dict[str, Any]] = {
    "receiving, 3 x 20 slices": {"what": "receiving", "slices": 20, "size": 128, "repeats": 1},
    "memory, 64 MiB at once": {"what": "memory", "mib": 64, "slices": 6, "size": 96, "repeats": 1},
    "a day, 12 series": {"what": "day", "series": 12, "seconds": 24.0, "repeats": 1},
    "added time, 8 slices of 96 x 96": {"what": "added", "slices": 8, "size": 96, "repeats": 1},
}


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cases; `--seeds` repeats each, as times scatter."""
    made = []
    for place, (group, recipe) in enumerate((QUICK if choices.quick else FULL).items()):
        plain = {name: value for name, value in recipe.items() if name != "repeats"}
        for number in range(choices.seeds or recipe["repeats"]):
            made.append(CaseSpec("node", group, 100 * place + number, {**plain, "number": number}))
    return tuple(made)


def entrants() -> tuple[str, ...]:
    """Demottle, on this machine."""
    return ("demottle",)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Measure one case.

    Raises:
        DemottleError: a program is missing, or something was lost; the sentence says which or what.
    """
    recipe = spec.recipe
    if recipe["what"] == "receiving":
        return receiving.measured(recipe["slices"], recipe["size"], recipe["number"], cache)
    if recipe["what"] == "memory":
        return memory.measured(recipe["mib"], recipe["slices"], recipe["size"])
    if recipe["what"] == "added":
        how = {name: recipe[name] for name in ("method", "preset", "share") if name in recipe}
        if "model" in recipe:
            how["model"] = added.trained(recipe["model"], cache)
        return added.measured(recipe["slices"], recipe["size"], spec.seed, **how)
    return hospital.measured(recipe["series"], recipe["seconds"], spec.seed)
