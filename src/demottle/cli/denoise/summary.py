"""What `demottle denoise` says at the end."""

from math import nan
from pathlib import Path

from rich.table import Table
from rich.text import Text

from demottle.cli.denoise.contract import show_contract
from demottle.cli.denoise.job_volumes import VolumesOutcome
from demottle.cli.denoise.outcome import Outcome, Record
from demottle.cli.gate import gate_line
from demottle.cli.screen.console import heading, out, shown
from demottle.cli.screen.progress import clock, words_of
from demottle.cli.screen.sequence_tables import show_sequence_check
from demottle.cli.screen.tables import CAREFUL, GOOD, facts, number, percent, show_check
from demottle.errors import counted


def show_outcome(outcome: Outcome | VolumesOutcome) -> None:
    """Show figures, times and places of one scan."""
    if isinstance(outcome, VolumesOutcome):
        pages = outcome.places.page
        show_batch(list(outcome.records), outcome.places.output, pages and pages.parent, "volume")
        out.print()
        return
    preset = outcome.result.record.get("preset")
    how = outcome.result.plan.method + (f", preset {preset}" if preset else "")
    heading("Done", f"{how}, {clock(sum(outcome.seconds.values()))}")
    from demottle.pipeline.result import SequenceResult, VolumeResult

    if isinstance(outcome.result, SequenceResult):
        show_sequence_check(outcome.result)
    elif isinstance(outcome.result, VolumeResult):
        show_check(outcome.result.check)
    if outcome.result.contract is not None:
        show_contract(outcome.result.contract)
    out.print()
    places = outcome.places
    table = facts()
    if outcome.gate is not None:
        table.add_row("gate", gate_line(outcome.gate))
    share = outcome.result.record.get("settings", {}).get("texture")
    if isinstance(share, int | float):  # what --texture auto chose, or the share that was asked for
        table.add_row("texture", f"{100 * share:.0f} % of the noise left, in the scan's own grain")
    table.add_row("time", ", ".join(f"{words_of(s)} {clock(t)}" for s, t in outcome.seconds.items()))
    for name, path in (
        ("scan", places.output),
        ("page", places.page),
        ("record", places.record),
        ("model", places.model),
        *places.extras.items(),
    ):
        if path is not None:
            table.add_row(name, Text(shown(path), style=f"link {path.absolute().as_uri()}"))
    if places.model is not None:
        table.add_row("", Text(_content_of_model(outcome.result.denoiser.method), style="dim"))
    out.print(table)
    out.print()


def _content_of_model(name: str) -> str:
    from demottle.methods.registry import method

    if method(name).learns_from == "nothing":
        return f"holds the settings of {name} and the noise spectrum of this scan; {name} learns nothing"
    return "holds the network and what it was fitted on: noise, spacing, settings; no images and no patient data"


def _state(record: Record) -> Text:
    """What the gate says of a scan, from its record; a dash where there are no limits for it."""
    from demottle.quality.verdict import PASSED

    state = str(record.get("gate", {}).get("state", "–"))
    return Text(state, style={PASSED: GOOD, "–": "dim"}.get(state, CAREFUL))


def show_batch(
    done: list[tuple[str, Record]], output: Path, pages: Path | None, noun: str = "scan", count: int | None = None
) -> None:
    """Show one line for each scan of a folder (or volume of a series) that is finished, from what `run.json` says of it.

    `count`: how many scans these are, where some have several volumes.
    """
    if not done:
        return
    number_of = len(done) if count is None else count
    told = counted(number_of, noun) + (f" ({counted(len(done), 'volume')})" if number_of != len(done) else "")
    heading("Done", f"{told} in {output}" + (f", their pages in {pages}" if pages else ""))
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(noun, overflow="fold")
    for name in ("noise before", "after", "change", "time", "gate", "warnings"):
        table.add_column(name, justify="right")
    for name, record in done:
        if "check" not in record:
            table.add_row(Text(name), Text("unchanged", style="dim"))
            continue
        noise, unit, count = record["check"]["noise"], record["check"]["unit"], len(record["warnings"])
        before, after, share = (
            nan if noise[key] is None else noise[key] for key in ("before", "after", "removed_share")
        )
        table.add_row(
            Text(shown(name)),
            f"{number(before)} {unit}",
            f"{number(after)} {unit}",
            percent(-share, sign=True),
            clock(sum(record["times"].values())),
            _state(record),
            Text(str(count or "none"), style=CAREFUL if count else GOOD),
        )
    out.print(table)
