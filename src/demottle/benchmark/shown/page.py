"""One self-contained HTML page of a benchmark: tables, plots, pictures, what failed, and on what it ran."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import PackageLoader
from markupsafe import Markup

from demottle.benchmark.engine.entrants import INPUT, missing
from demottle.benchmark.engine.results import Results, Row
from demottle.benchmark.shown import tables
from demottle.benchmark.shown.figures import COST, QUALITY, Kind
from demottle.benchmark.shown.plots import against_time, by_group
from demottle.benchmark.suites.catalog import Suite
from demottle.report.page import environment_and_style, write_whole

PLOTTED = ("psnr", "dprime", "contrast_faint", "nps_shift", "psnr_wire")
BY_KEY: Mapping[str, Kind] = {kind.key: kind for kind in (*QUALITY, *COST)}


def write_benchmark_page(results: Results, suite: Suite, rival: str | None, path: Path) -> Path:
    """Write the page of a suite; it appears only when complete.

    Raises:
        OutputError: where the page cannot be written.
    """
    environment, css = environment_and_style()
    environment.loader = PackageLoader("demottle.benchmark.shown", ".")
    rows = tables.done(results.rows, suite.name)
    names = tables.names(rows)
    page = environment.get_template("page.html.j2").render(
        css=css,
        suite=suite,
        rival=rival,
        cases=len({tables.case_of(row) for row in rows}),
        names=names,
        groups=[_group(rows, names, group) for group in dict.fromkeys(row["group"] for row in rows)],
        cost=_cost(rows, names, rival),
        tests=[] if rival is None else tables.tests(rows, rival),
        failed=tables.failures(results.rows, suite.name),
        plots=_plots(rows, names, suite.unit),
        pictures=_pictures(rows, names),
        facts=list(_facts(results, rows)),
        absent=[name for name in missing(suite) if name not in names],
        bounds={row["entrant"] for row in rows if row["sees_truth"]},
        settings=_settings(rows, names),
    )
    write_whole(page, path)
    return path


def _group(rows: Sequence[Row], names: Sequence[str], group: str) -> dict[str, Any]:
    inside = [row for row in rows if row["group"] == group]
    kinds = [kind for kind in QUALITY if any(kind.of(row) is not None for row in inside)]
    present = [name for name in names if any(row["entrant"] == name for row in inside)]
    return {
        "name": group,
        "cases": len({row["seed"] for row in inside}),
        "kinds": kinds,
        "rows": [(name, [tables.told(tables.over(inside, name, kind), kind) for kind in kinds]) for name in present],
    }


def _cost(rows: Sequence[Row], names: Sequence[str], rival: str | None) -> dict[str, Any]:
    kinds = [kind for kind in COST if any(kind.of(row) is not None for row in rows)]
    compared = [BY_KEY[key] for key in ("seconds", "peak_mib", "rmse")]
    told = []
    for name in names:
        shares = [
            "–" if rival is None else tables.told_ratio(tables.ratio(rows, name, rival, kind)) for kind in compared
        ]
        told.append((name, [tables.told(tables.over(rows, name, kind), kind) for kind in kinds], shares))
    return {"kinds": kinds, "rows": told}


def _plots(rows: Sequence[Row], names: Sequence[str], unit: str) -> list[tuple[str, Markup]]:
    made = []
    for key in PLOTTED:
        kind = BY_KEY[key]
        if any(kind.of(row) is not None for row in rows):
            made.append((kind.title, Markup(by_group(rows, names, kind, unit))))
    for key in ("psnr", "dprime"):
        if any(BY_KEY[key].of(row) is not None for row in rows) and len(names) > 1:
            made.append((f"{BY_KEY[key].title} and time", Markup(against_time(rows, names, BY_KEY[key], unit))))
    return made


def _pictures(rows: Sequence[Row], names: Sequence[str]) -> list[dict[str, Any]]:
    """Grids of pictures, one for each case that is shown."""
    shown: dict[str, dict[str, str]] = {}
    for row in rows:
        if row.get("picture"):
            shown.setdefault(tables.case_of(row), {})[row["entrant"]] = row["picture"]
        if row.get("truth_picture"):
            shown.setdefault(tables.case_of(row), {})["truth"] = row["truth_picture"]
    order = ["truth", *names]
    return [
        {"case": case, "pictures": [(name, found[name]) for name in order if name in found]}
        for case, found in shown.items()
    ]


def _settings(rows: Sequence[Row], names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Per entrant: the budget, and settings other than the method's own defaults are told by the first row."""
    told = []
    for name in names:
        if name == INPUT:
            continue
        row = next(row for row in rows if row["entrant"] == name)
        steps = sorted({one["steps"] for one in rows if one["entrant"] == name and one.get("steps")})
        learned = f"{steps[0]} to {steps[-1]} steps" if len(steps) > 1 else f"{steps[0]} steps" if steps else ""
        ended = sorted({one["ended"] for one in rows if one["entrant"] == name and one.get("ended")})
        settings = ", ".join(f"{key} {value}" for key, value in row.get("settings", {}).items())
        told.append((name, "; ".join(part for part in (learned, *ended) if part), settings))
    return told


def _facts(results: Results, rows: Sequence[Row]) -> list[str]:
    """On what the rows were made, a sentence for each run."""
    used = {row.get("run") for row in rows}
    told = []
    for run in results.runs:
        if run["run"] not in used:
            continue
        count = sum(row.get("run") == run["run"] for row in rows)
        here, asked = run["machine"], run.get("asked", {})
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        load = "" if here.get("load") is None else f", load {here['load']:g} at the start"
        told.append(
            f"{count} results from {run['started']}: {here['processor']}, {here['cores']} cores{load}; "
            f"{asked.get('jobs', 1)} at a time with {asked.get('threads', '?')} threads each; "
            f"{asked.get('minutes', '?')} minutes for learning; {versions}; code {run['code']}."
        )
    if len({run["code"] for run in results.runs if run["run"] in used}) > 1:
        told.append("These results are of different code; run them again in an empty folder before you compare them.")
    return told
