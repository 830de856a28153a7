"""A CT scanner from the tube to the image, for noise that is to be like a real one's: it shares no assumption with `low_dose`.

Rays form a fan with bins of their own width. Photons of all energies pass a bow-tie of aluminum and the patient; the tube's
current follows the patient, a little late. What the detector counts is drawn as it is, with electronic noise, and only then
logarithmised and corrected for beam hardening in water. The kernel is any `Response`. Noise alone is reconstructed: the image
without it is known.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from demottle.image import Voxels
from demottle.physics.ct.ct_noise import resample_bins
from demottle.physics.ct.fan import fan_backproject, fan_project, full_turn
from demottle.physics.ct.polychromatic import REFERENCE_KEV, Transmission, attenuation, transmitted
from demottle.physics.ct.projection import (
    OVERSAMPLING,
    FloatArray,
    KernelLike,
    Response,
    apodisation,
    filter_projections,
    noise_gain,
)

_FIELD_MM = 250.0  # radius that the bow-tie's thickness is told for
_ACROSS = 210  # pixels of the coarse copy that rays pass through
_BONE_HU = 150.0  # denser than that is bone in part
_LATE, _SMOOTH = 20.0, 12.0  # degrees: how the tube's current lags behind the patient
_LEAST_CURRENT, _MOST_CURRENT = 0.25, 3.0
_FLOOR = 2.0  # photons: what is counted below it counts as this
# Places and weights of the Gauss-Hermite rule for the standard normal law
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


@dataclass(frozen=True)
class Machine:
    """A scanner and how it is set.

    Attributes:
        response: reconstruction kernel.
        electronic: noise of the detector in photons rms, per ray.
        bow_tie: mm of aluminum 250 mm from the axis, and the power of the distance with which it rises to that.
        modulation: current ~ exp(modulation * largest line integral of a view); 0 for a constant current.
        kvp: tube voltage, 70 to 140.
        pitch: width of a ray on the axis, mm.
        views: in a full turn.
        source_to_axis: mm.
    """

    response: KernelLike
    electronic: float = 8.0
    bow_tie: tuple[float, float] = (40.0, 2.4)
    modulation: float = 0.5
    kvp: float = 120.0
    pitch: float = 0.6
    views: int = 540
    source_to_axis: float = 595.0


class Exposure:
    """One slice of a patient in a machine, ready to be measured at any dose."""

    def __init__(self, plane: Voxels, pixel: float, machine: Machine) -> None:
        """Send rays through a noise-free slice in HU with square pixels of `pixel` mm."""
        self._shape, self._pixel, self._machine = plane.shape, pixel, machine
        far, pitch = machine.source_to_axis, machine.pitch
        radius = max(plane.shape) / 2 * pixel
        self._bins = 2 * int(np.ceil(radius * far / np.sqrt(far**2 - radius**2) / pitch)) + 1
        s = (np.arange(self._bins) - (self._bins - 1) / 2) * pitch
        self._cosine = (far / np.hypot(far, s)).astype(np.float32)
        water, bone = (self._paths(part) for part in _materials(plane))
        most, power = machine.bow_tie
        aluminum = (most * (np.abs(s) * self._cosine / _FIELD_MM) ** power).astype(np.float32)
        self.transmission: Transmission = transmitted(water, bone, aluminum, machine.kvp)
        self.current = _current(water * np.float32(attenuation("water", REFERENCE_KEV)), machine.modulation)

    def variance(self, photons: float) -> FloatArray:
        """Variance (views, bins) of the corrected line integrals at `photons` per ray where nothing is in the way."""
        mean, deviation = self._counted(photons)
        total, square = np.zeros_like(mean), np.zeros_like(mean)
        for node, weight in zip(_NODES, _WEIGHTS / _WEIGHTS.sum(), strict=True):
            value = _logarithm(mean, deviation * np.float32(node))
            total += np.float32(weight) * value
            square += np.float32(weight) * value**2
        return np.asarray((square - total**2) / self.transmission.slope**2)

    def variance_map(self, photons: float, step: int) -> FloatArray:
        """Variance of the noise in HU^2 on every `step`-th row and column."""
        shape = (-(-self._shape[0] // step), -(-self._shape[1] // step))
        weighted = self.variance(photons) * self._cosine**2
        centre = (self._bins - 1) / 2 * self._machine.pitch / self._pixel
        per_pixel = self._pixel / self._machine.pitch
        far = self._machine.source_to_axis
        total = fan_backproject(weighted, shape, self._pixel, far, per_pixel, centre, power=4, pixel_step=step)
        gain = noise_gain(self._bins, self._machine.pitch, self._machine.response) * _interpolated(self._machine)
        return np.asarray(total * np.float32(gain * (self._to_hu * np.pi / self._machine.views) ** 2))

    def noise(self, photons: float, random: np.random.Generator) -> FloatArray:
        """Draw a scan and return its noise in HU, shape of the slice."""
        mean, deviation = self._counted(photons)
        drawn = _logarithm(mean, deviation * random.standard_normal(mean.shape, dtype=np.float32))
        drawn /= self.transmission.slope
        machine = self._machine
        fine = filter_projections(drawn * self._cosine, machine.pitch, machine.response)
        per_pixel = OVERSAMPLING * self._pixel / machine.pitch
        centre = (self._bins - 1) / 2 * machine.pitch / self._pixel
        total = fan_backproject(fine, self._shape, self._pixel, machine.source_to_axis, per_pixel, centre)
        return np.asarray(total * np.float32(self._to_hu * np.pi / machine.views))

    def _counted(self, photons: float) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of what the detector tells, in photons of mean energy."""
        emitted = self.current[:, None] * np.float32(photons)
        deviation = np.sqrt(emitted * self.transmission.square + np.float32(self._machine.electronic**2))
        return np.asarray(emitted * self.transmission.signal), np.asarray(deviation)

    def _paths(self, part: Voxels) -> FloatArray:
        """Paths in mm through a material of which `part` says how much there is, shape (views, bins)."""
        factor = max(1, round(max(part.shape) / _ACROSS))
        padded = np.pad(part, [(0, -size % factor) for size in part.shape])
        coarse = cv2.resize(padded, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        width, machine = self._pixel * factor, self._machine
        bins = 2 * int(np.ceil((self._bins / 2 * machine.pitch) / width)) + 1
        far = machine.source_to_axis
        sinogram = fan_project(np.asarray(coarse, np.float32), width, full_turn(machine.views), far, bins)
        return resample_bins(sinogram, width / machine.pitch, self._bins)

    @property
    def _to_hu(self) -> float:
        return 1000 / float(attenuation("water", REFERENCE_KEV))


def seen_through(plane: Voxels, pixel: float, response: Response) -> Voxels:
    """Return a sharp noise-free slice as a kernel shows it: blurred, with overshoots at edges where the kernel boosts them."""
    rows, columns = plane.shape
    frequency = np.hypot(np.fft.fftfreq(rows, pixel)[:, None], np.fft.rfftfreq(columns, pixel)[None])
    return np.asarray(np.fft.irfft2(np.fft.rfft2(plane) * apodisation(response, frequency), plane.shape), np.float32)


def _materials(plane: Voxels) -> tuple[Voxels, Voxels]:
    """Shares of water and bone in every pixel, which attenuate together as the CT number says."""
    whole = np.maximum(plane / 1000 + 1, 0).astype(np.float32)
    water = np.minimum(whole, np.float32(1 + _BONE_HU / 1000))
    ratio = np.float32(attenuation("bone", REFERENCE_KEV) / attenuation("water", REFERENCE_KEV))
    return water, (whole - water) / ratio


def _current(integrals: FloatArray, modulation: float) -> NDArray[np.float32]:
    """Tube current of every view, mean 1."""
    views = len(integrals)
    if modulation == 0:
        return np.ones(views, np.float32)
    highest = np.roll(integrals.max(axis=1), round(_LATE / 360 * views)).astype(np.float64)
    highest = gaussian_filter1d(highest, _SMOOTH / 360 * views, mode="wrap")
    relative = np.exp(modulation * (highest - highest.mean()))
    relative = np.clip(relative / relative.mean(), _LEAST_CURRENT, _MOST_CURRENT)
    return np.asarray(relative / relative.mean(), np.float32)


def _logarithm(mean: FloatArray, apart: FloatArray) -> FloatArray:
    """Error of the line integral where `mean + apart` was counted instead of `mean`."""
    return np.asarray(-np.log(np.maximum(mean + apart, np.float32(_FLOOR)) / np.maximum(mean, np.float32(_FLOOR))))


def _interpolated(machine: Machine) -> float:
    """Share of the variance left by linear interpolation between the finely sampled filtered projections."""
    frequency = np.linspace(0, 0.5 / machine.pitch, 2001)
    power = (frequency * apodisation(machine.response, frequency)) ** 2
    left = (2 + np.cos(2 * np.pi * frequency * machine.pitch / OVERSAMPLING)) / 3
    return float((power * left).sum() / power.sum())
