"""The files that a verb which measures writes: a table and a page, which appear together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from demottle.io.output import publishing, refuse_existing, refuse_inputs, refuse_same_name


@dataclass(frozen=True)
class Results:
    """Where table, page and map of spots go (None: not wanted), and whether they may replace what is there.

    `history` is a table that each run adds to: it is replaced in any case, together with the others.
    """

    csv: Path | None = None
    html: Path | None = None
    overwrite: bool = False
    spot_map: Path | None = None
    history: Path | None = None

    @property
    def named(self) -> tuple[Path | None, ...]:
        """All of the names that are new."""
        return self.csv, self.html, self.spot_map

    def refuse(self, inputs: Iterable[Path | None]) -> None:
        """Raise OutputError where a name is taken, given twice, or that of a file which is read: before the work."""
        names = self.named
        refuse_same_name((*names, self.history))
        refuse_inputs((*names, self.history), inputs)
        if not self.overwrite:
            refuse_existing(names)

    def write(
        self,
        table: Callable[[Path], None],
        page: Callable[[Path], None],
        spot_map: Callable[[Path], None] | None = None,
        history: Callable[[Path], None] | None = None,
    ) -> None:
        """Write what is wanted; all of it is there at the end, or nothing new.

        Args:
            table, page, spot_map, history: write them to the place that they are given; the history first, which the page shows.

        Raises:
            OutputError: where it cannot be written.
        """
        with publishing(self.named, overwrite=self.overwrite, grown=self.history) as at:
            if self.history is not None and history is not None:
                history(at[self.history])
            if self.html is not None:
                page(at[self.html])
            if self.csv is not None:
                table(at[self.csv])
            if self.spot_map is not None and spot_map is not None:
                spot_map(at[self.spot_map])
