"""A suite's results as Markdown, for the documentation: what ran on what, quality, comparisons, cost, failures."""

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from demottle.benchmark.engine.entrants import INPUT
from demottle.benchmark.engine.results import Results, Row
from demottle.benchmark.shown import tables
from demottle.benchmark.shown.figures import COST, QUALITY, Kind
from demottle.benchmark.suites.catalog import Suite
from demottle.errors import counted
from demottle.quality.check.shifts import MARGIN_HU
from demottle.quality.cohort import Pairing

SHOWN = (
    "psnr", "rmse", "rmse_bone", "bias", "bias_dark", "ssim", "dprime", "contrast_large", "contrast_faint", "f50", "nps_shift",
    "psnr_wire",
)  # fmt: skip
TISSUES = ("shift_fat", "shift_all_fat", "shift_fluid", "shift_muscle", "shift_bone")
_COMPARED = {
    "time, ratio": "seconds", "processor time, ratio": "cpu_seconds", "memory, ratio": "peak_mib", "RMSE, ratio": "rmse",
}  # fmt: skip
BEST = 5
_TUNING = "tune"
"""How the groups begin that settings were chosen on: a difference is told of the others alone."""
FEWEST_FOLDED = 3  # fewer are not worth a click
_BY_KEY = {kind.key: kind for kind in (*QUALITY, *COST)}


def markdown(results: Results, suite: Suite, rival: str | None) -> str:
    """Return everything that the documentation says of a suite."""
    rows = tables.done(results.rows, suite.name)
    names = tables.names(rows)
    shown = shown_of(names, {row["entrant"] for row in rows if row["sees_truth"]}, suite)
    parts = [*_facts(results, rows), _made_by(rows, suite)]
    groups = dict.fromkeys(row["group"] for row in rows)
    if len(names) == 1:
        parts.append(f"`{names[0]}`; cases of more than one scan: mean ± half of its 95 % interval:")
        parts += [_by_group(rows, alike, QUALITY, suite) for alike in _alike(rows, list(groups))]
    for group in groups if len(names) > 1 else ():
        inside = [row for row in rows if row["group"] == group]
        count = len({row["seed"] for row in inside})
        parts.append(f"**{group}**, {tables.heading(count)}:")
        parts.append(_quality(inside, names, [kind.key for kind in QUALITY] if suite.own else SHOWN, suite, shown))
    if any(_BY_KEY[key].of(row) is not None for row in rows for key in TISSUES):
        parts.append(
            f"**CT numbers**, all cases: mean of output minus input inside each tissue, HU; **bold**: shown to lie within "
            f"{MARGIN_HU:g} HU (two one-sided tests at 5 % over the cases):"
        )
        parts.append(_quality(rows, names, TISSUES, suite, shown, MARGIN_HU))
    if rival is not None:
        judged = [row for row in rows if not row["group"].startswith(_TUNING)]
        which = "all groups" if len(judged) == len(rows) else "all judging groups"
        parts.append(
            f"**Less {rival}**, on the same cases of {which}: mean difference and its 95 % interval; "
            "**bold**: p < 0.05 (paired t, corrected after Holm over all of these tests):"
        )
        parts.append(_compared(tables.tests(judged, rival), names, suite, shown))
    parts.append(
        "**Cost**" + ("" if rival is None else f"; ratios to {rival} on the same cases, with 95 % intervals") + ":"
    )
    alone = len(names) == 1 and len(groups) > 1
    parts.append(_by_group(rows, list(groups), COST, suite) if alone else _cost(rows, names, rival, shown))
    failed = tables.failures(results.rows, suite.name)
    if failed:
        parts.append("**Failed:** " + " ".join(f"{name} on {', '.join(where)}: {why}" for name, why, where in failed))
    return "\n\n".join(parts) + "\n"


def _facts(results: Results, rows: Sequence[Row]) -> list[str]:
    """On what the rows were made: a sentence for all runs of a day on the same machine."""
    counts: dict[str, int] = {}
    for run in results.runs:
        count = sum(row.get("run") == run["run"] for row in rows)
        if count:
            on = _run_on(run)
            counts[on] = counts.get(on, 0) + count
    return [f"{count} {on}" for on, count in counts.items()]


def _made_by(rows: Sequence[Row], suite: Suite) -> str:
    """What gives these figures again: the command and the seeds of the cases."""
    seeds = sorted({int(row["seed"]) for row in rows})
    told = f", seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f", seed {seeds[0]}" if seeds else ""
    return f"Made by `demottle benchmark --suite {suite.name}`{told}."


def _run_on(run: Row) -> str:
    here, asked = run["machine"], run.get("asked", {})
    threads = asked.get("threads", 1)
    parts = [
        f"results of {run['started'][:10]}: {here['processor']}, {counted(here['cores'], 'core')}",
        f"{counted(asked.get('jobs', 1), 'cell')} at a time with {counted(threads, 'thread')} each",
        f"{asked.get('minutes', 0):g} min for every method that learns",
        *(["no GPU"] if here.get("gpu_hidden") else []),
        *(f"{name} {version}" for name, version in run["versions"].items()),
        *([f"code {run['code']}"] if run.get("code") else []),
    ]
    return f"{', '.join(parts)}."


def _quality(
    rows: Sequence[Row],
    names: Sequence[str],
    keys: Sequence[str],
    suite: Suite,
    shown: AbstractSet[str],
    margin: float | None = None,
) -> str:
    """A table of means; where there is a margin, those that are shown to lie within it are bold."""
    kinds = [_BY_KEY[key] for key in keys if any(_BY_KEY[key].of(row) is not None for row in rows)]
    most = max(tables.over(rows, name, QUALITY[0]).cases for name in names)
    lines = []
    for name in names:
        count = len([row for row in rows if row["entrant"] == name])
        if count:
            fewer = f" (n = {count})" if count < most else ""
            means = [tables.over(rows, name, kind) for kind in kinds]
            told = [tables.told(mean, kind) for mean, kind in zip(means, kinds, strict=True)]
            bold = [margin is not None and tables.within(mean, margin) for mean in means]
            marked = [f"**{text}**" if small else text for text, small in zip(told, bold, strict=True)]
            lines.append([f"{_named(rows, name)}{fewer}", *marked])
    return folded(["", *(kind.named(suite.unit) for kind in kinds)], lines, shown)


def _alike(rows: Sequence[Row], groups: Sequence[str]) -> list[list[str]]:
    """Groups by what was measured of them: those that have figures in common stand in one table, those without any in none."""
    bunches: list[tuple[list[str], set[str]]] = []
    for group in groups:
        inside = [row for row in rows if row["group"] == group]
        keys = {kind.key for kind in QUALITY if any(kind.of(row) is not None for row in inside)}
        near = [one for one in bunches if one[1] & keys]
        if keys:
            bunches = [one for one in bunches if one not in near]
            bunches.append(([*(name for one in near for name in one[0]), group], keys.union(*(one[1] for one in near))))
    return sorted((names for names, _ in bunches), key=lambda names: groups.index(names[0]))


def _by_group(rows: Sequence[Row], groups: Sequence[str], figures: Sequence[Kind], suite: Suite) -> str:
    """A line for every group, where one entrant alone is judged: groups may be as different as a command and a live run."""
    kinds = [kind for kind in figures if any(kind.of(row) is not None for row in rows if row["group"] in groups)]
    lines = []
    for group in groups:
        inside = [row for row in rows if row["group"] == group]
        more = f" (n = {len(inside)})" if len(inside) > 1 else ""
        name = inside[0]["entrant"]
        lines.append([f"{group}{more}", *(tables.told(tables.over(inside, name, kind), kind) for kind in kinds)])
    return _table(["", *(kind.named(suite.unit) for kind in kinds)], lines)


def _compared(found: Sequence[Pairing], names: Sequence[str], suite: Suite, shown: AbstractSet[str]) -> str:
    kinds = [kind for kind in QUALITY if any(one.figure == kind.title for one in found)]
    lines = []
    for name in names:
        mine = {one.figure: one for one in found if one.first == name}
        if mine:
            cases = sorted({one.cases for one in mine.values()})
            counted = f"{cases[0]} to {cases[-1]}" if len(cases) > 1 else str(cases[0])
            lines.append([name, counted, *(_difference(mine.get(kind.title), kind) for kind in kinds)])
    return (
        folded(["", "cases", *(kind.named(suite.unit) for kind in kinds)], lines, shown)
        if lines
        else "Too few cases to compare."
    )


def _difference(one: Pairing | None, kind: Kind) -> str:
    if one is None:
        return "–"
    text = f"{one.difference:+.{kind.digits}f} ({one.ci_low:+.{kind.digits}f} to {one.ci_high:+.{kind.digits}f})"
    return f"**{text}**" if one.p_t_holm < 0.05 else text


def _cost(rows: Sequence[Row], names: Sequence[str], rival: str | None, shown: AbstractSet[str]) -> str:
    kinds = [kind for kind in COST if any(kind.of(row) is not None for row in rows)]
    compared = {} if rival is None else _COMPARED
    lines = []
    for name in names:
        means = [tables.over(rows, name, kind).mean for kind in kinds]
        cells = [
            "–" if math.isnan(mean) else f"{mean:.{kind.digits}f}" for mean, kind in zip(means, kinds, strict=True)
        ]
        ratios = [tables.told_ratio(tables.ratio(rows, name, rival or "", _BY_KEY[key])) for key in compared.values()]
        lines.append([_named(rows, name), *cells, *ratios])
    return folded(["", *(kind.named() for kind in kinds), *compared], lines, shown)


def _named(rows: Sequence[Row], name: str) -> str:
    return f"*{name}*" if any(row["sees_truth"] for row in rows if row["entrant"] == name) else name


def shown_of(names: Sequence[str], bounds: AbstractSet[str], suite: Suite) -> set[str]:
    """Choose the entrants that every table shows at once: the input, the best five and the default. `names`: best first."""
    ranked = [name for name in names if name != INPUT and name not in bounds]
    return {INPUT, *ranked[:BEST], *([suite.default] if suite.default else [])}


def folded(heads: Sequence[str], lines: Sequence[Sequence[str]], shown: AbstractSet[str]) -> str:
    """A table of the lines that are shown, and below it one of the others that opens on a click.

    The first cell of a line names the entrant: `name`, `*name*` (a bound), or `name (n = 2)`.
    """
    above = [line for line in lines if _entrant(line) in shown]
    below = [line for line in lines if _entrant(line) not in shown]
    if not above or len(below) < FEWEST_FOLDED:
        return _table(heads, lines)
    more = f'<details markdown="1"><summary>{len(below)} more</summary>\n\n{_table(heads, below)}\n\n</details>'
    return f"{_table(heads, above)}\n\n{more}"


def _entrant(line: Sequence[str]) -> str:
    return line[0].split(" (n = ")[0].strip("* ")


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["--:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *lines))
