"""The study as CSV, for any other program: results, one to a line, and every answer, unblinded."""

import csv
import io
from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path

from demottle.io.output import staged
from demottle.study.analysis import Analysis
from demottle.study.comparing import Mean
from demottle.study.scoring import Ratings

RESULT_COLUMNS = (
    "what",
    "item",
    "arm",
    "reference",
    "reader",
    "n",
    "value",
    "ci_low",
    "ci_high",
    "p",
    "p_holm",
    "verdict",
)
ANSWER_COLUMNS = ("reader", "case", "trial", "again", "arm", "beside", "question", "answer", "seconds")
Cell = str | float | int
_NOTHING = float("nan")


def write_results(found: Analysis, path: Path) -> None:
    """Write the results of an analysis; a value that could not be computed is empty.

    Raises:
        OutputError: where the file cannot be written.
    """
    _write(path, RESULT_COLUMNS, _results(found))


def write_answers(ratings: Ratings, path: Path) -> None:
    """Write every answer of every finished trial. Yes and no are 1 and 0; in pairs `arm` was left and `beside` right.

    Raises:
        OutputError: where the file cannot be written.
    """
    _write(path, ANSWER_COLUMNS, _answers(ratings))


def _results(found: Analysis) -> Iterator[tuple[Cell, ...]]:
    for m in found.means:
        beside = found.reference if found.paired else ""
        yield ("mean", m.item, m.arm, beside, "", sum(m.counts), *_of(m.mean), _NOTHING, _NOTHING, "")
    for g in found.gains:
        yield ("gain", g.item, g.arm, g.reference, "", g.scans, *_of(g.mean), g.p, g.p_holm, g.verdict)
        for reader, value in zip(found.readers, g.by_reader, strict=True):
            yield ("gain of reader", g.item, g.arm, g.reference, reader, g.scans, value, *[_NOTHING] * 4, "")
    for y in found.yes_no:
        yield ("yes", "report", y.arm, y.reference, y.reader, y.cases, y.yes, _NOTHING, _NOTHING, y.p, y.p_holm, "")
        yield (
            "yes to reference",
            "report",
            y.arm,
            y.reference,
            y.reader,
            y.cases,
            y.yes_reference,
            *[_NOTHING] * 4,
            "",
        )
    for a in found.agreement:
        yield ("kappa", a.item, "", "", "", a.things, a.kappa, *[_NOTHING] * 4, "")
        yield ("icc", a.item, "", "", "", a.things, a.icc.value, a.icc.ci_low, a.icc.ci_high, _NOTHING, _NOTHING, "")
        for scale, alpha in a.alpha.items():
            values = (alpha.value, alpha.ci_low, alpha.ci_high)
            yield (f"alpha {scale}", a.item, "", "", "", a.things, *values, _NOTHING, _NOTHING, "")
    for s in found.self_agreement:
        yield ("kappa with oneself", "", "", "", s.reader, s.repeats, s.kappa, *[_NOTHING] * 4, "")


def _of(mean: Mean) -> tuple[float, float, float]:
    return mean.value, mean.ci_low, mean.ci_high


def _answers(ratings: Ratings) -> Iterator[tuple[Cell, ...]]:
    labels = ratings.key.labels
    for r in sorted(ratings.all, key=lambda rating: (rating.reader, rating.case, rating.trial)):
        arm, beside = (*r.arms, "")[:2]
        for question, answer in r.answers.items():
            yield (
                r.reader,
                labels[r.case],
                r.trial,
                r.again or "",
                arm,
                beside,
                question,
                int(answer),
                round(r.seconds, 1),
            )


def _write(path: Path, columns: tuple[str, ...], lines: Iterable[tuple[Cell, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(cell) for cell in line] for line in lines)
    with staged(path, overwrite=True) as part:
        part.write_text(text.getvalue(), encoding="utf-8", newline="")


def _cell(value: Cell) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if isfinite(value) else ""
    return str(value)
