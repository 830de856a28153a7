"""`demottle train`: folders of scans in, a model file out."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from demottle.cli.models.facts import show_fitted
from demottle.cli.screen import options
from demottle.cli.screen.console import heading, out, say, say_warnings, show_json
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.progress import watch
from demottle.cli.screen.stopping import signals_wait
from demottle.cli.train import arguments
from demottle.cli.train.screen import TrainingScreen
from demottle.errors import OutputError
from demottle.io.output import refuse_existing, refuse_inputs, staged

if TYPE_CHECKING:
    from demottle.events import Listener
    from demottle.learning.data.cohort import Sets
    from demottle.learning.data.dataset import Choices, Reading
    from demottle.methods import Denoiser

_HARDLY_LESS = 0.95


@guarded
def train(
    method: arguments.Method,
    output: arguments.Output,
    full: arguments.Full = None,
    low: arguments.Low = None,
    manifest: arguments.Manifest = None,
    method_file: options.MethodFile = None,
    preset: arguments.Preset = None,
    settings: arguments.Settings = None,
    start: arguments.Start = None,
    steps: arguments.Steps = None,
    minutes: arguments.Minutes = None,
    seed: arguments.Seed = 0,
    resume: arguments.Resume = False,
    validation_share: arguments.ValidationShare = 0.2,
    earlier_name: arguments.EarlierName = None,
    allow_mixed: arguments.AllowMixed = False,
    cache: arguments.Cache = None,
    cache_limit: arguments.CacheLimit = 20.0,
    spacing: options.Spacing = None,
    modality: options.Modality = None,
    accept_uneven: options.AcceptUneven = False,
    pictures: arguments.Pictures = 1000,
    tensorboard: arguments.Tensorboard = False,
    save_every: arguments.SaveEvery = 500,
    overwrite: arguments.Overwrite = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Train METHOD on folders of scans, and write a model for 'demottle denoise --model'."""
    from demottle.learning import processes
    from demottle.learning.data.dataset import Choices, Reading
    from demottle.learning.device import best_device

    options.use_method_file(method_file)
    fitting = "small" if best_device().type == "cpu" else "full"
    module, chosen = _method(method, preset or fitting, settings or [])
    reading = Reading(options.parse_modality(modality), options.parse_spacing(spacing), accept_uneven)
    data = _data(method, low, full, manifest, reading)
    folder = output.with_name(f"{output.stem}-training")
    refuse_inputs((output, cache, folder), (*data.inputs, manifest, method_file, start), added=True)
    begun = _start(method, module, chosen, start)
    _refuse_existing(output, folder, resume, overwrite)
    processes.join(best_device())
    if preset is None and fitting == "small" and not processes.rank():
        say('There is no GPU here, so the preset is "small"; "--preset full" is meant for a GPU.')
    choices = Choices(
        seed, earlier_name or validation_share, allow_mixed, cache_limit, _learns_from_pairs(method, chosen)
    )
    with _tidied(folder, cache):
        sets = _gathered(data, cache or folder / "cache", choices)
        model = _trained(module, chosen, sets, seed, steps, minutes, folder, pictures, tensorboard, save_every, begun)
    if processes.rank():
        return
    with staged(output, overwrite=overwrite) as place:
        model.save(place)
    _clean_up(folder, cache)
    _show(model, output, as_json)


def _show(model: "Denoiser", output: Path, as_json: bool) -> None:
    say_warnings(_doubts(model.fitted))
    if as_json:
        told = {"model": str(output), "method": model.method, "model_hash": model.model_hash, "fitted": model.fitted}
        show_json(told)
        return
    heading(str(output), "apply it with: demottle denoise SCAN -o OUT --model " + str(output))
    show_fitted(model.fitted, out)


def _doubts(fitted: Mapping[str, Any]) -> list[str]:
    """What a user should know before the model meets a patient."""
    left = fitted.get("simulated_noise_left")
    if left is None or left < _HARDLY_LESS:
        return []
    return [
        f"The model removes hardly any noise: {left:.0%} is left of noise simulated on held-out slices. Train it longer "
        "(--steps, --minutes)."
    ]


def _method(name: str, preset: str, pairs: list[str]) -> tuple[Any, Any]:
    """The method's module and settings: all that can be wrong with them is known before a scan is read."""
    from demottle.errors import InputError, nearest
    from demottle.methods.registry import METHODS, method

    known = ", ".join(name for name, other in METHODS.items() if other.is_trained)
    if name not in METHODS:
        raise InputError(
            f'There is no method "{name}".{nearest(name, METHODS)} Those that are trained on sets of scans are: {known}.'
        )
    info = method(name)
    if not info.is_trained:
        raise InputError(f"{name} learns from {info.learns_from} and needs no training; those that do are: {known}.")
    module = info.load()
    if preset not in module.PRESETS:
        raise typer.BadParameter(
            f"has to be one of {', '.join(module.PRESETS)}.{nearest(preset, module.PRESETS)}", param_hint="--preset"
        )
    from demottle.pipeline.settings import make_settings

    return module, make_settings(name, {**module.PRESETS[preset], **options.parse_settings(pairs)})


@dataclass(frozen=True)
class _Data:
    """What is trained on: how it is read, once all else is known to be right, and the folders and files that are read."""

    gather: "Callable[[Path, Choices, Listener], Sets]"
    inputs: tuple[Path | None, ...]


def _data(name: str, low: Path | None, full: Path | None, manifest: Path | None, reading: "Reading") -> _Data:
    """The two folders, or a table in their place."""
    from demottle.learning.data.dataset import gather, sets_of

    if manifest is not None:
        if low is not None or full is not None:
            given = "--low" if low is not None else "--full"
            raise typer.BadParameter(f"lists the scans of both sides; leave out {given}", param_hint="--manifest")
        from demottle.archive.training import read_manifest

        listed = read_manifest(manifest, reading)
        _refuse_sides(name, listed.low is not None, "--manifest")
        return _Data(lambda *rest: sets_of(listed.low, listed.full, *rest), listed.inputs)
    if full is None:
        raise typer.BadParameter("is missing; name a folder of full-dose scans, or a --manifest", param_hint="--full")
    _refuse_sides(name, low is not None, "--low")
    return _Data(lambda cache, choices, listener: gather(low, full, cache, choices, reading, listener), (low, full))


def _refuse_sides(name: str, low: bool, hint: str) -> None:
    from demottle.methods.registry import method

    needed = method(name).learns_from != "full-dose scans"
    if needed and not low:
        raise typer.BadParameter(f"is missing; {name} needs low-dose scans too", param_hint=hint)
    if low and not needed:
        raise typer.BadParameter(f"is not for {name}, which learns from full-dose scans alone", param_hint=hint)


def _start(name: str, module: Any, settings: Any, path: Path | None) -> "Denoiser | None":
    """The model to begin with, where there is one; a wrong one is refused before a scan is read."""
    if path is None:
        return None
    from demottle.errors import InputError
    from demottle.methods import load
    from demottle.methods.unpaired.beginning import refuse_other_start

    if "start" not in signature(module.train).parameters:
        raise InputError(f"{name} cannot begin with a model; train it without one.")
    start = load(path)
    refuse_other_start(name, settings, start)
    return start


def _learns_from_pairs(name: str, settings: Any) -> bool:
    from demottle.methods.registry import method

    return method(name).needs_pairs(settings)


def _refuse_existing(output: Path, folder: Path, resume: bool, overwrite: bool) -> None:
    if output.suffix != ".safetensors":
        raise OutputError(f"{output.name} is not a name for a model; use one that ends in .safetensors.")
    if not output.parent.is_dir():
        raise OutputError(f"There is no folder {output.parent} for the model; make it first.")
    if not overwrite:
        refuse_existing([output])
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            f"{folder} is a file, and the folder of the training would have that name; move it or rename the model."
        )
    checkpoints = list(folder.glob("*.safetensors"))
    if resume and not checkpoints:
        raise OutputError(f"There is no checkpoint in {folder} to continue from; leave out --resume.")
    if checkpoints and not resume:
        if not overwrite:
            raise OutputError(
                f"{folder} holds an unfinished training; add --resume to go on, or --overwrite to drop it."
            )
        for checkpoint in checkpoints:
            checkpoint.unlink()


def _gathered(data: _Data, cache: Path, choices: "Choices") -> "Sets":
    """Read the scans; with several processes the first one reads, the others find them in the cache."""
    from demottle.events import silent
    from demottle.learning import processes

    if processes.rank():
        processes.wait()
        return data.gather(cache, choices, silent)
    with watch() as listener:
        sets = data.gather(cache, choices, listener)
    processes.wait()
    return sets


def _trained(
    module: Any,
    settings: Any,
    sets: "Sets",
    seed: int,
    steps: int | None,
    minutes: float | None,
    folder: Path,
    pictures: int,
    tensorboard: bool,
    save_every: int,
    start: "Denoiser | None",
) -> Any:
    from demottle.learning import processes
    from demottle.learning.loggers import PictureFiles, TensorBoardFiles
    from demottle.learning.run import Run
    from demottle.methods import Budget

    folder.mkdir(exist_ok=True)
    first = processes.rank() == 0
    if first:
        with staged(folder / "manifest.json", overwrite=True) as manifest:
            manifest.write_text(json.dumps(sets.manifest, indent=2) + "\n")
    with ExitStack() as stack:
        files = stack.enter_context(
            TensorBoardFiles(folder / "tensorboard") if tensorboard and first else nullcontext()
        )
        screen = stack.enter_context(TrainingScreen()) if first else None
        observers = [
            observer for observer in (screen, PictureFiles(folder / "pictures"), files) if observer is not None
        ]
        stop = stack.enter_context(signals_wait())
        run = Run(folder, tuple(observers), None, save_every, pictures, stop)
        try:
            begun = {} if start is None else {"start": start}  # methods of others may know of no such thing
            return module.train(sets, settings, seed=seed, budget=Budget(steps, minutes), run=run, **begun)
        except KeyboardInterrupt:
            stop.end()  # SIGTERM ends the program its own way


@contextmanager
def _tidied(folder: Path, cache: Path | None) -> Iterator[None]:
    """Where the block fails or is stopped: keep what a checkpoint can go on from, else leave what was there before."""
    from demottle.learning import processes
    from demottle.learning.data.scan_cache import remove

    was_there, cache_was_there = folder.exists(), (folder / "cache").exists()
    try:
        yield
    except BaseException as error:
        kept = any(folder.glob("*.safetensors"))
        if not kept and processes.rank() == 0:
            if not was_there:
                remove(folder)
            elif cache is None and not cache_was_there:
                remove(folder / "cache")
        if kept and isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(
                f"Stopped. What was learned is kept in {folder}; the same command with --resume continues from there."
            ) from None
        raise


def _clean_up(folder: Path, cache: Path | None) -> None:
    """Take away what only an unfinished training needs; manifest, pictures and TensorBoard's files stay."""
    from demottle.learning.data.scan_cache import remove

    for checkpoint in folder.glob("*.safetensors"):
        checkpoint.unlink()
    if cache is None:
        remove(folder / "cache")
    say(f"Which scan was used for what is in {folder / 'manifest.json'}.")
