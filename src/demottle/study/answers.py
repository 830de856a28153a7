"""What readers answered: one file for each reader, to which a line is added with every answer.

A line that was acknowledged is on the disk. Nothing is ever rewritten: a changed mind is a further line, and the last one
counts. A line that was cut off when the machine stopped was never acknowledged and is left out.
"""

import errno
import json
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

from demottle.errors import InputError, OutputError
from demottle.study.design import Study

Answer = int | bool
_ALIAS = re.compile(r"\w[\w-]{0,31}")
_SUFFIX = ".jsonl"
_LONGEST = 7 * 24 * 3600.0  # seconds at one image: more is a mistake of a clock


@dataclass
class Given:
    """What one reader answered in one trial so far, and the time spent on it in seconds."""

    answers: dict[str, Answer] = field(default_factory=dict)
    seconds: float = 0.0

    def complete(self, study: Study) -> bool:
        """Say whether every question is answered."""
        return all(question.name in self.answers for question in study.questions)


def alias_of(text: str) -> str:
    """Return a reader's alias in the form that is kept: "R1 " and "r1" are the same reader.

    Raises:
        InputError: for anything but 1 to 32 letters, digits, - and _.
    """
    alias = unicodedata.normalize("NFC", text.strip()).casefold()
    if not _ALIAS.fullmatch(alias):
        raise InputError(
            "An alias is 1 to 32 letters, digits, - or _, and begins with a letter or digit; choose another one."
        )
    return alias


class Answers:
    """The answers of one reader, kept in a file."""

    def __init__(self, folder: Path, reader: str, study: Study) -> None:
        """Read what is there; nothing is written before the first answer.

        Raises:
            InputError: where the file is damaged.
        """
        self.reader = alias_of(reader)
        self._study = study
        self._path = folder / f"{self.reader}{_SUFFIX}"
        self.given = _read(self._path, study)

    def add(self, trial: str, answers: Mapping[str, Any], seconds: float) -> Given:
        """Keep answers of one trial, and return all of that trial; on the disk when this returns.

        Args:
            trial: its name.
            answers: by name of the question; those not named stay as they are.
            seconds: spent on the trial since the last answer.

        Raises:
            InputError: for an unknown trial or question, or an answer there is not.
            OutputError: where it cannot be written.
        """
        _refuse_wrong(self._study, trial, answers, seconds)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        kept = dict(answers)
        line = {"at": now, "trial": trial, "answers": kept, "seconds": round(float(seconds), 2)}
        self._append((json.dumps(line, ensure_ascii=False) + "\n").encode())
        return _take(self.given, trial, kept, float(seconds))

    def _append(self, line: bytes) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab+", buffering=0) as file:
                _cut_torn_end(file)
                if file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(
                f"The answer could not be saved in {self._path} ({error.strerror}); free space and try again."
            ) from error


def _cut_torn_end(file: FileIO) -> None:
    """Cut off what a crash left of a line: a new line glued to it would be lost with it."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return
    file.seek(end - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.readall().rfind(b"\n") + 1)


def readers_of(folder: Path, study: Study) -> list[Answers]:
    """Return the answers of all readers, sorted by alias.

    Raises:
        InputError: where a file is damaged.
    """
    return [Answers(folder, path.stem, study) for path in sorted(folder.glob(f"[!.]*{_SUFFIX}"))]


def _read(path: Path, study: Study) -> dict[str, Given]:
    """Return what is answered, by trial."""
    given: dict[str, Given] = {}
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return given
    except OSError as error:
        raise InputError(f"The answers {path} cannot be read ({error.strerror}); make them readable.") from None
    whole = data.rfind(b"\n") + 1
    for number, line in enumerate(data[:whole].splitlines(), start=1):
        try:
            one = json.loads(line)
            _refuse_wrong(study, one["trial"], one["answers"], one["seconds"])
        except (ValueError, KeyError, TypeError, AttributeError, InputError):
            raise InputError(
                f"The answers {path} are damaged in line {number}, or belong to another study; restore the file from a copy."
            ) from None
        _take(given, one["trial"], one["answers"], one["seconds"])
    return given


def _take(given: dict[str, Given], trial: str, answers: Mapping[str, Answer], seconds: float) -> Given:
    one = given.setdefault(trial, Given())
    one.answers.update(answers)
    one.seconds += seconds
    return one


def _refuse_wrong(study: Study, trial: object, answers: Mapping[str, Any], seconds: object) -> None:
    if trial not in {one.name for one in study.trials}:
        raise InputError("There is no such image in this study; load the page again.")
    questions = {question.name: question for question in study.questions}
    if not answers or not all(name in questions and questions[name].accepts(value) for name, value in answers.items()):
        raise InputError("There is no such question or answer in this study; load the page again.")
    good = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not good or not 0 <= seconds <= _LONGEST:  # type: ignore[operator]  # not as a float: whole numbers can be too large
        raise InputError("The time spent on an image has to be a number of seconds; load the page again.")
