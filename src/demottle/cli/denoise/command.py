"""`demottle denoise`: a noisy scan in, a clean one out, and a page that shows what was removed."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demottle.cli.denoise import series_options
from demottle.cli.denoise.aside import with_aside
from demottle.cli.denoise.batch import denoise_folder
from demottle.cli.denoise.job import denoise_scan
from demottle.cli.denoise.outcome import Wishes
from demottle.cli.denoise.series_files import SeriesFiles, places_of_series, without_phases
from demottle.cli.denoise.summary import show_outcome
from demottle.cli.gate import Force, LimitsFile, limits_of
from demottle.cli.places import output_for, places_for, refuse_inside
from demottle.cli.screen import options
from demottle.cli.screen.console import say_warnings, show_json
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.progress import watch

if TYPE_CHECKING:
    from demottle.methods import Denoiser

METHOD = "Method"
PAGE = "The page"


@guarded
def denoise(
    scan: options.Scan,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where the denoised scan goes.")],
    method: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="See 'demottle methods'. Default: the scan decides.", rich_help_panel=METHOD),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Use a saved network; learn nothing.", rich_help_panel=METHOD),
    ] = None,
    save_model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the fitted network.", rich_help_panel=METHOD)
    ] = None,
    strength: Annotated[
        float,
        typer.Option(min=0, max=1, metavar="S", help="1 removes all the noise found, 0 none.", rich_help_panel=METHOD),
    ] = 1.0,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, metavar="M", help="Time to learn. Default: the scan decides.", rich_help_panel=METHOD),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Steps to learn, instead of minutes.", rich_help_panel=METHOD)
    ] = None,
    keep_bias: Annotated[
        bool,
        typer.Option(
            "--keep-bias", metavar="", help="MR: leave the mean as the noise raised it.", rich_help_panel=METHOD
        ),
    ] = False,
    texture: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Noise to leave in the scan's own grain: 0 to 1, or auto for the least that keeps its texture.",
            rich_help_panel=METHOD,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="The same seed gives the same result.", rich_help_panel=METHOD)
    ] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the method; repeatable.", rich_help_panel=METHOD),
    ] = None,
    phase: series_options.Phase = None,
    noise_volumes: series_options.NoiseVolumes = None,
    noise_scan: series_options.NoiseScan = None,
    noise_map: series_options.NoiseMap = None,
    gfactor: series_options.Gfactor = None,
    sigma: series_options.Sigma = None,
    save_phase: series_options.SavePhase = None,
    save_noise_map: series_options.SaveNoiseMap = None,
    save_components: series_options.SaveComponents = None,
    series: options.Series = None,
    volume: options.Volume = None,
    spacing: options.Spacing = None,
    modality: options.Modality = None,
    unit: options.Unit = None,
    accept_uneven: options.AcceptUneven = False,
    accept_own_output: Annotated[
        bool,
        typer.Option(
            "--accept-own-output",
            metavar="",
            help="Denoise what demottle wrote, again.",
            rich_help_panel=options.READING,
        ),
    ] = False,
    format: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Format of OUT. Default: that of SCAN.", rich_help_panel=options.READING),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", metavar="", help="Replace earlier results.", rich_help_panel=options.READING)
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the page goes. Default: OUT-report.", rich_help_panel=PAGE),
    ] = None,
    no_report: Annotated[
        bool, typer.Option("--no-report", metavar="", help="Neither page nor run.json.", rich_help_panel=PAGE)
    ] = False,
    limits: LimitsFile = None,
    force: Force = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Denoise SCAN into OUT, learning from the scan itself.

    SCAN may hold many scans: each goes to OUT/NAME, and those that fail are named at the end. A series with several volumes
    (echoes, phases, kernels) becomes one series again, or --volume chooses one.
    """
    begun = time.monotonic()
    wishes = Wishes(
        method=method,
        settings=options.parse_settings(settings or []),
        strength=strength,
        seed=seed,
        minutes=minutes,
        steps=steps,
        keep_bias=keep_bias,
        texture=options.parse_texture(texture),
        format=format,
        overwrite=overwrite,
        series=series,
        volume=volume,
        spacing=options.parse_spacing(spacing),
        accept_uneven=accept_uneven,
        accept_own_output=accept_own_output,
        modality=options.parse_modality(modality),
        unit=options.parse_unit(unit),
        limits=limits_of(limits),
        force=force,
        files=SeriesFiles(
            phase, noise_volumes, noise_scan, noise_map, gfactor, sigma, save_phase, save_noise_map, save_components
        ),
    )
    _refuse_contradictions(wishes, model, save_model)
    refuse_inside(scan, output)
    scans = _scans_in(scan, series)
    wishes.files.refuse_contradictions(model, method, len(scans))
    if len(scans) > 1:
        if save_model is not None:
            raise typer.BadParameter("needs a single scan, but SCAN holds several", param_hint="--save-model")
        denoise_folder(scan, scans, output, report, not no_report, wishes, _load(model), as_json)
        return
    target = places_of_series(output, scans[0], format)
    places = places_for(target or output_for(output, scans[0], format), report, not no_report, save_model)
    places = wishes.files.added_to(places, scans[0], output if target else None)
    places = with_aside(places, report)
    with watch() as listener:
        listener.began(begun)  # packages were loaded since
        with listener.stage("start"):
            fitted = _load(model)
            _import_what_takes_long()
        outcome = denoise_scan(scans[0], places, wishes, fitted, listener)
    if as_json:
        show_json(outcome.to_dict())
        return
    say_warnings(outcome.warnings)
    show_outcome(outcome)


def _refuse_contradictions(wishes: Wishes, model: Path | None, save_model: Path | None) -> None:
    from demottle.methods.registry import refuse_missing, refuse_untrained

    learning = {
        "--method": wishes.method,
        "--set": wishes.settings or None,
        "--minutes": wishes.minutes,
        "--steps": wishes.steps,
        "--save-model": save_model,
        "--keep-bias": wishes.keep_bias or None,
    }
    given = [name for name, value in learning.items() if value is not None]
    if model is not None and given:
        raise typer.BadParameter(f"learns nothing, so {given[0]} does not go with it", param_hint="--model")
    if wishes.minutes is not None and wishes.steps is not None:
        raise typer.BadParameter("says how long to learn already, so leave out --steps", param_hint="--minutes")
    if wishes.method is not None:
        refuse_untrained(wishes.method)  # known now, not after reading; so is an unknown name
        refuse_missing(wishes.method)
    if wishes.settings:
        from demottle.pipeline.settings import check_settings

        check_settings(wishes.method, wishes.settings)


def _scans_in(scan: Path, series: str | None) -> list[Path]:
    from demottle import io
    from demottle.io.loose_slices import scans_beside_loose_slices

    one = series is not None or (scan / "DICOMDIR").exists()  # a disc with its table of contents is read as one
    if one:
        return [scan]
    found = io.find_scans(scan)
    return without_phases((found == [scan] and scans_beside_loose_slices(scan)) or found)


def _import_what_takes_long() -> None:
    """Where it counts as starting and not as reading."""
    import demottle.pipeline.denoise
    import demottle.pipeline.denoise_sequence
    import demottle.report  # noqa: F401


def _load(model: Path | None) -> "Denoiser | None":
    if model is None:
        return None
    from demottle import methods

    return methods.load(model)
