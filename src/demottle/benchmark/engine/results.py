"""Rows of a benchmark: one JSON line for each cell (a case under one entrant), found again by what was asked for."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from demottle.benchmark.engine.entrants import Entrant
from demottle.benchmark.suites.cases import CaseSpec
from demottle.errors import InputError, counted

Row = dict[str, Any]
DONE, FAILED, RUN = "done", "failed", "run"


@dataclass(frozen=True)
class Cell:
    """One case under one entrant.

    Attributes:
        minutes: for learning; None for what learns nothing.
        threads: threads of the processor.
    """

    case: CaseSpec
    entrant: Entrant
    minutes: float | None
    threads: int

    @property
    def key(self) -> str:
        """Equal for what has the same result, up to the clock."""
        entrant = {**asdict(self.entrant), "settings": dict(self.entrant.settings)}
        plain = {"case": self.case.key, "entrant": entrant, "minutes": self.minutes}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """What progress and messages call it."""
        return f"{self.entrant.name} on {self.case.name}"

    def facts(self) -> Row:
        """The row without what was found."""
        case, entrant = self.case, self.entrant
        return {
            "key": self.key,
            "suite": case.suite,
            "group": case.group,
            "seed": case.seed,
            "recipe": case.told,
            "entrant": entrant.name,
            "method": entrant.method,
            "asked": dict(entrant.settings),
            "learns": entrant.learns,
            "sees_truth": entrant.sees_truth,
            "minutes": self.minutes,
            "threads": self.threads,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for another process."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Cell":
        """Take back what `to_dict` gave."""
        more = {**values, "case": CaseSpec(**values["case"]), "entrant": Entrant(**values["entrant"])}
        return cls(**more)


class Results:
    """The file of rows; a line that a kill cut short is left out, and written again.

    Attributes:
        path: the file; it need not be there.
        runs: what each run ran on.
        doubts: sentences for a user on what is wrong with the file.
    """

    def __init__(self, path: Path) -> None:
        """Read what is there.

        Raises:
            InputError: for a file that is not text.
        """
        self.path = path
        lines, unread = _lines(path)
        self._rows = {row["key"]: row for row in lines if _is_row(row)}
        self.runs = [line for line in lines if line.get("kind") == RUN]
        unread += len(lines) - sum(map(_is_row, lines)) - len(self.runs)
        self.doubts = (
            (f"{counted(unread, 'line')} of {path} could not be read as results; left out.",) if unread else ()
        )
        self._run: str | None = None

    @property
    def rows(self) -> list[Row]:
        """Every row, the last one of each key, in the order they came."""
        return list(self._rows.values())

    def has(self, cell: Cell) -> bool:
        """True where a cell was done before, or failed for good."""
        return cell.key in self._rows

    def failed(self, cell: Cell) -> bool:
        """True where a cell was tried and failed."""
        return self.has(cell) and self._rows[cell.key]["status"] == FAILED

    def forget_failures(self) -> None:
        """Let what failed be tried again; its rows are replaced by the next try's."""
        self._rows = {key: row for key, row in self._rows.items() if row["status"] != FAILED}

    def begin(self, facts: Row) -> None:
        """Append what a run ran on; rows from now on belong to it."""
        self._run = f"{facts['started']}-{len(self.runs)}"
        self.runs.append({"kind": RUN, "run": self._run, **facts})
        self._append(self.runs[-1])

    def add(self, row: Row) -> None:
        """Append a row; it is on the disk when this returns, and no row that is there already is written again."""
        self._rows[row["key"]] = {**row, "run": self._run}
        self._append(self._rows[row["key"]])

    def _append(self, row: Row) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            if file.tell() and not _ends_line(self.path):
                file.write(b"\n")
            file.write(json.dumps(row, allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def seconds_of(self, entrant: str) -> float | None:
        """Mean duration of an entrant's cells so far; None where there is none."""
        known: Sequence[float] = [row["wall"] for row in self.rows if row["entrant"] == entrant and "wall" in row]
        return sum(known) / len(known) if known else None


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _lines(path: Path) -> tuple[list[Row], int]:
    """Every line that is an object of JSON, and how many are anything else."""
    texts = path.read_bytes().splitlines() if path.exists() else []
    found = [row for text in texts if (row := _parsed(text)) is not None]
    if texts and not found and any(not _is_text(text) for text in texts):
        raise InputError(
            f"{path} is not text, but has to hold results of a benchmark; move it away or name another folder."
        )
    return found, len(texts) - len(found)


def _parsed(text: bytes) -> Row | None:
    try:
        row = json.loads(text)
    except ValueError:  # bytes that are not text as well
        return None
    return row if isinstance(row, dict) else None


def _is_text(line: bytes) -> bool:
    try:
        return "\0" not in line.decode()
    except UnicodeDecodeError:
        return False


def _is_row(line: Row) -> bool:
    """True for what tables can be made of."""
    of_status = {DONE: {"sees_truth", "quality", "cost"}, FAILED: {"reason"}}.get(str(line.get("status")))
    needed = {"key", "suite", "entrant", "group", "seed"}
    return of_status is not None and needed | of_status <= set(line) and isinstance(line["key"], str)
