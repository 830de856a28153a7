"""`demottle inspect`: what can be measured on a scan, and what demottle would do with it."""

from itertools import zip_longest
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from demottle.cli.inspect.sequence import inspect_run, show_run
from demottle.cli.inspect.volumes import show_volumes
from demottle.cli.screen.console import heading, out, say_warnings, show_json
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import (
    AcceptUneven,
    Debug,
    Json,
    Modality,
    Scan,
    Series,
    Spacing,
    Unit,
    Volume,
    parse_spacing,
    told_of,
)
from demottle.cli.screen.progress import watch
from demottle.cli.screen.spark import bar, sparkline
from demottle.cli.screen.tables import facts, percent
from demottle.errors import counted
from demottle.events import Stage

if TYPE_CHECKING:
    from demottle.noise.fingerprint import Fingerprint
    from demottle.pipeline.plan import Plan


LAGS_SHOWN = 4  # beyond, noise is hardly ever shared; --json has them all


@guarded
def inspect(
    scan: Scan,
    as_json: Json = False,
    series: Series = None,
    volume: Volume = None,
    spacing: Spacing = None,
    modality: Modality = None,
    unit: Unit = None,
    accept_uneven: AcceptUneven = False,
    debug: Debug = False,
) -> None:
    """Measure the noise of a scan and say which method would be used, and why."""
    from demottle import io
    from demottle.noise.fingerprint import measure
    from demottle.pipeline.plan import make_plan

    with watch() as listener:
        with listener.stage(Stage.READ):
            opened = io.open_scan(
                scan,
                series=series,
                spacing=parse_spacing(spacing),
                accept_uneven=accept_uneven,
                accept_own_output=True,
                modality=modality,
                unit=unit,
            )
            several = volume is None and len(opened.volumes) > 1
            image = None if several else opened.read(volume, listener)
        if image is not None and image.sequence:
            run = inspect_run(image, listener)
        elif image is not None:
            fingerprint = measure(image, listener)
    if image is None:
        show_volumes(opened.volumes, as_json)
        return
    if image.sequence:
        show_run(image, *run, as_json)
        return
    plan = make_plan(fingerprint)
    warnings = (*told_of(image), *fingerprint.warnings)
    if as_json:
        show_json(_as_mapping(fingerprint, plan, warnings))
        return
    say_warnings(warnings)
    _show_scan(fingerprint)
    _show_noise(fingerprint)
    _show_slices(fingerprint)
    _show_plan(plan)


def _as_mapping(fingerprint: "Fingerprint", plan: "Plan", warnings: tuple[str, ...]) -> dict[str, Any]:
    chosen = {"method": plan.method, "settings": dict(plan.settings), "reasons": list(plan.reasons)}
    return {**fingerprint.to_dict(), "warnings": list(dict.fromkeys(warnings)), "plan": chosen}


def _show_scan(fingerprint: "Fingerprint") -> None:
    slices, rows, columns = fingerprint.shape
    between, row, column = fingerprint.spacing
    heading("Scan")
    table = facts()
    table.add_row("modality", fingerprint.modality)
    table.add_row("geometry", f"{counted(slices, 'slice')} of {rows} x {columns} voxels")
    table.add_row("spacing", f"{between:.4g} mm between slices, {row:.3g} x {column:.3g} mm in a slice")
    if fingerprint.slice_thickness is not None:
        table.add_row("slice thickness", f"{fingerprint.slice_thickness:.4g} mm, {_overlap(fingerprint)}")
    out.print(table)


def _overlap(fingerprint: "Fingerprint") -> str:
    overlap = fingerprint.overlap or 0.0
    return f"slices overlap by {percent(overlap)}" if overlap > 0.005 else "slices do not overlap"


def _show_noise(fingerprint: "Fingerprint") -> None:
    low, high = fingerprint.noise_range
    unit = fingerprint.unit
    heading("Noise")
    table = facts()
    if isfinite(fingerprint.noise_level):
        least, most = f"{low:.1f}", f"{high:.1f}"
        where = "the same across the scan" if least == most else f"from {least} to {most} across the scan"
        table.add_row("level", f"{fingerprint.noise_level:.1f} {unit}, {where}")
    else:
        table.add_row("level", "not measurable")
    spectrum = fingerprint.spectrum
    if spectrum is None:
        table.add_row("spectrum", "not measurable")
    else:
        top = max(spectrum.frequency)
        table.add_row(
            "spectrum", Text.assemble((sparkline(spectrum.density), "cyan"), (f"  0 to {top:.2f} /mm", "dim"))
        )
        low, high = spectrum.peak_interval
        peak = f"peak at {spectrum.peak:.2f} /mm ({low:.2f} to {high:.2f})" if isfinite(spectrum.peak) else "no peak"
        table.add_row("", f"{peak}, mean {spectrum.mean:.2f} /mm")
    noise = fingerprint.noise
    if isfinite(noise.snr):
        ratio = f"{noise.snr:.0f}" if noise.snr >= 10 else f"{noise.snr:.1f}"
        table.add_row("signal to noise", f"{ratio} in the median tissue")
    if noise.name == "rician":
        table.add_row("kind", "Rician, as that of MR magnitudes")
        for reason in noise.reasons:
            table.add_row("", Text(reason))
    elif fingerprint.modality == "MR":
        table.add_row("kind", Text(f"Gaussian. {' '.join(noise.reasons)}"))
    out.print(table)


def _show_slices(fingerprint: "Fingerprint") -> None:
    rho, shares = fingerprint.correlation.rho[:LAGS_SHOWN], fingerprint.matched_share[:LAGS_SHOWN]
    if not rho:
        return
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("slices apart", justify="right")
    table.add_column("noise correlation")
    table.add_column("matched tissue")
    for lag, (correlation, share) in enumerate(zip_longest(rho, shares, fillvalue=nan), start=1):
        table.add_row(str(lag), _level(correlation, f"{correlation:5.2f}"), _level(share, f"{percent(share):>5}"))
    heading("From slice to slice")
    out.print(table)


def _level(value: float, text: str) -> Text:
    if not isfinite(value):
        return Text("")
    return Text.assemble((bar(value), "cyan"), " ", text)


def _show_plan(plan: "Plan") -> None:
    heading("What demottle would do", f"--method {plan.method}")
    sentences = Table.grid(padding=(0, 1, 0, 2))
    for reason in plan.reasons:
        sentences.add_row("•", Text(reason))
    out.print(sentences)
    settings = ", ".join(f"{key}={value}" for key, value in plan.settings.items())
    if settings:
        out.print(f"  settings: {settings}", style="dim", markup=False)
