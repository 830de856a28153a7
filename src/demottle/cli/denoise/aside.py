"""Where a result that fails the gate is kept: beside OUT, marked, with its page, and never in place of anything else."""

import json
from dataclasses import replace
from pathlib import Path

from demottle.cli.places import Places, extended, places_for
from demottle.errors import OutputError
from demottle.io.formats import stem_of


def aside_name(path: Path) -> Path:
    """OUT-refused for OUT, OUT-refused.nii.gz for OUT.nii.gz."""
    named = path if path.name not in ("", "..") else path.resolve()
    stem = stem_of(named)
    return named.with_name(extended(stem, f"-refused{named.name[len(stem) :]}"))


def with_aside(places: Places, report: Path | None) -> Places:
    """Add where the result of one scan goes if it fails; its page and record go where they would, under such names too."""
    page = None if report is None else aside_name(report)
    return replace(places, aside=places_for(aside_name(places.output), page, places.page is not None))


def refuse_foreign(places: Places, scan: Path) -> None:
    """Raise OutputError where the places aside hold the scan, or anything that demottle did not put there: before the work."""
    aside = places.aside
    if aside is None:
        return
    inner, outer = aside.output.resolve(), scan.resolve()
    if inner == outer or inner in outer.parents or outer in inner.parents:
        raise OutputError(
            f"A result that fails the gate would be kept in {aside.output}, where the scan lies; choose another name for OUT."
        )
    from demottle.io.refused import is_refused_result

    taken = next((path for path in (aside.output, *_foreign_pages(aside)) if path.exists()), None)
    if taken is None or (taken == aside.output and is_refused_result(taken) and not _foreign_pages(aside)):
        return
    raise OutputError(
        f"{taken} exists already and is not an earlier result that failed the gate, for which that name is kept; move it away, "
        "choose another name for OUT, or add --overwrite."
    )


def _foreign_pages(aside: Places) -> tuple[Path, ...]:
    """Page and record of that name, where they are not those of a result that was put aside."""
    if aside.page is None or aside.record is None:
        return ()
    try:
        ours = json.loads(aside.record.read_text(encoding="utf-8")).get("refused") is True
    except (OSError, ValueError, AttributeError):
        ours = False
    return () if ours else tuple(path for path in (aside.page, aside.record) if path.exists())
