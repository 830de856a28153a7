"""The suites by name. Importing this imports none of them, and nothing heavy: `--help` names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.errors import InputError, nearest

if TYPE_CHECKING:
    from demottle.benchmark.suites.cases import Case, CaseSpec, Choices, Finding
    from demottle.image import Image


@dataclass(frozen=True)
class Suite:
    """A family of cases and the methods that compete on them.

    Attributes:
        name: what a user types.
        title: of its page.
        summary: one line.
        module: has `specs(choices)`, `build(spec, cache)`, and what is not as for CT: `judge(case, image)`.
        images: "volumes" or "sequences".
        trained: there are sets of scans to train on.
        unit: unit of errors.
        default: the method that `demottle denoise` chooses for most such cases; "" where there is none.
        own: it names its own entrants and measures them itself (`entrants()`, `measure(spec, entrant, cache)`), because what it
            judges is a decision or a machine, not a method.
        public: it is made, or has more cases, of the public scans.
        only_public: it has no cases without them.
        usual: who competes where nobody is named, beside the input; none: everybody.
        minutes: for learning where the user names none; None: the usual.
        pairs: it is made of pairs of scans that the user has.
    """

    name: str
    title: str
    summary: str
    module: str
    images: str = "volumes"
    trained: bool = False
    unit: str = "HU"
    default: str = "guided-bayes"
    own: bool = False
    public: bool = False
    only_public: bool = False
    usual: tuple[str, ...] = ()
    minutes: float | None = None
    pairs: bool = False

    def own_entrants(self) -> tuple[str, ...]:
        """Who competes in a suite that measures for itself."""
        names: tuple[str, ...] = self._module.entrants()
        return names

    def measure(self, spec: CaseSpec, entrant: str, cache: Path) -> Finding:
        """Measure one entrant on one case, in a suite that does so itself."""
        found: Finding = self._module.measure(spec, entrant, cache)
        return found

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
        "CT volumes",
        "low-dose CT volumes, slices that share 0 to 45 % of their noise",
        "demottle.benchmark.suites.ct_volume",
    ),
    Suite(
        "ct-anatomies",
        "CT anatomies",
        "head to hip, soft to sharp, 0.6 to 5 mm: settings are chosen on one half and judged on the other",
        "demottle.benchmark.suites.ct_anatomies",
    ),
    Suite(
        "ct-real",
        "Real anatomy",
        "the public scans of abdomen and chest made noise-free, at a low dose",
        "demottle.benchmark.suites.ct_real",
        public=True,
        only_public=True,
        usual=(
            "matched-neighbors",
            "guided-bayes",
            "bm3d",
            "bm3d-white",
            "bm3d-true-spectrum",
            "nlm",
            "tv",
            "clean-targets",
        ),
        minutes=20.0,
    ),
    Suite(
        "single-slice",
        "Single slices and thin stacks",
        "one to three slices of the public scans with uneven noise",
        "demottle.benchmark.suites.single_slice",
        public=True,
        only_public=True,
        usual=(
            "default",
            "guided-bayes",
            "matched-neighbors",
            "nl-bayes",
            "spectral-wiener",
            "tv",
            "nlm",
            "bilateral",
            "bm3d-white",
            "bm3d",
            "bm3d-even",
        ),
        minutes=20.0,
    ),
    Suite(
        "ct-unpaired",
        "Unpaired training",
        "CT, trained on unpaired low-dose and full-dose scans, a new patient",
        "demottle.benchmark.suites.ct_unpaired",
        trained=True,
        default="",
    ),
    Suite(
        "ct-doses",
        "One network for every dose",
        "CT: dose-diffusion, trained once, at 50 to 5 % of full dose; passes, calibration, noise told wrong",
        "demottle.benchmark.suites.ct_doses",
        own=True,
        default="",
    ),
    Suite(
        "ct-ascon",
        "What ASCON's losses are worth",
        "CT: one network taught by the squared error, then with structure, patches and pixels compared as well",
        "demottle.benchmark.suites.ct_ascon",
        own=True,
        default="",
    ),
    Suite(
        "ldct",
        "Pairs of your own",
        "pairs of low-dose and full-dose CT scans of your own, as those of AAPM and Mayo Clinic",
        "demottle.benchmark.suites.ldct.suite",
        trained=True,
        pairs=True,
        usual=("guided-bayes", "matched-neighbors", "bm3d", "bm3d-white", "nlm", "tv"),
        minutes=20.0,
    ),
    Suite(
        "fluoroscopy",
        "Fluoroscopy",
        "runs of frames, at rest and in motion",
        "demottle.benchmark.suites.fluoroscopy",
        images="sequences",
        unit="",
        default="udca",
    ),
    Suite(
        "mr",
        "MR",
        "heads in MR with Rician noise of 5, 7 and 9 %",
        "demottle.benchmark.suites.mr",
        unit="%",
        default="nl-bayes",
    ),
    Suite(
        "fluoroscopy-plan",
        "Which filter a run gets",
        "short runs: is the filter that the plan takes nearly the best, and never worse than the input?",
        "demottle.benchmark.suites.decisions.fluoroscopy_plan",
        images="sequences",
        unit="gray levels",
        own=True,
        default="",
        public=True,
    ),
    Suite(
        "fluoroscopy-wires",
        "Thin wires",
        "short runs: what each filter leaves of thin moving wires",
        "demottle.benchmark.suites.decisions.fluoroscopy_wires",
        images="sequences",
        unit="gray levels",
        own=True,
        default="",
    ),
    Suite(
        "gate",
        "The gate on ordinary scans",
        "CT: does the default's own result pass the gate, and does the gate tell what is so?",
        "demottle.benchmark.suites.decisions.gate",
        own=True,
        default="",
        public=True,
    ),
    Suite(
        "uncertainty",
        "Standard error",
        "CT: do intervals of 1.645 standard errors hold the truth in 90 % of voxels, by tissue?",
        "demottle.benchmark.suites.decisions.uncertainty",
        own=True,
        default="",
    ),
    Suite(
        "contract",
        "Promises",
        "CT: is what a promise foretells of sharpness and noise so, against the truth?",
        "demottle.benchmark.suites.decisions.contract",
        own=True,
        default="",
    ),
    Suite(
        "lies",
        "Lies",
        "CT: honest results that were falsified: are erased and invented lesions found, and do honest ones pass?",
        "demottle.benchmark.suites.lies.suite",
        own=True,
        default="",
    ),
    Suite(
        "noise-measures",
        "Measures of CT noise",
        "CT: is the noise read right (level, correlation of slices, mean frequency), also as iterative reconstruction leaves it?",
        "demottle.benchmark.suites.decisions.noise_measures",
        own=True,
        default="",
    ),
    Suite(
        "low-dose-noise",
        "Simulated low dose",
        "CT: is the noise that `simulate low-dose` adds that of a scanner's own quarter dose (level, map, spectrum)?",
        "demottle.benchmark.suites.decisions.low_dose_noise",
        own=True,
        default="",
        public=True,
    ),
    Suite(
        "nordic",
        "Complex MR series",
        "complex MR series: functional and diffusion",
        "demottle.benchmark.suites.nordic",
        images="sequences",
        unit="",
        own=True,
        default="",
    ),
    Suite(
        "speed",
        "Speed and memory",
        "time and memory of commands, live runs and trained models on this machine",
        "demottle.benchmark.suites.speed.suite",
        own=True,
        default="",
    ),
    Suite(
        "node",
        "The node",
        "the service between scanner and archive: how fast it receives, what it holds, what it adds",
        "demottle.benchmark.suites.node.suite",
        own=True,
        default="",
    ),
)
SUITES: Mapping[str, Suite] = {suite.name: suite for suite in _ALL}


def suite_named(name: str) -> Suite:
    """Look a suite up.

    Raises:
        InputError: for an unknown name; the sentence lists the known ones.
    """
    if name not in SUITES:
        raise InputError(f'There is no suite "{name}".{nearest(name, SUITES)} The suites are: {", ".join(SUITES)}.')
    return SUITES[name]
