"""Which scans in a folder belong together, low dose and full dose of one patient, and who is learned from or judged.

Known are the layouts of the AAPM grand challenge (`L067/full_3mm`, `L067/quarter_3mm`, or the other way round), of the LDCT and
Projection data (`L004/DATE/1.000000-Low Dose Images-47876`), and `low/NAME`, `full/NAME`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demottle.benchmark.suites.real import stamp as stamp_of_path
from demottle.errors import InputError, counted
from demottle.io.formats import stem_of
from demottle.io.scans import find_scans

Patient = dict[str, str]
"""Where the scans of a patient lie: "low" and "full"."""
_DOSES = {"low": re.compile(r"quarter|low", re.IGNORECASE), "full": re.compile(r"full", re.IGNORECASE)}
_USUAL = "3mm"
"""Of several scans of one patient and dose the one that is meant: the challenge has 1 mm and 3 mm."""
_PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Names of patients to learn from, and to judge."""

    train: tuple[str, ...]
    test: tuple[str, ...]


def patients_in(folder: Path) -> dict[str, Patient]:
    """Find the patients of whom there is a low-dose and a full-dose scan, by name, sorted.

    Raises:
        InputError: where there is none, or several scans of one dose.
    """
    named = {path: _parts(path, folder) for path in find_scans(folder)}
    common = _in_common(list(named.values()))
    found: dict[str, dict[str, list[Path]]] = {}
    for path, parts in named.items():
        dose = next((dose for dose, word in _DOSES.items() if any(map(word.search, parts))), None)
        others = [part for part in parts[common:] if not any(word.search(part) for word in _DOSES.values())]
        if dose is not None and others:
            found.setdefault(others[0], {}).setdefault(dose, []).append(path)
    pairs = {
        name: {dose: str(_only(name, dose, doses[dose]).absolute()) for dose in _DOSES}
        for name, doses in sorted(found.items())
        if set(doses) == set(_DOSES)
    }
    if not pairs:
        raise InputError(
            f"{folder} holds no pair of scans; a patient needs one in a folder called quarter or low, and one in a folder called "
            "full."
        )
    return pairs


def split_of(file: Path | None, found: Mapping[str, Patient]) -> Split:
    """Read who is learned from and who is judged; without a file everybody is judged.

    Raises:
        InputError: where the file cannot be read, names somebody twice, or nobody who is there.
    """
    if file is None:
        return Split((), tuple(found))
    parts = _read(file)
    names = [name for part in _PARTS for name in parts[part]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{file} names {twice[0]} twice; a patient is in one part of the split only.")
    missing = [name for name in names if name not in found]
    if missing:
        listed = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise InputError(
            f"{file} names {counted(len(missing), 'patient')} of whom there is no pair ({listed}); leave them out, or add their "
            "scans."
        )
    if not parts["test"]:
        raise InputError(f'{file} names nobody to judge; add a list "test".')
    return Split((*parts["train"], *parts["validation"]), tuple(parts["test"]))


def stamp_of(patient: Patient) -> str:
    """Tells two states of a patient's scans apart, without a name."""
    return "|".join(stamp_of_path(Path(patient[dose])) for dose in _DOSES)


def _read(file: Path) -> dict[str, list[str]]:
    try:
        given: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} is not a readable split; it has to be JSON with lists of patients.") from error
    fits = (
        isinstance(given, dict)
        and set(given) <= set(_PARTS)
        and all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in given.values())
    )
    if not fits:
        raise InputError(f"{file} is not a split; it has to be JSON with lists of patients: {', '.join(_PARTS)}.")
    return {part: given.get(part, []) for part in _PARTS}


def _parts(path: Path, folder: Path) -> list[str]:
    *folders, last = path.relative_to(folder).parts or (path.name,)
    return [*folders, last if path.is_dir() else stem_of(Path(last))]


def _in_common(every: list[list[str]]) -> int:
    """How many folders lie around all scans."""
    shortest = min(map(len, every))
    same = (len({parts[place] for parts in every}) == 1 for place in range(shortest - 1))
    return next((place for place, one in enumerate(same) if not one), shortest - 1) if len(every) > 1 else 0


def _only(name: str, dose: str, paths: list[Path]) -> Path:
    chosen = [path for path in paths if any(_USUAL in part for part in path.parts)] if len(paths) > 1 else paths
    if len(chosen) != 1:
        raise InputError(
            f"There are {len(paths)} {dose}-dose scans of {name}; leave one of each patient, or name the folder that holds them."
        )
    return chosen[0]
