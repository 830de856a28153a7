"""A real scan as it would have been at a lower dose: noise insertion in the projections.

The scan is projected, every ray gets the noise that it would have had on top (`tube`), and that noise alone is reconstructed
and added, so that the scan keeps its resolution. How much, where, and of what spectrum is set by the noise measured on the scan
itself (`measured`, `fit`, `level`, `response`): at the fraction d of the dose quantum variance is that of the scan divided by d,
electronic variance divided by d^2.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

import demottle
from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, ProcessingStep, Voxels
from demottle.noise.slices import spread
from demottle.physics.ct.backends import Projector, check_projector
from demottle.physics.ct.ct_noise import BOW_TIE
from demottle.physics.ct.projection import FloatArray, Kernel, KernelLike
from demottle.physics.low_dose.beam import Beam, BeamShape, make_beam
from demottle.physics.low_dose.choices import Choice, choose_correlation, choose_kernel
from demottle.physics.low_dose.field import blank, check_field, floor_of, seen_by_rays
from demottle.physics.low_dose.fit import ELECTRONIC, HARDENING, Fitted, Seen, fit_tube
from demottle.physics.low_dose.header import Acquisition, acquisition_of
from demottle.physics.low_dose.level import STEP, Calibration, calibrate, enlarged, level_where_flat, scaled_by
from demottle.physics.low_dose.measured import Measured, measure
from demottle.physics.low_dose.response import matching_response
from demottle.physics.low_dose.slices import slice_weights
from demottle.physics.low_dose.tube import Tube, added_variance, rays_per_photon

METHOD = "simulate-low-dose"
_FITTED_SLICES = 4  # that the tube is fitted on
TOLERANCE = 0.03
"""How far the noise level may be from its target, as a share of it, before the user is warned."""
REFUSED = 0.1
"""How far it may be before the scan is refused: it would not be one at the dose that its header says."""


@dataclass(frozen=True)
class LowDoseSettings:
    """What can be chosen.

    Attributes:
        kernel: kernel of the filtered back-projection; "match": the one whose noise has the scan's own mean frequency.
        correlation: correlation of the noise of adjacent slices, 0 to 0.95; "geometry": from slice thickness and distance;
            "measured": the scan's own.
        electronic: electronic noise in photons rms; None: fitted to the scan's noise, near 8 where that tells little.
        bow_tie: 0 for none, 1 for a bow-tie that flattens a water cylinder as wide as the scanner's field; None:
            fitted, near 0.5.
        modulation: strength of the angular tube-current modulation; None: none where the header says so, else fitted, near 0.5.
        beam: "parallel" or "fan".
        projector: "builtin", or "astra" where astra-toolbox is installed.
        accept_truncated: go on where the body reaches beyond the field of view.
    """

    kernel: Kernel | Literal["match"] = "match"
    correlation: float | Literal["geometry", "measured"] = "geometry"
    electronic: float | None = None
    bow_tie: float | None = None
    modulation: float | None = None
    beam: BeamShape = "parallel"
    projector: Projector = "builtin"
    accept_truncated: bool = False


class LowDose:
    """A scan that is measured and ready to be drawn at `dose`; `realization` draws.

    Attributes:
        image: the scan.
        dose: fraction of its dose, above 0 and up to 1.
        acquisition: what the header says.
        kernel, correlation: what is used, and why.
        response: the kernel as the noise is reconstructed with it.
        fitted: what decides where the noise is strong.
        calibration: photons of each slice.
        warnings: sentences for the user.
    """

    def __init__(
        self,
        image: Image,
        dose: float,
        settings: LowDoseSettings | None = None,
        listener: Listener = silent,
        workers: int = 2,
    ) -> None:
        """Measure the scan.

        Args:
            image: a CT scan in HU with square pixels.
            dose: fraction of the scan's dose.
            settings: see `LowDoseSettings`.
            listener: hears of the stages "measure" (every slice) and, when drawing, "simulate".
            workers: threads.

        Raises:
            InputError: dose not above 0 and up to 1; not CT in HU; pixels not square; an unknown or impossible setting; one
                slice with a correlation; a body that reaches beyond the field of view.
            UnsuitableError: the scan's noise cannot be measured.
        """
        self.settings = settings or LowDoseSettings()
        _check(image, dose, self.settings)
        self.image, self.dose, self._workers = image, dose, workers
        self.acquisition: Acquisition = acquisition_of(image)
        field_warning = check_field(image, self.settings.accept_truncated)
        self._measured: Measured = measure(image)
        self.kernel: Choice[Kernel | float] = choose_kernel(image, self.settings.kernel, self._measured)
        self.response: KernelLike = self._response()
        self.correlation: Choice[float] = choose_correlation(image, self.settings.correlation, self._measured)
        # A scan simulated before has the noise of some seed already: the same seed again must not draw that noise once more.
        earlier = sum(step.method == METHOD for step in image.history)
        self._earlier = (earlier,) if earlier else ()
        self._weights = slice_weights(image.shape[0], self.correlation.value)
        self.fitted: Fitted = self._fitted()
        self._tube = self.fitted.tube
        self._beam: Beam = make_beam(
            self.settings.beam,
            image.shape[1:],
            image.spacing[1],
            self.response,
            self.acquisition.source_to_axis_mm,
            self.settings.projector,
        )
        current = self.acquisition.tube_current
        self.calibration: Calibration = calibrate(
            image, self._measured, self._plane, self._beam, self.fitted, self.response, current, listener, workers
        )
        self.level = level_where_flat(image.voxels, image)
        self.warnings: tuple[str, ...] = (*field_warning, *self.kernel.warnings, *self.correlation.warnings)

    def _response(self) -> KernelLike:
        """What the noise is reconstructed with: the kernel asked for, or the response that the scan's own noise shows."""
        spectrum = self._measured.spectrum
        if self.settings.kernel != "match" or spectrum is None or isinstance(self.kernel.value, str):
            return self.kernel.value
        return matching_response(spectrum, self.kernel.value)

    def _fitted(self) -> Fitted:
        """The tube: as asked for, as the header says, or as the scan's own noise tells."""
        given, said = self.settings, self.acquisition
        none_said = said.origin.get("modulation") == "header" and said.modulation == 0
        tube = Tube(
            water=said.water,
            electronic=ELECTRONIC if given.electronic is None else given.electronic,
            bow_tie=BOW_TIE if given.bow_tie is None else given.bow_tie,
            diameter_mm=said.scan_diameter_mm,
            modulation=said.modulation if given.modulation is None else given.modulation,
            hardening=HARDENING,
        )
        free = [name for name in ("electronic", "bow_tie", "modulation") if getattr(given, name) is None]
        if none_said and "modulation" in free:
            free.remove("modulation")
        weight = self._measured.weight
        told = np.flatnonzero(weight.sum(axis=(1, 2)) > 0)
        chosen = [int(told[at]) for at in spread(len(told), _FITTED_SLICES)]
        seen = [Seen(self._plane(z), self._measured.variance[z], weight[z]) for z in chosen]
        turning = ("lag",) if "modulation" in free or tube.modulation > 0 else ()
        return fit_tube(seen, tube, self.image.spacing[1], self.response, (*free, *turning, "hardening"))

    def noise(self, seed: int = 0, repeat: int = 0, listener: Listener = silent) -> Voxels:
        """Draw the noise to add: float32, shape of the image, HU, zero mean; zero where voxels are not valid.

        The same seed and repeat give the same noise with any number of workers; other repeats are independent of it.
        """
        slices = self.image.shape[0]
        if self.dose == 1:
            return np.zeros(self.image.shape, np.float32)
        noise = np.empty(self.image.shape, np.float32)
        with ThreadPoolExecutor(self._workers) as pool:
            try:
                drawn = pool.map(lambda index: self._draw(index, seed, repeat), range(slices))
                for index, plane in enumerate(drawn):
                    noise[index] = plane
                    listener(Progress(Stage.SIMULATE, index + 1, slices))
            except BaseException:  # canceled by the listener: do not draw the rest first
                pool.shutdown(cancel_futures=True)
                raise
        if self.image.valid is not None:
            noise[~self.image.valid] = 0
        return noise

    def variance(self, index: int) -> Voxels:
        """Return the variance in HU^2 that `noise` has at every pixel of one slice, as foretold: float32 (rows, columns)."""
        rays = rays_per_photon(self._beam.integrals(self._plane(index), self._tube.water), self._beam, self._tube)
        added = added_variance(rays, self.calibration.photons[index], self.dose, self._tube)
        coarse = self._beam.variance(added, STEP) * np.float32((1000 / self._tube.water) ** 2)
        whole = enlarged(coarse, self.image.shape[1:])
        return np.asarray(whole * scaled_by(self.calibration.left[index], whole.shape) ** 2, np.float32)

    def realization(self, seed: int = 0, repeat: int = 0, listener: Listener = silent) -> Image:
        """Return the scan at the lower dose, with what was done in its history.

        CT numbers below the lowest that the scan itself holds in quantity (-1024 on most scanners) become that one, as the
        scanner would have stored them; whole blocks of it, outside the reconstruction circle, stay as they are.
        """
        step = self.step(seed, repeat)
        if self.dose == 1:
            return self.image.with_voxels(self.image.voxels, step)
        voxels = self.noise(seed, repeat, listener)
        voxels += self.image.voxels
        low = floor_of(self.image)
        for plane, before in zip(voxels, self.image.voxels, strict=True):
            if low is not None:
                np.maximum(plane, low, out=plane)
                np.copyto(plane, before, where=blank(before, low))
        if self.image.valid is not None:
            np.copyto(voxels, self.image.voxels, where=~self.image.valid)
        return self.image.with_voxels(voxels, step)

    def step(self, seed: int, repeat: int) -> ProcessingStep:
        """What goes into the history of a realization."""
        settings = {
            "dose": self.dose,
            "kernel": self.kernel.value,
            "correlation": round(self.correlation.value, 4),
            **self._used(),
            "beam": self.settings.beam,
            "projector": self.settings.projector,
            "repeat": repeat,
        }
        noise = {"noise_level": self.level, "target_level": self.target}
        return ProcessingStep(METHOD, demottle.__version__, settings, seed=seed, noise=noise)

    def level_of(self, realization: Image) -> float:
        """Return the noise level of a realization in HU, in the places where the scan itself is flat."""
        return level_where_flat(realization.voxels, self.image)

    def check(self, levels: Sequence[float]) -> tuple[str, ...]:
        """Return a warning where the mean of these noise levels is not within `TOLERANCE` of the target.

        Raises:
            InputError: not within `REFUSED` of it.
        """
        found = float(np.mean(levels))
        off = found / self.target - 1
        if abs(off) <= TOLERANCE:
            return ()
        told = f"The noise level came out at {found:.1f} HU, {100 * off:+.0f} % from the {self.target:.1f} HU wanted"
        if not abs(off) <= REFUSED:
            raise InputError(
                f"{told}, since CT numbers reach the lowest that the scanner stores or too little tissue is flat: "
                "choose a higher dose."
            )
        return (f"{told}: too little flat tissue, or CT numbers at the lowest that the scanner stores.",)

    @property
    def target(self) -> float:
        """Noise level in HU that the scan is to have at the lower dose: `level / sqrt(dose)`, and more for electronic noise."""
        return self.calibration.target(self.dose)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: what was measured, assumed and chosen, and where each value came from."""
        return {
            "dose": self.dose,
            "noise_level_hu": self.level,
            "target_level_hu": self.target,
            "slices_measured": int((self._measured.weight.sum(axis=(1, 2)) > 0).sum()),
            "slices": self.image.shape[0],
            "electronic_share": round(self.calibration.electronic_share, 4),
            "local_level_fit": [round(value, 3) for value in self.calibration.fit],
            "kernel": {"used": self.kernel.value, "why": self.kernel.why},
            "slice_correlation": {"used": round(self.correlation.value, 4), "why": self.correlation.why},
            "photons": [float(f"{value:.4g}") for value in self.calibration.photons],
            "acquisition": _facts(self.acquisition),
            "settings": asdict(self.settings),
            "tube": {"used": self._used(), "fitted": list(self.fitted.values)},
            "warnings": list(self.warnings),
        }

    def _used(self) -> dict[str, float]:
        names = ("electronic", "bow_tie", "modulation", "lag", "hardening")
        return {
            **{name: round(float(getattr(self._tube, name)), 4) for name in names},
            "rim": round(self.fitted.rim, 4),
        }

    def _plane(self, index: int) -> Voxels:
        return seen_by_rays(self.image, index)

    def _draw(self, index: int, seed: int, repeat: int) -> FloatArray:
        rays = rays_per_photon(self._beam.integrals(self._plane(index), self._tube.water), self._beam, self._tube)
        white = self._white(index, rays.shape, seed, repeat)
        white *= np.sqrt(added_variance(rays, self.calibration.photons[index], self.dose, self._tube))
        noise = self._beam.reconstruct(white) * np.float32(1000 / self._tube.water)
        return np.asarray(noise * scaled_by(self.calibration.left[index], noise.shape))

    def _white(self, index: int, shape: tuple[int, ...], seed: int, repeat: int) -> FloatArray:
        """Noise of variance 1, independent from ray to ray and correlated from slice to slice."""
        total = np.zeros(shape, np.float32)
        for lag, weight in enumerate(self._weights[index]):
            if weight != 0:
                random = np.random.default_rng([seed, repeat, index - lag, *self._earlier])
                total += np.float32(weight) * random.standard_normal(shape, dtype=np.float32)
        return total


def check_dose(dose: float) -> None:
    """Refuse a dose that cannot be simulated.

    Raises:
        InputError: not above 0 and up to 1.
    """
    if not 0 < dose <= 1:
        raise InputError(
            f"The dose is {dose:g}; it has to be a fraction of the scan's own dose, above 0 and up to 1: noise can be added, "
            "not taken away."
        )


def _check(image: Image, dose: float, settings: LowDoseSettings) -> None:
    check_dose(dose)
    if image.modality != "CT" or image.unit != "HU":
        raise InputError(
            f"A low dose can only be simulated for CT in HU; this is {image.modality} in {image.unit} (--modality CT says "
            "that a file without a modality is CT)."
        )
    _, row, column = image.spacing
    if abs(row - column) > 0.01 * row:
        raise InputError(f"Pixels are {row} mm x {column} mm; CT noise is simulated for square pixels: resample first.")
    for name, value, most in (
        ("electronic noise", settings.electronic or 0.0, 1000.0),
        ("bow-tie", settings.bow_tie or 0.0, 1.0),
        ("modulation", settings.modulation or 0.0, 1.0),
    ):
        if not 0 <= value <= most:
            raise InputError(f"The {name} is {value:g}; it has to lie between 0 and {most:g}.")
    check_projector(settings.projector)


def _facts(acquisition: Acquisition) -> Mapping[str, Any]:
    """Each value of the acquisition with its origin; the current as its range."""
    facts: dict[str, Any] = {}
    for name, origin in acquisition.origin.items():
        value = getattr(acquisition, name)
        if name == "tube_current" and value is not None:
            value = [min(value), max(value)]
        facts[name] = {"value": value, "from": origin if value not in (None, "") else "unknown"}
    return facts
