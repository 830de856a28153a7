"""A promise on the command line: from its options to a `Promise`, and what the terminal says of it."""

from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import heading, out
from demottle.cli.screen.tables import CAREFUL, GOOD

if TYPE_CHECKING:
    from demottle.quality.contract.promise import Promise
    from demottle.quality.contract.terms import Contract


def parse_promise(keep_mtf: str | None, keep_hu: float | None, noise: str | None) -> "Promise | None":
    """Read the three options, shares as 0.9 or 90%; None where none of them is given."""
    if keep_mtf is None and keep_hu is None and noise is None:
        return None
    from demottle.quality.contract.promise import Promise

    return Promise(_share(keep_mtf, "--keep-mtf", "0.9"), keep_hu, _share(noise, "--noise", "-45%"))


def _share(text: str | None, option: str, like: str) -> float | None:
    if text is None:
        return None
    stripped = text.strip()
    try:
        return float(stripped.removesuffix("%")) / (100 if stripped.endswith("%") else 1)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a number like {like}", param_hint=option) from None


def show_contract(contract: "Contract") -> None:
    """Show what was promised and what was found, a line each."""
    edges = ", lost edges put back" if contract.edges else ""
    heading("Promise", f"strength {contract.strength:.2f} of {contract.method}{edges}")
    from demottle.quality.contract.terms import KEPT, NOT_PROMISED

    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim", pad_edge=False)
    table.add_column("", overflow="fold")
    for name in ("promised", "found (95 % interval)", ""):
        table.add_column(name, justify="right", no_wrap=True)
    for term in contract.shown:
        figure, interval = term.in_words
        style, status = (GOOD if term.status == KEPT else CAREFUL), term.status
        if status == NOT_PROMISED:
            style, status = "dim", ""
        table.add_row(
            Text(term.what),
            term.limit.replace("at least", "\u2265").replace("within", "\u00b1"),
            f"{figure} ({interval})",
            Text(status, style=style),
        )
    out.print(table)
