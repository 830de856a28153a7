"""`demottle denoise`: a noisy scan in, a clean one out, and a page that shows what was removed."""

import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import typer

from demottle.cli.denoise import arguments, series_options
from demottle.cli.denoise.aside import with_aside
from demottle.cli.denoise.attempt import FolderOrder, with_model
from demottle.cli.denoise.batch import denoise_folder
from demottle.cli.denoise.contract import parse_promise
from demottle.cli.denoise.job import denoise_scan
from demottle.cli.denoise.outcome import Reading, Wishes
from demottle.cli.denoise.series_files import SeriesFiles, places_of_series, without_phases
from demottle.cli.denoise.summary import show_outcome
from demottle.cli.gate import Force, LimitsFile, limits_of
from demottle.cli.places import places_for
from demottle.cli.screen import options
from demottle.cli.screen.console import say, say_warnings, show_json
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.progress import watch
from demottle.cli.spot_map import MAP, SPREAD, UNCERTAINTY, SpotMapFile
from demottle.events import Stage
from demottle.io.formats import output_name
from demottle.io.output import refuse_inputs


@guarded
def denoise(
    scan: options.Scan,
    output: arguments.Output,
    method: arguments.Method = None,
    method_file: options.MethodFile = None,
    model: arguments.Model = None,
    save_model: arguments.SaveModel = None,
    preset: arguments.Preset = None,
    strength: arguments.Strength = 1.0,
    minutes: arguments.Minutes = None,
    steps: arguments.Steps = None,
    keep_bias: arguments.KeepBias = False,
    texture: arguments.Texture = None,
    keep_mtf: arguments.KeepMtf = None,
    keep_hu: arguments.KeepHu = None,
    noise: arguments.Noise = None,
    seed: arguments.Seed = 0,
    settings: arguments.Settings = None,
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
    accept_own_output: arguments.AcceptOwnOutput = False,
    format: arguments.Format = None,
    overwrite: arguments.Overwrite = False,
    skip_existing: arguments.SkipExisting = False,
    jobs: arguments.Jobs = 1,
    report: arguments.Report = None,
    no_report: arguments.NoReport = False,
    spot_map: SpotMapFile = None,
    uncertainty: arguments.Uncertainty = None,
    spread: arguments.Spread = None,
    limits: LimitsFile = None,
    force: Force = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Denoise SCAN into OUT, learning from the scan itself.

    SCAN may hold many scans: each goes to OUT/NAME. A series with several volumes stays one series, or --volume picks one.
    """
    begun = time.monotonic()
    given = SimpleNamespace(**locals())  # all the options by name, to hand on as one
    wishes = _wishes(given)
    refuse_inputs([output, report], read := [scan, model, method_file, limits, *wishes.files.read], added=True)
    wishes.files.refuse_contradictions(model, method, len(scans := _scans_in(scan, series)))
    if len(scans) == 1:
        return _denoise_one(scans[0], given, wishes, read, begun)
    _denoise_several(scans, given, wishes)


def _refuse_idle(given: SimpleNamespace) -> None:
    """Raise BadParameter for options that do not go together, and load the file of a method."""
    if given.skip_existing and given.overwrite:
        raise typer.BadParameter("leaves out what is there, and --overwrite replaces it", param_hint="--skip-existing")
    options.refuse_two_limits(given.minutes, given.steps)
    options.refuse_saving_a_model(given.model, given.save_model)
    options.refuse_idle_method_file(given.method_file, given.method, given.model)
    options.use_method_file(given.method_file)
    if given.spread is not None and given.model is None:
        raise typer.BadParameter("is for a model that goes by passes; give one with --model", param_hint="--spread")


def _denoise_several(scans: list[Path], given: SimpleNamespace, wishes: Wishes) -> None:
    """Denoise the scans that SCAN holds; raises BadParameter for an option that names a file of one scan."""
    maps = {"--map": given.spot_map, "--uncertainty": given.uncertainty, "--spread": given.spread}
    files = {"--save-model": given.save_model, **maps}
    for option in (option for option, path in files.items() if path is not None):
        raise typer.BadParameter("needs a single scan, but SCAN holds several", param_hint=option)
    page, skip = not given.no_report, given.skip_existing
    order = FolderOrder(given.scan, given.output, given.report, page, wishes, skip, given.method_file)
    denoise_folder(scans, order, given.as_json, given.jobs)


def _denoise_one(scan: Path, given: SimpleNamespace, wishes: Wishes, read: Sequence[Path | None], begun: float) -> None:
    target = places_of_series(given.output, scan, given.format)
    output = target or output_name(given.output, scan, given.format)
    places = places_for(output, given.report, not given.no_report, given.save_model)
    places = wishes.files.added_to(places, scan, given.output if target else None)
    maps = {MAP: given.spot_map, UNCERTAINTY: given.uncertainty, SPREAD: given.spread}
    asked = {name: output_name(path, scan, None) for name, path in maps.items() if path is not None}
    places = replace(places, extras={**places.extras, **asked})
    places.refuse_inputs([*read, scan, *wishes.files.beside(scan)])
    places = with_aside(places, given.report)
    if given.skip_existing and places.output.exists():
        say(f"{places.output} exists already, from an earlier run.")
        return
    if not given.overwrite:  # before packages are loaded, which takes seconds
        places.clear_leftovers()
        places.refuse_existing()
    with watch() as listener:
        listener.began(begun)  # packages were loaded since
        with listener.stage(Stage.START):
            wishes = with_model(wishes)
            _import_what_takes_long()
        outcome = denoise_scan(scan, places, wishes, listener)
    if given.as_json:
        show_json(outcome.to_dict())
        return
    say_warnings(outcome.warnings)
    show_outcome(outcome)


def _wishes(given: SimpleNamespace) -> Wishes:
    """What was asked for, from the options; refuses what does not go together."""
    from demottle.pipeline.preset import with_preset
    from demottle.pipeline.request import Request

    _refuse_idle(given)
    request = Request(
        method=given.method,
        settings=options.parse_settings(given.settings or []) or None,
        model=given.model,
        strength=given.strength,
        seed=given.seed,
        minutes=given.minutes,
        steps=given.steps,
        keep_bias=given.keep_bias,
        texture=options.parse_texture(given.texture),
        uncertainty=given.uncertainty is not None,
        spread=given.spread is not None,
        promise=parse_promise(given.keep_mtf, given.keep_hu, given.noise),
    )
    reading = Reading(
        given.series,
        options.parse_spacing(given.spacing),
        given.accept_uneven,
        given.accept_own_output,
        options.parse_modality(given.modality),
        options.parse_unit(given.unit),
        given.volume,
    )
    files = SeriesFiles(**{field.name: getattr(given, field.name) for field in fields(SeriesFiles)})
    return Wishes(
        with_preset(request, given.preset),
        reading,
        given.format,
        given.overwrite,
        limits_of(given.limits),
        given.force,
        files,
    )


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
    import demottle.pipeline.run
    import demottle.report  # noqa: F401
