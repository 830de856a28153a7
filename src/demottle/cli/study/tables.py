"""Tables of a reader study: points, tests against the reference, yes and no, agreement."""

from math import isfinite
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import heading, out
from demottle.cli.screen.tables import CAREFUL, GOOD, number, percent

if TYPE_CHECKING:
    from demottle.study import Analysis
    from demottle.study.comparing import Mean
    from demottle.study.krippendorff import Alpha

_STYLES = {"better": GOOD, "non-inferior": GOOD} | dict.fromkeys(("worse", "worse within margin", "inferior"), CAREFUL)


def show_study(found: "Analysis") -> None:
    """Show everything that the analysis of a study tells."""
    from demottle.errors import counted

    readers = counted(len(found.readers), "reader")
    heading(found.title, f"{counted(found.cases, 'case')} of {counted(found.scans, 'scan')}, {readers}, 95 % intervals")
    _show_means(found)
    _show_gains(found)
    _show_yes_no(found)
    _show_agreement(found)
    _show_readers(found)


def _show_means(found: "Analysis") -> None:
    if found.paired:
        return
    heading("Points", "mean from 1 to 5, 5 is best")
    table = _table("", *found.arms)
    for item in dict.fromkeys(m.item for m in found.means):
        shown = {m.arm: m.mean for m in found.means if m.item == item}
        table.add_row(item, *(_interval(shown[arm]) for arm in found.arms))
    out.print(table)


def _show_gains(found: "Analysis") -> None:
    scale = "preference from -2 to 2, 0 is equal" if found.paired else "difference of points"
    for arm in dict.fromkeys(g.arm for g in found.gains):
        heading(
            f"{arm} against {found.reference}",
            f"{scale}; p of Wilcoxon's test after Holm over {len(found.gains)}; margin {found.margin:g}",
        )
        table = _table("", "gain", "p", "verdict")
        for g in found.gains:
            if g.arm == arm:
                verdict = Text(g.verdict, style=_STYLES.get(g.verdict, "dim"))
                table.add_row(g.item, _interval(g.mean, sign=True), _p(g.p_holm), verdict)
        out.print(table)


def _show_yes_no(found: "Analysis") -> None:
    for arm in dict.fromkeys(y.arm for y in found.yes_no):
        heading(f"Would report from {arm}", "share of yes; McNemar's exact test, on cases with different answers")
        table = _table("", "cases", "yes", found.reference, "only it", f"only {found.reference}", "p")
        for y in found.yes_no:
            if y.arm == arm:
                p = y.p_holm if isfinite(y.p_holm) else y.p
                shares = (percent(y.yes), percent(y.yes_reference))
                table.add_row(y.reader, str(y.cases), *shares, str(y.only_arm), str(y.only_reference), _p(p))
        out.print(table)


def _show_agreement(found: "Analysis") -> None:
    if not found.agreement:
        return
    heading(
        "Agreement of readers", "mean weighted kappa of two; ICC(2,1); shares of equal answers, and within one point"
    )
    table = _table("", "kappa", "ICC", "same", "within one")
    for a in found.agreement:
        icc = f"{number(a.icc.value, 2)} ({number(a.icc.ci_low, 2)} to {number(a.icc.ci_high, 2)})"
        table.add_row(a.item, number(a.kappa, 2), icc, percent(a.same), percent(a.within_one))
    out.print(table)
    heading("Krippendorff's alpha", "points as an order, as names, as distances; 1 is full agreement, 0 chance")
    table = _table("", "ordinal", "nominal", "interval")
    for a in found.agreement:
        others = (number(a.alpha[scale].value, 2) for scale in ("nominal", "interval"))
        table.add_row(a.item, _interval(a.alpha["ordinal"]), *others)
    out.print(table)


def _show_readers(found: "Analysis") -> None:
    heading("Readers", "and their agreement with themselves on what was shown twice, all items together")
    table = _table("", "finished", "median time", "twice", "kappa", "same", "within one")
    own = {s.reader: s for s in found.self_agreement}
    for r in found.reading:
        again = own.get(r.reader)
        cells = ("0", "-", "-", "-")
        if again is not None:
            cells = (str(again.repeats), number(again.kappa, 2), percent(again.same), percent(again.within_one))
        table.add_row(r.reader, str(r.trials), f"{number(r.seconds)} s", *cells)
    out.print(table)


def _interval(mean: "Mean | Alpha", sign: bool = False) -> str:
    return f"{number(mean.value, 2, sign)} ({number(mean.ci_low, 2, sign)} to {number(mean.ci_high, 2, sign)})"


def _p(value: float) -> Text:
    if not isfinite(value):
        return Text("-")
    return Text("<0.001" if value < 0.001 else f"{value:.3f}", style=CAREFUL if value < 0.05 else "")


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim", pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place == 0 else "right", overflow="fold", no_wrap=place > 0)
    return table
