"""Suite ldct: pairs of low-dose and full-dose CT scans in a folder of the user's own, such as those of AAPM and Mayo Clinic.

One case a patient: the low-dose scan is denoised, and the full-dose scan, with the noise that it has, is taken as the truth.
What is learned from sets of scans, or from pairs, comes from the patients that a split file gives for it, not from those judged.
Names of patients and of folders are not written to the results: patients are numbered in the order of the split file.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from demottle.benchmark.suites.cases import Case, CaseSpec, Choices
from demottle.benchmark.suites.discs import Placed
from demottle.benchmark.suites.judging import Figures, body_mask, psnr_cut
from demottle.benchmark.suites.ldct.files import Patient, patients_in, split_of, stamp_of
from demottle.benchmark.suites.ldct.measures import WINDOWS, ldct_figures
from demottle.errors import InputError, counted
from demottle.image import Image
from demottle.quality.truth.errors import BODY_WINDOW, bias, rmse

FIRST_SEED = 9000
QUICK_SLICES, QUICK_PATIENTS = 6, 1
_EXAMS = {"C": "chest", "L": "abdomen", "N": "head"}
"""Region by the first letter of a patient's name, as in the LDCT and Projection data; others are taken as abdomen."""


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return one case for each patient that is judged.

    Raises:
        InputError: without a folder, or with one in which no pair is found; for a split that does not fit the folder.
    """
    if choices.data is None:
        raise InputError(
            "The suite ldct is made of pairs of scans of your own; name the folder that holds them.", remedy="data"
        )
    found = patients_in(choices.data)
    split = split_of(choices.split, found)
    judged = split.test[: QUICK_PATIENTS if choices.quick else choices.seeds]
    learned = [(name, found[name]) for name in split.train]
    return tuple(
        CaseSpec(
            "ldct",
            exam_of(name),
            FIRST_SEED + number,
            {
                "patient": number + 1,
                "slices": QUICK_SLICES if choices.quick else None,
                "stamp": stamp_of(found[name]),
                "learned_from": [stamp_of(one) for _, one in learned],
                "path": {"judged": found[name], "learned": [one for _, one in learned]},
            },
            number == 0,
        )
        for number, name in enumerate(judged)
    )


def exam_of(name: str) -> str:
    """Return the region of a patient's scan: "chest", "abdomen" or "head"."""
    return _EXAMS.get(name[:1].upper(), "abdomen") if name[1:].isdigit() else "abdomen"


def build(spec: CaseSpec, cache: Path) -> Case:
    """Read a pair."""
    paths = spec.recipe["path"]
    low, full = pair_of(paths["judged"], spec.recipe["slices"])

    def sets(paired: bool) -> Any:
        return _sets(spec, paths["learned"], paired, cache)

    return Case(spec, low, full, full, body_mask(full), Placed(), sets)


def judge(case: Case, image: Image) -> Figures:
    """Measure one result against the full-dose scan: the figures of ldct-benchmark, and demottle's own inside the body."""
    got, truth = image.voxels, case.truth.voxels
    return {
        **ldct_figures(got, truth, WINDOWS[case.spec.group]),
        "psnr": psnr_cut(got, truth, case.body, BODY_WINDOW),
        "rmse": rmse(got, truth, case.body),
        "bias": bias(got, truth, case.body),
    }


def pair_of(files: Mapping[str, str], slices: int | None = None) -> tuple[Image, Image]:
    """Read the low-dose and the full-dose scan of a patient, `slices` in the middle; None: all.

    Raises:
        InputError: for scans that are not CT in HU, or do not show the same slices and pixels.
    """
    low, full = (_read(Path(files[dose])) for dose in ("low", "full"))
    if low.shape != full.shape or any(abs(a / b - 1) > 0.01 for a, b in zip(low.spacing, full.spacing, strict=True)):
        raise InputError(
            f"The two scans of a patient differ in their geometry ({_told(low)} at low dose, {_told(full)} at full dose); pairs "
            "need the same slices and pixels."
        )
    if slices is None or slices >= low.shape[0]:
        return low, full
    first = (low.shape[0] - slices) // 2
    return low.part(first, first + slices), full.part(first, first + slices)


def _read(path: Path) -> Image:
    from demottle import io
    from demottle.io.formats import format_of

    plain = path.is_file() and format_of(path) not in (None, "dicom")
    scan = io.read(path, modality="CT") if plain else io.read(path)
    if scan.sequence or scan.modality != "CT" or scan.unit != "HU":
        raise InputError("A scan of this suite has to be CT in HU.")
    return scan


def _sets(spec: CaseSpec, learned: list[Patient], paired: bool, cache: Path) -> Any:
    """Sets of the patients to learn from: all of them at both doses as pairs, else every other one at low and at full dose."""
    from demottle.learning.data.dataset import Choices as Of
    from demottle.learning.data.dataset import Entry, sets_of

    fewest = 2 if paired else 4
    if len(learned) < fewest:
        raise InputError(
            f"There {'is' if len(learned) == 1 else 'are'} {counted(len(learned), 'patient')} to learn from, and {fewest} are "
            "needed; name them as train in a split file."
        )
    numbers = range(len(learned))
    sides = (numbers, numbers) if paired else (numbers[::2], numbers[1::2])

    def entry(number: int, place: int) -> Entry:
        name = f"patient {number + 1}"
        # Without its headers: data that were made anonymous may have one PatientID for all.
        return Entry(
            name, name, stamp_of(learned[number]), lambda: replace(pair_of(learned[number])[place], source=None)
        )

    low, full = ([entry(number, place) for number in side] for place, side in enumerate(sides))
    where = cache / f"sets-{spec.key}-{'pairs' if paired else 'apart'}"
    return sets_of(low, full, where, Of(seed=spec.seed, paired=paired, allow_mixed=True))


def _told(scan: Image) -> str:
    return f"{counted(scan.shape[0], 'slice')} of {scan.shape[1]} x {scan.shape[2]}"
