"""`demottle inspect` for a run of frames: noise against signal, from frame to frame, from pixel to pixel, motion."""

from math import isfinite
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import heading, out, say_warnings, show_json
from demottle.cli.screen.spark import bar, sparkline
from demottle.cli.screen.tables import facts, percent
from demottle.errors import counted

if TYPE_CHECKING:
    from demottle.events import Listener
    from demottle.image import Image
    from demottle.noise.sequence.fingerprint import SequenceFingerprint
    from demottle.pipeline.plan import Plan

_LAGS_SHOWN = 4
_RELATIONSHIP = {"LIN": "proportional to the X-rays", "LOG": "logarithmic", "DISP": "for display"}


def inspect_run(image: "Image", listener: "Listener") -> "tuple[SequenceFingerprint, Plan | str]":
    """Measure a run and plan; what `show_run` shows. A sentence in place of a plan says why nothing can be done."""
    from demottle.errors import UnsuitableError
    from demottle.noise.sequence.fingerprint import measure_sequence
    from demottle.pipeline.plan_sequence import ONE_FRAME
    from demottle.pipeline.sequence_risk import plan_run

    fingerprint = measure_sequence(image, listener)
    if image.shape[0] == 1:
        return fingerprint, ONE_FRAME
    try:
        return fingerprint, plan_run(image, fingerprint, listener=listener)
    except UnsuitableError as error:
        return fingerprint, str(error)


def show_run(image: "Image", fingerprint: "SequenceFingerprint", plan: "Plan | str", as_json: bool) -> None:
    """Show what was measured, as JSON or as tables and sentences."""
    from demottle import io
    from demottle.io.payload import payload_of

    warnings = tuple(dict.fromkeys((*io.warnings_of(image), *fingerprint.warnings)))
    relationship = str(getattr(payload_of(image), "relationship", ""))
    if as_json:
        chosen: dict[str, Any] = {"method": None, "settings": {}, "reasons": [plan]}
        if not isinstance(plan, str):
            chosen = {"method": plan.method, "settings": dict(plan.settings), "reasons": list(plan.reasons)}
        known = {"relationship": relationship or None, "warnings": list(warnings), "plan": chosen}
        show_json({**fingerprint.to_dict(), **known})
        return
    say_warnings(warnings)
    _show_geometry(fingerprint, relationship)
    _show_noise(fingerprint)
    _show_frames(fingerprint)
    heading("What demottle would do", "nothing" if isinstance(plan, str) else f"--method {plan.method}")
    sentences = Table.grid(padding=(0, 1, 0, 2))
    for reason in (plan,) if isinstance(plan, str) else plan.reasons:
        sentences.add_row("•", Text(reason))
    out.print(sentences)


def _show_geometry(found: "SequenceFingerprint", relationship: str) -> None:
    frames, rows, columns = found.shape
    heading("Run")
    table = facts()
    table.add_row("modality", found.modality)
    if found.modality == "MR":  # volumes over time or diffusion weighting, slices one below the other
        table.add_row(
            "volumes", f"{frames}, one every {found.spacing[0]:.3g} s; {rows} x {columns} pixels with all slices"
        )
    else:
        table.add_row("frames", f"{counted(frames, 'frame')} of {rows} x {columns} pixels, {found.rate:.3g} per second")
    table.add_row("pixels", f"{found.spacing[1]:.3g} x {found.spacing[2]:.3g} mm")
    if relationship:
        table.add_row("numbers are", _RELATIONSHIP.get(relationship, relationship))
    out.print(table)


def _one(found: "SequenceFingerprint") -> str:
    return "volume" if found.modality == "MR" else "frame"


def _show_noise(found: "SequenceFingerprint") -> None:
    curve = found.curve
    heading(f"Noise of a {_one(found)}")
    table = facts()
    table.add_row("level", f"{curve.level:.3g}, at the middle signal")
    if curve.signal.size > 1:
        ends = f"  from {curve.deviation[0]:.3g} at {curve.signal[0]:.4g} to {curve.deviation[-1]:.3g} at {curve.signal[-1]:.4g}"
        table.add_row("against signal", Text.assemble((sparkline(tuple(curve.deviation)), "cyan"), (ends, "dim")))
    across, down = found.spatial_correlation[0, 1], found.spatial_correlation[1, 0]
    if isfinite(across):
        table.add_row("shared by pixels", f"{across:.2f} across, {down:.2f} down")
    out.print(table)


def _show_frames(found: "SequenceFingerprint") -> None:
    heading(f"From {_one(found)} to {_one(found)}")
    table = facts()
    for lag, rho in enumerate(found.temporal_correlation[:_LAGS_SHOWN], start=1):
        shown = Text.assemble((bar(max(rho, 0.0)), "cyan"), f" {rho:5.2f}")
        table.add_row(f"{counted(lag, _one(found))} apart", shown)
    table.add_row("changing" if found.modality == "MR" else "moving", percent(found.moving_share))
    if found.pan >= 0.5:
        table.add_row("whole image", f"{found.pan:.1f} pixels per frame")
    out.print(table)
