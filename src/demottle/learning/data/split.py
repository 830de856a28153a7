"""Which patients are learned from and which are kept for the criterion: always whole patients, never slices."""

from collections.abc import Sequence

import numpy as np

from demottle.errors import InputError


def validation_patients(low: Sequence[str] | None, full: Sequence[str], share: float, seed: int) -> set[str]:
    """Choose the patients to be kept from learning, on both sides alike.

    Args:
        low, full: patient of every scan of either side, in the order of the scans; None: there is no such side.
        share: share of the patients of each side; at least one of each, and never all.
        seed: another seed, other patients.

    Raises:
        InputError: where a side has fewer than two patients, or none would be left to learn from.
    """
    given = {"full-dose": full} if low is None else {"low-dose": low, "full-dose": full}
    sides = {name: list(dict.fromkeys(patients)) for name, patients in given.items()}
    for name, patients in sides.items():
        if len(patients) < 2:
            told = _told_by(len(given[name]))
            raise InputError(
                f"The {name} side holds scans of one patient only{told}; training needs at least two, one to learn from and "
                "one to check on."
            )
    random = np.random.default_rng([seed, 0])
    chosen: set[str] = set()
    for name, patients in sides.items():
        others = {one for side, ones in sides.items() if side != name for one in ones}
        wanted = min(max(1, round(share * len(patients))), len(patients) - 1)
        order = [patients[i] for i in random.permutation(len(patients))]
        order.sort(key=lambda patient: patient in others)  # who is on one side only costs the other side nothing
        for patient in order:
            if len(chosen & set(patients)) >= wanted:
                break
            chosen.add(patient)
    for name, patients in sides.items():
        if not set(patients) - chosen:
            raise InputError(
                f"No patient of the {name} side is left to learn from, because some are on both sides; add scans of other "
                "patients."
            )
    return chosen


def _told_by(scans: int) -> str:
    """Why several scans are of one patient, which surprises where all were given one number to make them anonymous."""
    if scans < 2:
        return ""
    return (
        f" ({scans} scans with the same PatientID, or in the same sub-folder; give different patients different ones)"
    )
