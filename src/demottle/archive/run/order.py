"""What a run is told once (`Order`), and what it is told of each series (`Job`): plain values that travel to any machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demottle.quality.limits import Limits

VERBS = ("denoise", "inspect", "evaluate", "simulate")
"""What can be done with the series of an archive."""
WRITING = ("denoise", "simulate")
"""Verbs that write images."""


@dataclass(frozen=True)
class Order:
    """What is the same for all series of a run.

    Attributes:
        archive: folder of the archive's data set.
        root: folder that was indexed, which holds the scans.
        folder: the run's own folder.
        output: where images go; None for verbs that write none.
        limits: limits of the gate; None: its own.
        force: results that fail the gate are written all the same.
        pages: a page and run.json for each series.
        seed: makes results repeatable.
        dose: share of the dose that is simulated, 0 to 1.
        accept_truncated: a lower dose is simulated also where the body reaches beyond the field of view.
        evaluated: folder of the run whose results are evaluated; None: another verb.
        destination: name of the destination that results are sent to, and the file that describes it; None: nowhere.
        threads: of one task; 0: as many as the machine has.
    """

    archive: Path
    root: Path
    folder: Path
    output: Path | None = None
    limits: "Limits | None" = None
    force: bool = False
    pages: bool = True
    seed: int = 0
    dose: float = 0.25
    accept_truncated: bool = False
    evaluated: Path | None = None
    destination: tuple[str, Path] | None = None
    threads: int = 0


@dataclass(frozen=True)
class Job:
    """One series.

    Attributes:
        number: in the state of the run.
        key: of the series.
        verb: of `VERBS`.
        folder: of the series, from the root.
        series_uid: its SeriesInstanceUID.
        files: from the root; copies and broken ones are left out.
        size: bytes of these files when they were indexed.
        method, settings, strength: as in `demottle.pipeline.request.Request`; an empty method: the scan decides.
        more: what else the rule asks of a `Request` (seed, minutes, steps, texture), and its preset.
        group: series with one group share a network; empty: none.
        model: a file of a fitted network; empty: none.
        fits: its network becomes that of its group.
    """

    number: int
    key: str
    verb: str
    folder: str
    series_uid: str
    files: tuple[str, ...]
    size: int = 0
    method: str = ""
    settings: dict[str, Any] | None = None
    strength: float = 1.0
    more: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    model: str = ""
    fits: bool = False

    def record(self, order: Order) -> Path:
        """The file that says what came of it: published together with the results, or not at all."""
        return order.folder / "rows" / f"{self.key}.json"

    def tries(self, order: Order) -> Path:
        """A file with a byte for each time that somebody has begun with it."""
        return order.folder / "tries" / self.key

    def outbox(self, order: Order) -> Path:
        """Where results wait until they are sent."""
        return order.folder / "outbox" / self.key

    def result(self, order: Order) -> Path:
        """Where its images go: the tree of the archive again, and the key, as a folder may hold several series."""
        assert order.output is not None
        return order.output / self.folder / self.key

    def beside(self, order: Order, ending: str) -> Path:
        """The same place in a tree beside that of the images."""
        assert order.output is not None
        return order.output.with_name(f"{order.output.name}{ending}") / self.folder / self.key
