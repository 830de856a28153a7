"""Which cases a batch holds: the lines of a table, or the folders that match a pattern."""

import csv
from dataclasses import dataclass, fields
from pathlib import Path

from demottle.cli.evaluate.case import Given
from demottle.cli.evaluate.patterns import filled, found
from demottle.errors import InputError

FILES = tuple(field.name for field in fields(Given))
COLUMNS = {"case", "method", "output", "input", *FILES} - {"scan"}


@dataclass(frozen=True)
class Named:
    """One case of a batch."""

    case: str
    method: str
    given: Given

    def __str__(self) -> str:
        """How it is called in messages."""
        return f"{self.case}, {self.method}" if self.method else self.case


def table_of(batch: str) -> Path | None:
    """The table that `--batch` names; None where it is a pattern."""
    return Path(batch) if batch.lower().endswith(".csv") else None


def cases_of(batch: str, given: Given) -> list[Named]:
    """Return the cases that `--batch` names.

    A table (.csv) has a line for each case and the columns `input` and `output`, and as wanted `case`, `method`, `truth`,
    `second_input`, `second_output`, `absent_input`, `absent_output`, `structures`; paths are relative to the table. A pattern
    names the outputs, with {case} and, where there are several, {method}; the other options name the rest, with {case} (and
    {method}) in them too. {repeat} stands for all repeats of a case.

    Raises:
        InputError: for a table or pattern that names no case, or an option that is needed and missing.
    """
    table = table_of(batch)
    if table is not None:
        return _from_table(table)
    return _from_pattern(batch, given)


def _from_table(path: Path) -> list[Named]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            lines, columns = list(table), set(table.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error):
        raise InputError(
            f"The table {path} cannot be read; give a CSV file with the columns input and output."
        ) from None
    if missing := {"input", "output"} - columns:
        raise InputError(
            f"The table {path} has no column {' and '.join(sorted(missing))}; its first line has to name them."
        )
    if unknown := columns - COLUMNS:
        raise InputError(
            f"The table {path} has a column {sorted(unknown)[0]!r}; known are {', '.join(sorted(COLUMNS))}."
        )
    if not lines:
        raise InputError(f"The table {path} holds no case below its first line.")
    return [_from_line(line, path) for line in lines]


def _from_line(line: dict[str, str], table: Path) -> Named:
    def at(column: str) -> Path | None:
        value = (line.get(column) or "").strip()
        return table.parent / value if value else None

    paths = {name: at("input" if name == "scan" else name) for name in FILES}
    case = (line.get("case") or line["input"] or "?").strip()
    return Named(case, (line.get("method") or "").strip(), Given(**paths))


def _from_pattern(pattern: str, given: Given) -> list[Named]:
    if "{case}" not in pattern:
        raise InputError(f"The pattern {pattern!r} has no {{case}} in it; write for example 'OUT/{{case}}/{{method}}'.")
    if given.scan is None:
        raise InputError("A pattern of outputs needs --input with {case} in it, for example --input 'SCANS/{case}'.")
    named: dict[tuple[str, str], Named] = {}
    for _, match in found(pattern):
        names = {"case": match["case"], "method": match.get("method", "")}  # {repeat} stays: all of them are one case
        paths = {name: filled(getattr(given, name), names) for name in FILES if name != "output"}
        output = filled(Path(pattern.rstrip("/")), names)
        named[names["case"], names["method"]] = Named(names["case"], names["method"], Given(output=output, **paths))
    if not named:
        raise InputError(f"Nothing matches the pattern {pattern!r}; is it quoted, and relative to this folder?")
    return list(named.values())
