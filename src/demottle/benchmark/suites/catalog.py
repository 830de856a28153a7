"""The suites by name. Importing this imports none of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from demottle.benchmark.suites.cases import Case, CaseSpec, Choices
from demottle.errors import InputError
from demottle.image import Image


@dataclass(frozen=True)
class Suite:
    """A family of cases and the methods that compete on them.

    Attributes:
        name: what a user types.
        summary: one line.
        module: has `specs(choices)`, `build(spec, cache)`, and what is not as for CT: `judge(case, image)`.
        images: "volumes" or "sequences".
        trained: there are sets of scans to train on.
        unit: unit of errors.
        default: the method that `demottle denoise` chooses for most such cases; "" where there is none.
    """

    name: str
    summary: str
    module: str
    images: str = "volumes"
    trained: bool = False
    unit: str = "HU"
    default: str = "guided-bayes"

    def specs(self, choices: Choices) -> tuple[CaseSpec, ...]:
        """Return the cases, in the order in which they are worked on."""
        made: tuple[CaseSpec, ...] = self._module.specs(choices)
        return made

    def build(self, spec: CaseSpec, cache: Path) -> Case:
        """Make a case; what is costly is kept in the cache."""
        case: Case = self._module.build(spec, cache)
        return case

    def judge(self, case: Case, image: Image) -> dict[str, float | None]:
        """Measure a result."""
        from demottle.benchmark.suites.judging import judge_ct

        found: dict[str, float | None] = getattr(self._module, "judge", judge_ct)(case, image)
        return found

    @property
    def _module(self) -> Any:
        return import_module(self.module)


_ALL = (
    Suite(
        "ct-volume",
        "low-dose CT volumes, slices that share 0 to 45 % of their noise",
        "demottle.benchmark.suites.ct_volume",
    ),
    Suite(
        "ct-anatomies",
        "head to hip, soft to sharp, 0.6 to 5 mm: settings are chosen on one half and judged on the other",
        "demottle.benchmark.suites.ct_anatomies",
    ),
    Suite(
        "ct-unpaired",
        "CT, trained on unpaired low-dose and full-dose scans, a new patient",
        "demottle.benchmark.suites.ct_unpaired",
        trained=True,
        default="",
    ),
    Suite(
        "fluoroscopy",
        "runs of frames, at rest and in motion",
        "demottle.benchmark.suites.fluoroscopy",
        images="sequences",
        unit="",
        default="udca",
    ),
    Suite(
        "mr",
        "heads in MR with Rician noise of 5, 7 and 9 %",
        "demottle.benchmark.suites.mr",
        unit="%",
        default="nl-bayes",
    ),
)
SUITES: Mapping[str, Suite] = {suite.name: suite for suite in _ALL}


def suite_named(name: str) -> Suite:
    """Look a suite up.

    Raises:
        InputError: for an unknown name; the sentence lists the known ones.
    """
    if name not in SUITES:
        raise InputError(f'There is no suite "{name}"; the suites are: {", ".join(SUITES)}.')
    return SUITES[name]
