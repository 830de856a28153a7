"""The check and the errors of a sequence as a flat list of figures, for CSV; what `figures` does for volumes."""

from demottle.quality.figures import Figure, Named, figures_from
from demottle.quality.sequence.check import SequenceCheck
from demottle.quality.sequence.measures import SEQUENCE_MEASURES
from demottle.quality.sequence.truth import SequenceErrors


def sequence_figures(check: SequenceCheck, errors: tuple[SequenceErrors, SequenceErrors] | None = None) -> list[Figure]:
    """Return every figure, in the order of `SEQUENCE_MEASURES`; `errors` before and after, where there is a truth."""
    low, high = (0.0, 0.0) if errors is None else errors[0].window
    sources: dict[str, list[Named]] = {
        "errors": [] if errors is None else [("", errors)],
        "run": [("", check)],
        "run edges": [] if check.edges is None else [("", check.edges)],
        "shifts": [(shift.name, shift) for shift in check.shifts],
    }
    return list(figures_from(SEQUENCE_MEASURES, sources, check.unit, f"[{low:.5g}, {high:.5g}]"))
