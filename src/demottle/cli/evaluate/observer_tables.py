"""Tables of what many scans of a phantom say: Hotelling observers, and structure out of pure noise."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import heading, out
from demottle.cli.screen.tables import CAREFUL, GOOD, before_after, change_of, number
from demottle.errors import counted

if TYPE_CHECKING:
    from demottle.quality.objects.hotelling import Hotelling
    from demottle.quality.objects.observers import Observed
    from demottle.quality.objects.repeats import Many
    from demottle.quality.truth.invented import NoiseOnly


def show_observers(many: "Many") -> None:
    """Show d' of each disc, then of each pair of discs, with 95 % intervals."""
    scans = counted(many.scans, "scan") + (f" and {many.without} without objects" if many.without else "")
    for task, title in (("detection", "Is the disc seen?"), ("discrimination", "Which of two discs is it?")):
        asked = [one for one in many.observed if one.task == task]
        if asked:
            heading(title, f"d' of a channelised Hotelling observer, 95 % interval; {scans}")
            table = columns("images", "before", "after", "change")
            for one in asked:
                images = f"{one.before.present}+{one.before.absent}"
                table.add_row(one.name, images, _with_interval(one.before), _with_interval(one.after), _change(one))
            out.print(table)


def show_noise_only(found: "NoiseOnly", unit: str) -> None:
    """Show what became of pure noise."""
    from demottle.quality.measures import measure

    heading("Out of pure noise", "the phantom without its objects: it has to come out flat")
    noise, shift, rise, kurtosis, false = (
        measure(key) for key in ("flat_noise", "flat_shift", "flat_rise", "flat_kurtosis", "false_disc")
    )
    table = before_after()
    table.add_row(noise.headed(unit), *_with_change(noise.values(found), noise.digits))
    table.add_row(shift.headed(unit), "", "", number(found.shift, shift.digits, sign=True))
    style = CAREFUL if found.amplification > 1 else GOOD
    where = rise.headed(unit, f"at {number(found.amplified_at, 2)}/mm")
    table.add_row(where, "", "", Text(f"x {number(found.amplification, rise.digits)}", style=style))
    for disc in found.discs:
        name = false.headed(unit, f"{disc.diameter:g} mm")
        table.add_row(name, *_with_change(false.values(disc), false.digits))
    table.add_row(f"{kurtosis.title} (0: Gaussian)", "", number(found.excess, kurtosis.digits), "")
    out.print(table)


def _with_change(values: tuple[float, float], digits: int) -> tuple[str, str, str]:
    before, after = values
    return number(before, digits), number(after, digits), change_of(before, after, digits)


def columns(*names: str) -> Table:
    """An empty table of names and columns to the right of them."""
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim", pad_edge=False)
    table.add_column("", min_width=16)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _with_interval(found: "Hotelling") -> str:
    return f"{number(found.dprime, 2)} ({number(found.dprime_low, 1)} to {number(found.dprime_high, 1)})"


def _change(one: "Observed") -> Text:
    low, high = one.change_low, one.change_high
    style = CAREFUL if high < 0 else GOOD if low > 0 else ""
    text = f"{number(one.change, 2, sign=True)} ({number(low, 1, sign=True)} to {number(high, 1, sign=True)})"
    return Text(text, style=style)
