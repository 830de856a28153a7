"""An evaluation as a flat list of figures: for CSV, and for comparing methods over many cases."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from demottle.quality.evaluation import Evaluation
from demottle.quality.measures import MEASURES, Measure

Named = tuple[str, Any]
"""What a measure is read from, and its name where there are several: of a tissue, of a structure."""


@dataclass(frozen=True)
class Figure:
    """One figure, before (of the input) and after (of the output); NaN where it has no meaning or was not measured.

    `name` tells range, region and reference as far as there is a choice; `unit` is empty for pure numbers. `tested`: False
    where another figure says the same of differences between methods.
    """

    name: str
    unit: str
    before: float
    after: float
    tested: bool = True


def figures_of(found: Evaluation) -> list[Figure]:
    """Return every figure of an evaluation, in the order of `MEASURES`; what is told of several things, thing by thing."""
    unit, window = found.check.unit, ""
    if found.truth is not None:
        low, high = found.truth.window
        window = f"[{low:.0f}, {high:.0f}] {unit}"
    return list(figures_from(MEASURES, {name: source(found) for name, source in _SOURCES.items()}, unit, window))


def figures_from(
    rows: Iterable[Measure], sources: Mapping[str, Iterable[Named]], unit: str, window: str
) -> Iterator[Figure]:
    """Yield the figures of rows: of every thing that stands at their source, all the rows of that source.

    Args:
        rows: those of one source follow each other.
        sources: by name, what stands there; empty where nothing was measured.
        unit: of the image's values.
        window: the range of windowed measures, in words.
    """
    for source, together in groupby(rows, key=lambda row: row.source):
        same = list(together)
        for name, item in sources[source]:
            for row in same:
                yield Figure(row.full_name(name, window), row.unit_in(unit), *row.values(item), tested=row.tested)


def _truth_tissues(found: Evaluation) -> list[Named]:
    if found.truth is None:
        return []
    before = {tissue.name: tissue for tissue in found.truth.before.tissues}
    return [(tissue.name, (before.get(tissue.name), tissue)) for tissue in found.truth.after.tissues]


def _observed(found: Evaluation) -> list[Named]:
    seen = () if found.many is None else found.many.observed
    return [(f"{'seeing' if one.task == 'detection' else 'telling apart'} {one.name}", one) for one in seen]


def _discs(found: Evaluation) -> list[Named]:
    flat = None if found.many is None else found.many.noise_only
    return [] if flat is None else [(f"{disc.diameter:g} mm", disc) for disc in flat.discs]


def _one(item: Any) -> list[Named]:
    return [] if item is None else [("", item)]


def _known(part: str) -> Callable[[Evaluation], list[Named]]:
    return lambda found: [] if found.known is None else [(one.name, one) for one in getattr(found.known, part)]


_SOURCES: Mapping[str, Callable[[Evaluation], list[Named]]] = {
    "check": lambda found: _one(found.check),
    "spectra": lambda found: _one(found.check.spectra),
    "leak": lambda found: _one(found.check.leak),
    "edges": lambda found: _one(found.check.edges),
    "untouched": lambda found: _one(found.check.untouched),
    "spots": lambda found: _one(found.check.spots),
    "consistency": lambda found: _one(found.check.consistency),
    "tissues": lambda found: [(tissue.name, tissue) for tissue in found.check.tissues],
    "truth": lambda found: _one(found.truth),
    "truth tissues": _truth_tissues,
    "repeat": lambda found: _one(None if found.repeat is None else found.repeat.agreement),
    "contrast": _known("contrast"),
    "sharpness": _known("sharpness"),
    "detected": _known("detected"),
    "observed": _observed,
    "noise only": lambda found: _one(None if found.many is None else found.many.noise_only),
    "discs": _discs,
}
