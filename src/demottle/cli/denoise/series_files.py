"""What belongs to an MR series on the command line: which files are given, found and written beside the result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from demottle.cli.places import Places
from demottle.errors import InputError, OutputError, are, counted
from demottle.events import Listener
from demottle.io.mr.bids import derivative, is_bids, is_phase_of_another, parted, phase_beside
from demottle.io.mr.sidecar import read_sidecar, sidecar_of, write_description, write_sidecar

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.pipeline.result import Result
    from demottle.pipeline.series_files import PhaseFile

METHOD = "nordic"
PHASE, NOISE, COMPONENTS, SIDECAR, PHASE_SIDECAR = "phase", "noise map", "components", "sidecar", "phase sidecar"
DATASET = "data set"
Writers = dict[str, Callable[[Path], None]]


@dataclass(frozen=True)
class SeriesFiles:
    """What was asked for, as the options of the same names."""

    phase: Path | None = None
    noise_volumes: int | None = None
    noise_scan: Path | None = None
    noise_map: Path | None = None
    gfactor: Path | None = None
    sigma: float | None = None
    save_phase: Path | None = None
    save_noise_map: Path | None = None
    save_components: Path | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The options that were given."""
        names = (field.name for field in fields(self) if getattr(self, field.name) is not None)
        return tuple(f"--{name.replace('_', '-')}" for name in names)

    @property
    def read(self) -> tuple[Path | None, ...]:
        """The files that are read."""
        return self.phase, self.noise_scan, self.noise_map, self.gfactor

    def beside(self, scan: Path) -> list[Path]:
        """What belongs to a scan and is read with it: its phase, and the JSON beside NIfTI files."""
        found = [one for one in (scan, self.phase_of(scan)) if one is not None]
        return [*found, *(sidecar_of(one) for one in found if parted(one)[1])]

    @property
    def noise_said(self) -> bool:
        """True where a file or a number says the noise."""
        return any(value is not None for value in (self.noise_map, self.noise_scan, self.sigma))

    def refuse_contradictions(self, model: Path | None, method: str | None, scans: int) -> None:
        """Refuse what does not go together, before anything is read.

        Raises:
            typer.BadParameter: says what.
        """
        if not self.given:
            return
        first = self.given[0]
        if method not in (None, METHOD):
            raise typer.BadParameter(f"is for {METHOD}, not for {method}", param_hint=first)
        if model is not None:
            raise typer.BadParameter("does not go with a saved model", param_hint=first)
        if scans > 1:
            alone = [name for name in self.given if name not in ("--sigma", "--noise-volumes")]
            if alone:
                raise typer.BadParameter("needs a single scan, but SCAN holds several", param_hint=alone[0])
        if self.sigma is not None and not (self.sigma > 0 and isfinite(self.sigma)):
            raise typer.BadParameter("has to be a positive number", param_hint="--sigma")
        told = {"--noise-map": self.noise_map, "--noise-scan": self.noise_scan, "--sigma": self.sigma}
        names = [name for name, value in told.items() if value is not None]
        if len(names) > 1:
            raise typer.BadParameter(f"gives the noise already, so leave out {names[1]}", param_hint=names[0])
        if self.gfactor is not None and names and names[0] != "--sigma":
            raise typer.BadParameter(
                "goes with --sigma or alone, because the noise is given already", param_hint="--gfactor"
            )

    def added_to(self, places: Places, scan: Path, derivatives: Path | None) -> Places:
        """Return the places with those of the files that are written beside the result."""
        extras = {PHASE: self.save_phase, NOISE: self.save_noise_map, COMPONENTS: self.save_components}
        found = {name: path for name, path in extras.items() if path is not None}
        for name, path in found.items():
            if not parted(path)[1] and (name != PHASE or scan.is_file()):
                raise OutputError(f"{path.name} has to end in .nii.gz or .nii.")
            if path.is_dir():
                raise OutputError(f"{path} is a folder already; choose another name.")
        if parted(scan)[1] and parted(places.output)[1] and read_sidecar(scan) is not None:
            found[SIDECAR] = sidecar_of(places.output)
        phase = self.phase_of(scan)
        if PHASE in found and phase is not None and parted(phase)[1] and read_sidecar(phase) is not None:
            found[PHASE_SIDECAR] = sidecar_of(found[PHASE])
        if derivatives is not None and is_bids(scan) and not (derivatives / "dataset_description.json").exists():
            found[DATASET] = derivatives / "dataset_description.json"
        return replace(places, extras=found)

    def phase_of(self, scan: Path) -> Path | None:
        """The phase that was given, or lies beside."""
        return self.phase or (phase_beside(scan) if scan.is_file() else None)


@dataclass(frozen=True, eq=False)
class Gathered:
    """A series with all that belongs to it.

    Attributes:
        image: without the volumes of noise alone, with phase and maps.
        whole: with these volumes.
        phase: where the phase came from.
        told: what was found, in sentences.
        method: the method that this asks for; None: none in particular.
        settings: settings of that method.
    """

    image: "Image"
    whole: "Image"
    phase: "PhaseFile | None"
    told: tuple[str, ...]
    method: str | None
    settings: dict[str, Any]


def gathered(image: "Image", scan: Path, files: SeriesFiles, method: str | None, listener: Listener) -> Gathered:
    """Put a series and its files together.

    Raises:
        InputError: says what does not fit.
    """
    plain = Gathered(image, image, None, (), method, {})
    series = image.sequence and image.modality == "MR"
    if (method not in (None, METHOD)) or not (series or files.given):
        return plain
    from demottle.io.mr.dicom_pairs import phase_in
    from demottle.methods.low_rank.noise_volumes import noise_volumes
    from demottle.methods.low_rank.nordic import FEWEST
    from demottle.pipeline import series_files as put

    if image.shape[0] < FEWEST and not files.given:
        return plain
    told: list[str] = []
    path, origin, whole = files.phase_of(scan), None, image
    part = phase_in(scan, image) if path is None and scan.is_dir() else None
    if part is not None:
        whole, origin = put.with_phase(image, scan, part, listener)
        told.append(f"Its phase was found in the same folder: {part.label}.")
    elif path is not None:
        whole, origin = put.with_phase(image, path, listener=listener)
        if files.phase is None:
            told.append(f"Its phase was found beside it: {path.name}.")
    elif files.save_phase is not None:
        raise InputError("No phase was found to denoise and write; give it.", remedy="phase")
    if files.given:
        put.refuse_unsuitable(whole)
    count = noise_volumes(whole) if files.noise_volumes is None else files.noise_volumes
    used = put.without_noise_volumes(whole, count) if count else whole
    if files.sigma is not None or files.gfactor is not None:
        used = replace(used, maps={})  # what these say goes before what volumes of noise alone tell
    if files.noise_map is not None:
        used = put.with_map(used, "noise", files.noise_map)
    if files.noise_scan is not None:
        used = put.with_noise_scan(used, files.noise_scan)
    if files.gfactor is not None:
        used = put.with_map(used, "gfactor", files.gfactor)
    if count and files.noise_volumes is None:
        tell = (
            "they told the level of the noise, and "
            if used.maps.keys() == {"noise"} and not files.noise_said
            else "they "
        )
        told.append(f"The last {counted(count, 'volume')} {are(count)} noise alone: {tell}come out as they went in.")
    settings = {} if files.sigma is None else {"noise": float(files.sigma)}
    # With a map to write or a level to use, the plan might still take another method, which has neither.
    alone = files.save_noise_map, files.save_components, files.sigma
    wanted = METHOD if any(value is not None for value in alone) else method
    return Gathered(used, whole, origin, tuple(told), wanted, settings)


def refuse_series_files(image: "Image | None", files: SeriesFiles) -> None:
    """Refuse files of a series for anything else; None stands for several volumes.

    Raises:
        InputError: says what it is.
    """
    if not files.given:
        return
    if image is None:
        raise InputError(
            f"{files.given[0]} is for one series over time, but this holds several volumes; choose one (--volume)."
        )
    from demottle.pipeline.series_files import refuse_unsuitable

    refuse_unsuitable(image)


def sidecar_writers(scan: Path, result: "Result", sources: Sequence[Path] = (), **more: Any) -> Writers:
    """Return how the sidecar of a result, and the description of a folder of derivatives, are written."""
    done = {"Method": result.plan.method, "Settings": dict(result.denoiser.settings), **more}
    names = [path.name for path in (scan, *sources)]
    return {
        SIDECAR: lambda path: write_sidecar(path, read_sidecar(scan) or {}, names, done),
        DATASET: write_description,
    }


def writers_of(result: "Result", found: Gathered, scan: Path, files: SeriesFiles, overwrite: bool) -> Writers:
    """Return how each file beside the result is written; `result` has all volumes again."""
    from demottle.pipeline import series_files as put

    image, phase = result.image, files.phase_of(scan)
    more = {"Phase": found.phase is not None, "VolumesOfNoiseAlone": found.whole.shape[0] - found.image.shape[0]}
    writers = sidecar_writers(scan, result, [phase] if phase else [], **more)
    writers[NOISE] = partial(put.write_map, image, "noise")
    writers[COMPONENTS] = partial(put.write_map, image, "components")
    if found.phase is not None:
        origin = found.phase
        writers[PHASE] = lambda path: put.write_phase(image, origin, path, overwrite)
    if phase is not None:
        writers[PHASE_SIDECAR] = sidecar_writers(phase, result, [scan], **more)[SIDECAR]
    return writers


def places_of_series(output: Path, scan: Path, wanted: str | None) -> Path | None:
    """Return the name of the result where OUT is a folder for derivatives of a NIfTI file; None where it is a name itself."""
    from demottle.io.formats import suffix_of

    if not parted(scan)[1] or wanted not in (None, "nifti") or suffix_of(output):
        return None
    return derivative(scan, output) if output.is_dir() or is_bids(scan) else None


def without_phases(scans: Sequence[Path]) -> list[Path]:
    """Leave out the phases whose magnitudes are there: they are not scans of their own."""
    return [scan for scan in scans if not is_phase_of_another(scan) or len(scans) == 1]
