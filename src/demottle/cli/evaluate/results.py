"""The files that `demottle evaluate` writes: a table and a page, which appear together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.cli.evaluate.figures_csv import write_csv
from demottle.io.output import publishing, refuse_existing, refuse_inputs, refuse_same_name

if TYPE_CHECKING:
    from demottle.quality.cohort import Case


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

    def write(self, cases: "Iterable[Case]", draw: Callable[[Path], None]) -> None:
        """Write what is wanted; all of it is there at the end, or nothing new.

        Args:
            cases: what the table holds.
            draw: writes the page.

        Raises:
            OutputError: where it cannot be written.
        """
        with publishing((self.csv, self.html), overwrite=self.overwrite) as at:
            if self.html is not None:
                draw(at[self.html])
            if self.csv is not None:
                write_csv(at[self.csv], cases)
