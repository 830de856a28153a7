"""The folder of a study: `study.json` (blind), `images/`, `answers/`, and the key, which may lie elsewhere."""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.quality.to_plain import plain
from demottle.study.design import PAIRS, SINGLE, CaseGeometry, Key, Labeled, Study, Trial
from demottle.study.questions import Question

STUDY_FILE, KEY_FILE, IMAGES, ANSWERS = "study.json", "key.json", "images", "answers"
_STUDY_FORMAT, _KEY_FORMAT, _VERSION = "demottle-study", "demottle-study-key", 1
Made = TypeVar("Made")
Json = dict[str, Any]


@dataclass(frozen=True)
class StudyFolder:
    """Where the parts of a study lie."""

    path: Path

    @property
    def answers(self) -> Path:
        """The folder with one file of answers for each reader."""
        return self.path / ANSWERS

    def slice_file(self, image: str, number: int) -> Path:
        """The file of one slice of an image."""
        return self.path / IMAGES / image / f"{number:03d}.gz"


def new_key_file(folder: Path) -> Path:
    """Where the key of a new study goes: beside its folder, which may lie where readers come."""
    whole = folder.absolute()
    return whole.with_name(f"{whole.name}-{KEY_FILE}")


def key_file(folder: Path) -> Path:
    """Where the key of a study is if nobody said so: beside its folder, or in it, as earlier versions had it."""
    inside = folder / KEY_FILE
    return inside if inside.is_file() else new_key_file(folder)


def write_study(study: Study, folder: Path) -> None:
    """Write `study.json`."""
    _write_json(folder / STUDY_FILE, {"format": _STUDY_FORMAT, "version": _VERSION, **plain(study)})


def write_key(key: Key, path: Path) -> None:
    """Write the key."""
    _write_json(path, {"format": _KEY_FORMAT, "version": _VERSION, **plain(key)})


def write_slice(codes: NDArray[np.int16], path: Path) -> None:
    """Write the codes of one slice (rows, columns): little-endian, compressed without loss, the same bytes every time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(np.ascontiguousarray(codes, "<i2").tobytes(), compresslevel=6, mtime=0))


def pad_slices(files: Mapping[Path, Path]) -> None:
    """Write slices (from `write_slice`) to other places, in the order given, each with zeros up to the size of the largest.

    Noise does not compress, so sizes of files would tell which image is of which arm. Zeros behind it are not part of a gzip
    file (RFC 1952 leaves them to the reader; gzip and Python skip them).
    """
    size = max(source.stat().st_size for source in files)
    for source, target in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes().ljust(size, b"\0"))


def read_slice(path: Path, case: CaseGeometry) -> bytes:
    """Return the codes of one slice of a case, little-endian, row by row.

    Raises:
        InputError: it is missing, or damaged.
    """
    try:
        codes = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"The study is not whole: there is no image {path}; copy the study again.") from None
    except (OSError, EOFError, zlib.error):
        codes = b""
    if len(codes) != 2 * case.rows * case.columns or not codes:
        raise InputError(f"The image {path} of the study cannot be read or is damaged; copy the study again.")
    return codes


def read_study(folder: Path) -> Study:
    """Read what is shown in a study.

    Raises:
        InputError: there is no such study, or its file is damaged.
    """
    if not folder.is_dir():
        raise InputError(f"There is no study folder {folder}; make one with 'demottle study create'.")
    path = folder / STUDY_FILE
    if not path.is_file():
        raise InputError(
            f"{folder} is not a study: it holds no {STUDY_FILE}; name a folder that 'demottle study create' made."
        )
    study = _read(path, _STUDY_FORMAT, _study_of)
    files = StudyFolder(folder)
    for trial in study.trials:
        for image in trial.images:
            if not files.slice_file(image, study.cases[trial.case].slices - 1).is_file():
                raise InputError(
                    f"The study {folder} is not whole: images are missing in {files.path / IMAGES}; copy it again."
                )
    return study


def read_key(path: Path, study: Study) -> Key:
    """Read what the images of a study are.

    Raises:
        InputError: there is no key, it is damaged, or belongs to another study.
    """
    if not path.is_file():
        raise InputError(f"There is no key {path}; the answers mean nothing without it, so name the key of this study.")
    key = _read(path, _KEY_FORMAT, _key_of)
    shown = {image for trial in study.trials for image in trial.images}
    if key.study != study.name or not shown <= key.images.keys():
        raise InputError(f"The key {path} belongs to another study; name the one that was made with this study.")
    return key


def _write_json(path: Path, value: Json) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", errors="backslashreplace")


def _read(path: Path, form: str, made_of: Callable[[Json], Made]) -> Made:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{path} cannot be read or is damaged; restore it from a copy.") from None
    if not isinstance(value, dict) or value.get("format") != form:
        raise InputError(f"{path} is not what its name says; name a file that 'demottle study create' made.")
    if value.get("version") != _VERSION:
        raise InputError(f"{path} was written by another version of demottle; use that version for this study.")
    try:
        return made_of(value)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise InputError(f"{path} is damaged; restore it from a copy.") from None


def _study_of(value: Json) -> Study:
    questions = tuple(Question(**{**one, "anchors": tuple(one["anchors"])}) for one in value["questions"])
    cases = tuple(CaseGeometry(**{**one, "windows": _windows(one["windows"])}) for one in value["cases"])
    trials = tuple(Trial(**{**one, "images": tuple(one["images"])}) for one in value["trials"])
    names = {trial.name for trial in trials}
    for trial in trials:
        _check(0 <= trial.case < len(cases) and all(_plain_name(image) for image in trial.images))
        _check(trial.again is None or trial.again in names)
        _check(len(trial.images) == (1 if value["design"] == SINGLE else 2))
    _check(value["design"] in (SINGLE, PAIRS) and len(trials) == len(names) > 0)
    return Study(str(value["name"]), str(value["title"]), value["design"], questions, cases, trials)


def _windows(value: list[list[Any]]) -> tuple[tuple[str, float, float], ...]:
    return tuple((str(name), float(center), float(width)) for name, center, width in value)


def _key_of(value: Json) -> Key:
    images = {name: Labeled(int(one["case"]), str(one["arm"])) for name, one in value["images"].items()}
    arms = tuple(str(arm) for arm in value["arms"])
    _check(all(what.arm in arms and 0 <= what.case < len(value["sources"]) for what in images.values()))
    return Key(str(value["study"]), arms, images, tuple(value["sources"]), int(value["seed"]))


def _plain_name(name: str) -> bool:
    return name.isalnum()  # part of a path


def _check(holds: bool) -> None:
    if not holds:
        raise ValueError
