"""`demottle stream`: denoise frames as they arrive."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from demottle.cli.screen.console import heading, out, say, say_error, say_warnings, show_json
from demottle.cli.screen.guard import CANNOT, guarded
from demottle.cli.screen.options import (
    Debug,
    Json,
    MethodFile,
    refuse_idle_method_file,
    refuse_saving_a_model,
    refuse_two_limits,
    use_method_file,
)
from demottle.cli.screen.progress import Stages, watch
from demottle.cli.screen.tables import facts
from demottle.cli.stream import arguments
from demottle.cli.stream.method import Ready, made_ready, with_loaded_model
from demottle.cli.stream.places import Place
from demottle.events import Stage
from demottle.io.output import refuse_existing, refuse_inputs, refuse_same_name

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.stream.live import LiveReport
    from demottle.stream.sources import Source


@guarded
def stream(
    source: arguments.Source,
    output: arguments.Output,
    method_file: MethodFile = None,
    model: arguments.Model = None,
    method: arguments.Method = None,
    minutes: arguments.Minutes = None,
    steps: arguments.Steps = None,
    measure: arguments.Measure = None,
    save_model: arguments.SaveModel = None,
    engine: arguments.Engine = "auto",
    save_onnx: arguments.SaveOnnx = None,
    rate: arguments.Rate = None,
    queue: arguments.Queue = 4,
    policy: arguments.Policy = None,
    raw: arguments.Raw = None,
    stall: arguments.Stall = 10.0,
    overwrite: arguments.Overwrite = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Denoise frames as they arrive, in order, and report how long each took."""
    from demottle.errors import InputError
    from demottle.pipeline.request import Request
    from demottle.stream.raw import parse_geometry
    from demottle.stream.sources import open_source

    refuse_two_limits(minutes, steps)
    refuse_saving_a_model(model, save_model)
    refuse_idle_method_file(method_file, method, model)
    use_method_file(method_file)
    if measure is not None and model is not None:
        raise typer.BadParameter("learns nothing, so --measure does not go with it", param_hint="--model")
    request = Request(method=method, model=model, minutes=minutes, steps=steps, live=True)
    _refuse_unknown(engine, policy, json_beside_frames=as_json and output == "-")
    geometry = None if raw is None else parse_geometry(raw)
    results = None if output == "-" else Path(output), save_model, save_onnx
    refuse_same_name(results)
    refuse_inputs(results, [Path(source), model, method_file], added=True)
    if not overwrite:
        refuse_existing(results[1:] if output.endswith("/") else results)
    with watch() as listener:
        opened = open_source(source, geometry, lambda path: _read(path, listener))
        if opened.image is None and model is None and method is None:
            raise InputError(
                "A live source cannot be learned from beforehand; give a fitted model, or name a filter.",
                remedy="model",
            )
        if opened.port is not None:
            say(f"Listening on port {opened.port} of this machine.")
        ready = made_ready(opened, with_loaded_model(request), measure, save_model is not None, stall, listener)
        say_warnings(ready.warnings)
        if save_model is not None:
            ready.denoiser.save(save_model)
        with _said_what_is_kept(save_model):
            report, chosen = _run(
                opened, ready, output, listener, engine=engine, save_onnx=save_onnx, overwrite=overwrite,
                settings={"rate": rate, "queue": queue, "policy": policy or _usual(opened), "patience": stall},
            )  # fmt: skip
    _tell(ready, report, chosen, as_json, shown=output != "-")


def _refuse_unknown(engine: str, policy: str | None, json_beside_frames: bool) -> None:
    if engine not in ("auto", "torch", "onnx"):
        raise typer.BadParameter("has to be auto, torch or onnx", param_hint="--engine")
    if policy not in (None, "drop", "slow"):
        raise typer.BadParameter("has to be drop or slow", param_hint="--policy")
    if json_beside_frames:
        raise typer.BadParameter("cannot share standard output with the frames", param_hint="--json")


def _tell(ready: Ready, report: "LiveReport", chosen: Any, as_json: bool, shown: bool) -> None:
    """Say how the run went, and end with the exit code of one that ended too early."""
    denoiser = ready.denoiser
    late = ready.watched.warnings(denoiser) if ready.watched is not None else []
    say_warnings(late)
    record = {
        "method": denoiser.method,
        "engine": chosen.engine,
        "engines_ms": chosen.trials,
        **report.to_dict(),
        "warnings": [*ready.warnings, *late],
    }
    if as_json:
        show_json(record)
    elif shown:
        _show(report, denoiser.method, chosen.engine)
    if report.dropped:
        say_warnings([f"{len(report.dropped)} frames were dropped, because denoising could not keep up."])
    if report.trouble:
        say_error(f"{report.trouble} The frames before that were denoised.")
        raise typer.Exit(CANNOT)


@contextmanager
def _said_what_is_kept(model: Path | None) -> Iterator[None]:
    """Ctrl-C once frames come: say what is written already."""
    try:
        yield
    except KeyboardInterrupt as stop:
        kept = [str(stop)] if str(stop) else []
        if model is not None:
            kept.append(f"The fitted model is in {model}; --model {model} uses it and learns nothing.")
        raise KeyboardInterrupt(" ".join(["Stopped.", *kept]) if kept else "") from None


def _usual(opened: "Source") -> str:
    """A file can wait; a live source cannot."""
    return "drop" if opened.image is None else "slow"


def _read(path: Path, listener: Stages) -> "Image":
    from demottle import io

    with listener.stage(Stage.READ):
        return io.read(path)


def _run(
    opened: "Source",
    ready: Ready,
    output: str,
    listener: Stages,
    *,
    engine: str,
    save_onnx: Path | None,
    overwrite: bool,
    settings: dict[str, Any],
) -> "tuple[LiveReport, Any]":
    from demottle.stream.engine import live_form, save_as_onnx
    from demottle.stream.live import run_live
    from demottle.stream.peeking import peeked

    denoiser, frames = ready.denoiser, ready.frames
    if opened.geometry is not None:
        shape = (opened.geometry.rows, opened.geometry.columns)
    else:
        first, frames = peeked(frames, 1)
        if not first:
            from demottle.errors import InputError

            raise InputError("The source ended before its first frame.")
        shape = (first[0].shape[0], first[0].shape[1])
    if save_onnx is not None:
        save_as_onnx(denoiser, save_onnx, shape)
    chosen = live_form(denoiser, shape, engine)  # type: ignore[arg-type]  # a word that was checked above
    with ExitStack() as stack:
        place = Place(opened, ready, output, overwrite, stack)
        total = 0 if opened.image is None else opened.image.shape[0]
        try:
            report = run_live(
                frames, chosen.stream, place, total=total, at_hand=ready.at_hand, listener=listener, **settings
            )
        except KeyboardInterrupt:
            raise KeyboardInterrupt(place.stopped()) from None
        place.finish(report)
    return report, chosen


def _show(report: "LiveReport", method: str, engine: str) -> None:
    heading("Streamed", f"{method}, computed by {engine}")
    table = facts()
    table.add_row("frames", f"{report.results}, {len(report.dropped)} dropped")
    table.add_row("pace", f"{report.rate:.1f} frames per second")
    table.add_row("work", f"{report.latency.work:.1f} ms a frame (median)")
    latency = report.latency
    table.add_row("latency", f"{latency.median:.1f} ms median, {latency.p99:.1f} ms 99 %, {latency.worst:.1f} ms worst")
    out.print(table)
