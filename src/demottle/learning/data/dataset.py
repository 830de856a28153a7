"""From two folders of scans to `Sets`: read once, checked, split by patient, with a manifest of what went where."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demottle import io
from demottle.errors import InputError, counted
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image
from demottle.io.formats import format_of, stem_of
from demottle.learning.data import scan_cache
from demottle.learning.data.cohort import Facts, Scan, Sets, Side
from demottle.learning.data.headers import kernel_of, patient_number
from demottle.learning.data.split import validation_patients

VALIDATION_SHARE = 0.2
MOST_GIGABYTES = 20.0
_UNKNOWN = "OT"
"""Modality of a scan whose file does not say it."""


@dataclass(frozen=True)
class Reading:
    """How the scans are read where their files do not say: as the arguments of `io.read`."""

    modality: str | None = None
    spacing: tuple[float, float, float] | None = None
    accept_uneven: bool = False


@dataclass(frozen=True)
class Choices:
    """What the user decides about the data.

    Attributes:
        seed: seed of the split.
        validation_share: share of the patients of each side kept for the criterion and the pictures.
        allow_mixed: take scans of several kernels or modalities together.
        most_gigabytes: size limit of the cache; where the slices need more, fewer of each scan are kept, evenly spread.
        paired: the scans of the two sides show the same, by name: who learns from pairs.
    """

    seed: int = 0
    validation_share: float = VALIDATION_SHARE
    allow_mixed: bool = False
    most_gigabytes: float = MOST_GIGABYTES
    paired: bool = False


@dataclass(frozen=True)
class Entry:
    """One scan that has not been read yet: its name, its folder or file's stem, a stamp of its state, and how to read it."""

    name: str
    group: str
    stamp: str
    read: Callable[[], Image]


def gather(
    low: Path | None,
    full: Path,
    cache: Path,
    choices: Choices | None = None,
    reading: Reading | None = None,
    listener: Listener = silent,
) -> Sets:
    """Read two folders of scans, one sub-folder or file for each scan, in any format demottle reads.

    Args:
        low, full: the folders; `low` is None for who learns from full-dose scans alone.
        cache: folder for what is kept of the scans; what it holds of unchanged scans is not read again.
        choices: about the data.
        reading: how to read.
        listener: told after every scan, stage "gather".

    Raises:
        InputError: for folders that are empty or the same, one patient only, different units or modalities, several kernels
            without `allow_mixed`, a scan that cannot be read, or a scan on both sides.
    """
    reading = reading or Reading()
    if low is not None and low.resolve() == full.resolve():
        raise InputError(f"{low} is given for both sides; name one folder with low-dose and one with full-dose scans.")
    below = None if low is None else entries_in(low, reading)
    return sets_of(below, entries_in(full, reading), cache, choices, listener)


def entries_in(folder: Path, reading: Reading) -> list[Entry]:
    """List the scans of a folder; a DICOM folder with several series holds several scans."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; training needs a folder of scans for each side.")
    found = []
    for path in io.find_scans(folder):
        relative = path.relative_to(folder)
        group = relative.parts[0] if relative.parts else folder.name
        group = stem_of(Path(group))
        series = [info.uid for info in io.list_series(path)] if path.is_dir() else []
        for number, uid in enumerate(series if len(series) > 1 else [None]):
            name = str(relative) if uid is None else f"{relative}#{number + 1}"
            found.append(Entry(name, group, f"{_stamp(path)}|{reading!r}", _reader(path, uid, reading)))
    return found


def entry_at(path: Path, name: str, reading: Reading, patient: str = "") -> Entry:
    """Take the one scan at a path, under a name of its own; `patient`: whose it is, where its file does not say."""
    group = patient or stem_of(Path(Path(name).name))
    return Entry(name, group, f"{_stamp(path)}|{reading!r}", _reader(path, None, reading))


def entries_of(images: Iterable[tuple[str, Image]]) -> list[Entry]:
    """Take images that are in memory, each with the name of its patient."""

    def entry(number: int, patient: str, image: Image) -> Entry:
        stamp = f"{scan_cache.content_of(image)}|{image.modality}|{image.unit}"
        return Entry(f"{patient}-{number}", patient, stamp, lambda: image)

    return [entry(number, patient, image) for number, (patient, image) in enumerate(images)]


def sets_of(
    low: Sequence[Entry] | None,
    full: Sequence[Entry],
    cache: Path,
    choices: Choices | None = None,
    listener: Listener = silent,
) -> Sets:
    """Read, check and split; arguments and errors as `gather`."""
    choices = choices or Choices()
    salt = _salt(cache)
    given = {"full": full} if low is None else {"low": low, "full": full}
    total = sum(map(len, given.values()))
    most_bytes = choices.most_gigabytes * 1e9 / 2 / max(1, total)  # half of it for what is derived from the slices
    found: dict[str, list[Scan]] = {}
    done = 0
    for name, entries in given.items():
        scans = []
        for entry in entries:
            scans.append(_kept(entry, cache / name, salt, most_bytes, choices.paired))
            done += 1
            listener(Progress(Stage.GATHER, done, total))
        found[name] = sorted(scans, key=lambda scan: scan.facts.name)
    _check([scan.facts for scan in found.get("low", ())], [scan.facts for scan in found["full"]], choices)
    validation = _held_out(found, choices)
    parts = {
        held: {
            name: Side(tuple(scan for scan in scans if (scan.facts.patient in validation) is held))
            for name, scans in found.items()
        }
        for held in (False, True)
    }
    listed: dict[str, Any] = {
        name: [_listed(scan.facts, scan.facts.patient in validation) for scan in scans] for name, scans in found.items()
    }
    manifest = {"seed": choices.seed, "validation_share": choices.validation_share, "paired": choices.paired, **listed}
    told = [(one["content"], one["used_for"]) for scans in listed.values() for one in scans]
    key = hashlib.sha256(repr((told, choices.paired, most_bytes)).encode()).hexdigest()
    low_side, low_held = (part.get("low", part["full"]) for part in parts.values())
    return Sets(low_side, parts[False]["full"], low_held, parts[True]["full"], manifest, key)


def _held_out(found: Mapping[str, Sequence[Scan]], choices: Choices) -> set[str]:
    """Choose the patients that are not learned from; `found`: the scans by the name of their side."""
    low, full = ([scan.facts.patient for scan in found.get(name, ())] for name in ("low", "full"))
    return validation_patients(low if "low" in found else None, full, choices.validation_share, choices.seed)


def _kept(entry: Entry, cache: Path, salt: str, most_bytes: float, paired: bool) -> Scan:
    key = hashlib.sha256(f"{entry.name}|{entry.stamp}|{most_bytes}|{paired}".encode()).hexdigest()[:20]
    found = scan_cache.kept(cache / key)
    if found is not None:
        return found
    try:
        image = entry.read()
    except InputError as error:
        raise InputError(f"{entry.name} cannot be learned from: {error}", remedy=error.remedy) from error
    number, name = patient_number(image), entry.name
    patient, label = (_hashed(salt, number), _hashed(salt, name)) if number else (entry.group, name)
    return scan_cache.keep(image, name, label, patient, kernel_of(image), cache / key, most_bytes, alike=paired)


def _check(low: Sequence[Facts], full: Sequence[Facts], choices: Choices) -> None:
    everything = [*low, *full]
    for what, plural in (("unit", "units"), ("modality", "modalities"), ("kernel", "reconstruction kernels")):
        found = Counter(getattr(facts, what) for facts in everything)
        if len(found) < 2 or (choices.allow_mixed and what != "unit"):
            continue
        rarest = min(found, key=lambda value: found[value])
        rare = next(facts.name for facts in everything if getattr(facts, what) == rarest)
        named = ", ".join(sorted(value or "unknown" for value in found))
        said = f"The scans have different {plural} ({named}; {rare} has {rarest or 'an unknown one'}); leave out all but one kind"
        if what != "kernel" and any(facts.modality == _UNKNOWN for facts in everything):
            raise InputError(f"{said}, or say what those are whose files do not.", remedy="modality")
        if what == "unit":
            raise InputError(f"{said}.")
        raise InputError(f"{said}, or allow mixed data.", remedy="allow_mixed")
    same = {facts.content for facts in low} & {facts.content for facts in full}
    if same:
        twice = next(facts.name for facts in low if facts.content in same)
        raise InputError(f"The scan {twice} is on both sides; low-dose and full-dose scans have to be different ones.")
    if choices.paired:
        _check_pairs(low, full)


def _check_pairs(low: Sequence[Facts], full: Sequence[Facts]) -> None:
    if len(low) != len(full):
        raise InputError(f"There are {len(low)} low-dose but {len(full)} full-dose scans; pairs need one for each.")
    for one, other in zip(low, full, strict=True):
        if _stem(one.name) != _stem(other.name):
            raise InputError(f"{one.name} and {other.name} do not match; pairs need the same names on both sides.")
        if one.shape != other.shape or any(
            abs(a / b - 1) > 0.01 for a, b in zip(one.spacing, other.spacing, strict=True)
        ):
            raise InputError(
                f"The two scans {one.name} differ in their geometry ({_told(one)}, {_told(other)}); pairs need the same slices "
                "and pixels."
            )
        if one.kept != other.kept:
            raise InputError(f"Of the two scans {one.name} other slices are kept; train with another cache.")


def _told(facts: Facts) -> str:
    slices, rows, columns = facts.shape
    between, row, column = facts.spacing
    return f"{counted(slices, 'slice')} of {rows} x {columns}, {between:.3g} x {row:.3g} x {column:.3g} mm"


def _listed(facts: Facts, validation: bool) -> dict[str, Any]:
    return {
        "scan": facts.label,
        "patient": facts.patient,
        "used_for": "validation" if validation else "learning",
        "content": facts.content,
        "kernel": facts.kernel,
        "slices": facts.shape[0],
        "spacing_mm": list(facts.spacing),
        "noise_level": facts.noise_level,
    }


def _reader(path: Path, series: str | None, reading: Reading) -> Callable[[], Image]:
    def read() -> Image:
        dicom = path.is_dir() or format_of(path) in (None, "dicom")
        given: dict[str, Any] = {} if dicom else {"modality": reading.modality, "spacing": reading.spacing}
        return io.read(path, series=series, accept_uneven=reading.accept_uneven, **given)

    return read


def _stamp(path: Path) -> str:
    """Changes when a file does."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    states = [file.stat() for file in files if file.is_file()]
    return f"{len(states)}|{sum(s.st_size for s in states)}|{max((s.st_mtime_ns for s in states), default=0)}"


def _salt(cache: Path) -> str:
    """A secret that makes patients' hashes useless elsewhere; it stays in the cache."""
    file = cache / "salt"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
    return file.read_text()


def _hashed(salt: str, text: str) -> str:
    return hashlib.sha256((salt + text).encode()).hexdigest()[:12]


def _stem(name: str) -> str:
    return name.removesuffix(Path(name).name) + stem_of(Path(name))
