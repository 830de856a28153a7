"""A table of a TOML file whose values are asked for by key, and which complains in one sentence with file and key."""

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from demottle.errors import InputError, closest

_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # DICOM's AE: printable ASCII but the backslash
_NAME = re.compile(r"[\w. +-]{1,64}")


class Table:
    """One table; what nobody asked for is refused by `finish`."""

    def __init__(self, values: Any, where: str, file: Path) -> None:
        """Take a table.

        Args:
            values: as tomllib read it.
            where: what it is called, such as "[node]" or "[[rule]] number 2".
            file: the file, for messages and for paths beside it.

        Raises:
            InputError: it is not a table.
        """
        self._where, self._file = where, file
        if not isinstance(values, Mapping):
            raise self.wrong("", f"has to be a table; write it as {where} on a line of its own")
        self._values, self._asked = dict(values), set[str]()

    def wrong(self, key: str, what: str) -> InputError:
        """Return the error: file, table, key, what is wrong and what to write."""
        said = f"{self.place(key)} {what}".lstrip()
        return InputError(f"{self._file}: {said}" + ("" if said.endswith("?") else "."))

    def place(self, key: str) -> str:
        """What a key, or with "" the table, is called in messages; the file itself has no name there."""
        within = f" in {self._where}" if self._where else ""
        return f"'{key}'{within}" if key else self._where

    @property
    def file_name(self) -> str:
        """The file as it was named."""
        return str(self._file)

    def finish(self, absent: Mapping[str, str] | None = None) -> None:
        """Refuse keys that nobody asked for; `absent` says why for those that one could expect.

        Raises:
            InputError: names the key, and the one that may be meant.
        """
        for key in self._values:
            if key in self._asked:
                continue
            if absent and key in absent:
                raise self.wrong(key, absent[key])
            near = closest(key, self._asked)
            hint = f"did you mean '{near}'?" if near else f"known are {', '.join(sorted(self._asked))}"
            raise self.wrong(key, f"is not a key demottle knows; {hint}")

    def has(self, key: str) -> bool:
        """True where the key is given."""
        return key in self._values

    def raw(self, key: str) -> Any:
        """The value as it is; None where it is not given."""
        self._asked.add(key)
        return self._values.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty; without a default it has to be there."""
        value = self.raw(key)
        if value is None:
            if default is None:
                raise self.wrong(key, f'is missing; write {key} = "..."')
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, f'is {_shown(value)}; write a text, {key} = "..."')
        return value.strip()

    def title(self, key: str = "title", default: str | None = None) -> str:
        """An AE title."""
        value = self.text(key, default)
        if not _TITLE.fullmatch(value):
            raise self.wrong(key, f"is {_shown(value)}; an AE title has 1 to 16 ASCII characters and no backslash")
        return value

    def name(self, key: str = "name", default: str | None = None) -> str:
        """A name of one's own choice."""
        value = self.text(key, default)
        if not _NAME.fullmatch(value):
            raise self.wrong(key, f"is {_shown(value)}; write up to 64 letters, digits, spaces, dots, dashes")
        return value

    def number(self, key: str, default: float | None, least: float, most: float) -> float:
        """A number from `least` to `most`."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        fits = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        if not fits or not least <= value <= most:
            given = "is missing" if value is None else f"is {_shown(value)}"
            raise self.wrong(key, f"{given}; write a number from {least:g} to {most:g}")
        return float(value)

    def port(self, key: str = "port", default: int | None = None, least: int = 1) -> int:
        """A TCP port."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= 65535:
            given = "is missing" if value is None else f"is {_shown(value)}"
            raise self.wrong(key, f"{given}; write a whole number from {least} to 65535")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(key, f"is {_shown(value)}; write true or false")
        return value

    def texts(self, key: str, default: Iterable[str] = ()) -> tuple[str, ...]:
        """A text, or a list of texts."""
        value = self.raw(key)
        if value is None:
            return tuple(default)
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not listed or not all(isinstance(one, str) and one for one in listed):
            raise self.wrong(key, f'is {_shown(value)}; write a text or a list of texts, {key} = ["..."]')
        return tuple(listed)

    def path(self, key: str, default: str | None = None) -> Path:
        """A path; relative ones begin beside the file."""
        return (self._file.absolute().parent / self.text(key, default)).resolve()

    def file(self, key: str) -> Path:
        """A path of a file that exists."""
        found = self.path(key)
        if not found.is_file():
            raise self.wrong(key, f"names {found}, which is not a file; write the path of one")
        return found

    def table(self, key: str) -> "Table":
        """A table within; empty where it is not given."""
        return Table(self.raw(key) or {}, f"{key} of {self._where}" if self._where else f"[{key}]", self._file)

    def tables(self, key: str) -> list["Table"]:
        """A list of tables, [[key]]."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, f"has to be a list of tables; write [[{key}]] above each")
        return [Table(one, f"[[{key}]] number {number}", self._file) for number, one in enumerate(value, 1)]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
