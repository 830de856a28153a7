"""The files that a verb which measures writes: a table and a page, which appear together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from demottle.io.output import publishing, refuse_existing, refuse_inputs, refuse_same_name


@dataclass(frozen=True)
class Results:
    """Where table and page go (None: not wanted), and whether they may replace what is there."""

    csv: Path | None = None
    html: Path | None = None
    overwrite: bool = False

    def refuse(self, inputs: Iterable[Path | None]) -> None:
        """Raise OutputError where a name is taken, given twice, or that of a file which is read: before the work."""
        names = (self.csv, self.html)
        refuse_same_name(names)
        refuse_inputs(names, inputs)
        if not self.overwrite:
            refuse_existing(names)

    def write(self, table: Callable[[Path], None], page: Callable[[Path], None]) -> None:
        """Write what is wanted; all of it is there at the end, or nothing new.

        Args:
            table, page: write them to the place that they are given.

        Raises:
            OutputError: where it cannot be written.
        """
        with publishing((self.csv, self.html), overwrite=self.overwrite) as at:
            if self.html is not None:
                page(at[self.html])
            if self.csv is not None:
                table(at[self.csv])
