"""One page about a study, in one HTML file that works offline."""

from math import isfinite
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from demottle.report.page import environment_and_style, write_whole
from demottle.study.analysis import Analysis
from demottle.study.comparing import BETTER, INFERIOR, NON_INFERIOR, SLIGHTLY_WORSE, WORSE, Mean
from demottle.study.plots import gains_plot, legend_of_points, means_plot, shares_plot
from demottle.study.questions import questions_for

_BAD = (SLIGHTLY_WORSE, WORSE, INFERIOR)


def write_study_page(found: Analysis, path: Path) -> None:
    """Write one self-contained page about an analysis.

    Raises:
        OutputError: where the page cannot be written.
    """
    _, css = environment_and_style()
    environment = Environment(
        loader=PackageLoader("demottle.study", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"interval": _interval, "p": _p, "number": _number, "percent": _percent}
    arms = list(dict.fromkeys(gain.arm for gain in found.gains))
    items = list(dict.fromkeys(gain.item for gain in found.gains))
    titles = {question.name: question.title for question in questions_for(found.paired)}
    page = environment.get_template("analysis.html.j2").render(
        css=css,
        found=found,
        items=items,
        titles=titles,
        cards=_cards(found),
        of_arm=[(arm, [g for g in found.gains if g.arm == arm]) for arm in arms],
        gains_plots={arm: _gains_plot(found, arm) for arm in arms},
        means={(m.item, m.arm): m for m in found.means},
        means_plot=None if found.paired else Markup(means_plot(found.means, found.arms)),
        shares=[(titles[item], Markup(shares_plot(found, item))) for item in items],
        legend=legend_of_points(found.paired),
        own={one.reader: one for one in found.self_agreement},
        good=(BETTER, NON_INFERIOR),
        bad=_BAD,
    )
    write_whole(page, path)


def _gains_plot(found: Analysis, arm: str) -> Markup | None:
    gains = [gain for gain in found.gains if gain.arm == arm]
    known = all(isfinite(gain.mean.ci_low) for gain in gains)
    return Markup(gains_plot(gains, found.paired)) if known else None


def _cards(found: Analysis) -> list[dict[str, str]]:
    """What a reader of the page wants first: each arm's verdicts in words."""
    cards = []
    for arm in dict.fromkeys(gain.arm for gain in found.gains):
        mine = [gain for gain in found.gains if gain.arm == arm]
        for verdicts, words, kind in (
            ((BETTER,), "better in", "good"),
            ((NON_INFERIOR,), "non-inferior in", "good"),
            (_BAD, "worse in", "warn"),
        ):
            items = [gain.item for gain in mine if gain.verdict in verdicts]
            if items:
                label, value = f"{arm} against {found.reference}", f"{words} {len(items)} of {len(mine)}"
                cards.append({"label": label, "kind": kind, "value": value, "detail": ", ".join(items)})
    return cards


def _interval(mean: Mean, sign: bool = False) -> str:
    return f"{_number(mean.value, 2, sign)} ({_number(mean.ci_low, 2, sign)} to {_number(mean.ci_high, 2, sign)})"


def _number(value: float, places: int = 2, sign: bool = False) -> str:
    if not isfinite(value):
        return "–"
    return f"{round(value, places) + 0.0:{'+' if sign else ''}.{places}f}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if isfinite(share) else "–"


def _p(value: float) -> str:
    if not isfinite(value):
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
