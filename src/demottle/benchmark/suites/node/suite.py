"""The cases of suite node: `demottle serve` as a hospital would run it, measured from outside.

**Receiving.** Three senders (dcmtk's storescu; pynetdicom where dcmtk is missing) send 500 slices of 512 x 512 (16 bits) each at
once, to a node and to Orthanc with its defaults on the same machine, in turn; aim: at least 60 % of Orthanc's rate. Memory and
descriptors are those of the node's network process at their peak.
"""

from pathlib import Path
from typing import Any

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.node import receiving

FULL: dict[str, dict[str, Any]] = {
    "receiving, 3 x 500 slices": {"what": "receiving", "slices": 500, "size": 512, "repeats": 5},
}
QUICK: dict[str, dict[str, Any]] = {
    "receiving, 3 x 20 slices": {"what": "receiving", "slices": 20, "size": 128, "repeats": 1},
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
    return receiving.measured(recipe["slices"], recipe["size"], recipe["number"], cache)
