"""What an observer has to see: task functions W, the Fourier transforms of small objects of known size and contrast.

Detection: the object against nothing. Discrimination: `Difference` of two objects, e.g. a disc and a square of one energy.
W(u, v) = integral of w(x, y) exp(-2 pi i (u x + v y)) dx dy, in HU mm2 for w in HU; all objects are centered and symmetric,
so W is real. Frequencies u (columns) and v (rows) are in 1/mm.
"""

from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma, jv

from demottle.errors import InputError

Array = NDArray[np.float64]


class Task(Protocol):
    """Anything an observer can look for."""

    def transform(self, u: Array, v: Array) -> Array:
        """Fourier transform in HU mm2 at frequencies in 1/mm (arrays that broadcast)."""
        ...


@dataclass(frozen=True)
class Disc:
    """A disc of `diameter` mm and `contrast` HU; with `exponent` n > 0 the designer nodule C (1 - (r/R)^2)^n (Burgess 1997).

    W(f) = 2 pi R^2 C 2^n gamma(n+1) J_{n+1}(a) / a^{n+1}, a = 2 pi R f; n = 0 gives C R J1(2 pi R f) / f.
    """

    diameter: float
    contrast: float
    exponent: float = 0.0

    def __post_init__(self) -> None:
        """Check size and contrast."""
        _checked(self, self.diameter, self.contrast)
        if not 0 <= self.exponent <= 20:
            raise InputError(f"The exponent of a designer nodule is {self.exponent}; it must lie between 0 and 20.")

    def transform(self, u: Array, v: Array) -> Array:
        """See `Task`."""
        n, radius = self.exponent, self.diameter / 2
        a = 2 * np.pi * radius * np.hypot(u, v)
        safe = np.maximum(a, 1e-3)
        shape = np.where(a < 1e-3, 1 / (2 * (n + 1)), 2**n * gamma(n + 1) * jv(n + 1, safe) / safe ** (n + 1))
        result: Array = 2 * np.pi * radius**2 * self.contrast * shape
        return result

    @property
    def energy(self) -> float:
        """Integral of the squared profile, HU2 mm2: C^2 pi R^2 / (2n + 1)."""
        return float(self.contrast**2 * np.pi * (self.diameter / 2) ** 2 / (2 * self.exponent + 1))


@dataclass(frozen=True)
class Gaussian:
    """C exp(-4 ln2 r^2 / F^2): full width F at half maximum in mm (`diameter`) and peak `contrast` in HU."""

    diameter: float
    contrast: float

    def __post_init__(self) -> None:
        """Check size and contrast."""
        _checked(self, self.diameter, self.contrast)

    @property
    def sigma(self) -> float:
        """Standard deviation in mm: F / (2 sqrt(2 ln2))."""
        return float(self.diameter / np.sqrt(8 * np.log(2)))

    def transform(self, u: Array, v: Array) -> Array:
        """See `Task`: C 2 pi s^2 exp(-2 pi^2 s^2 f^2)."""
        s2 = self.sigma**2
        result: Array = self.contrast * 2 * np.pi * s2 * np.exp(-2 * np.pi**2 * s2 * (u**2 + v**2))
        return result

    @property
    def energy(self) -> float:
        """Integral of the squared profile, HU2 mm2: C^2 pi s^2."""
        return float(self.contrast**2 * np.pi * self.sigma**2)


@dataclass(frozen=True)
class Square:
    """A square of `side` mm, parallel to rows and columns, and `contrast` HU: W = C a^2 sinc(a u) sinc(a v)."""

    side: float
    contrast: float

    def __post_init__(self) -> None:
        """Check size and contrast."""
        _checked(self, self.side, self.contrast)

    def transform(self, u: Array, v: Array) -> Array:
        """See `Task`."""
        result: Array = self.contrast * self.side**2 * np.sinc(self.side * u) * np.sinc(self.side * v)
        return result

    @property
    def energy(self) -> float:
        """Integral of the squared profile, HU2 mm2: C^2 a^2."""
        return float(self.contrast**2 * self.side**2)


@dataclass(frozen=True)
class Ring:
    """A flat ring between `inner` and `outer` diameter in mm, of `contrast` HU."""

    inner: float
    outer: float
    contrast: float

    def __post_init__(self) -> None:
        """Check sizes and contrast."""
        _checked(self, self.outer - self.inner, self.contrast)
        _checked(self, self.inner, self.contrast)

    def transform(self, u: Array, v: Array) -> Array:
        """See `Task`: the outer disc less the inner one."""
        return Disc(self.outer, self.contrast).transform(u, v) - Disc(self.inner, self.contrast).transform(u, v)

    @property
    def energy(self) -> float:
        """Integral of the squared profile, HU2 mm2."""
        return float(self.contrast**2 * np.pi * (self.outer**2 - self.inner**2) / 4)


@dataclass(frozen=True)
class Blurred:
    """Another object blurred by a Gaussian of standard deviation `sigma` mm: the other half of a sharpness task."""

    task: Task
    sigma: float

    def __post_init__(self) -> None:
        """Check the width."""
        if not (np.isfinite(self.sigma) and self.sigma > 0):
            raise InputError(f"The blur of a task is {self.sigma} mm; it must be positive.")

    def transform(self, u: Array, v: Array) -> Array:
        """See `Task`."""
        result: Array = self.task.transform(u, v) * np.exp(-2 * (np.pi * self.sigma) ** 2 * (u**2 + v**2))
        return result


@dataclass(frozen=True)
class Difference:
    """A discrimination task: is it `first` or `second`? W = W_first - W_second."""

    first: Task
    second: Task

    def transform(self, u: Array, v: Array) -> Array:
        """See `Task`."""
        return self.first.transform(u, v) - self.second.transform(u, v)


Shape = TypeVar("Shape", Disc, Gaussian, Square, Ring)


def with_energy_of(shape: Shape, reference: Disc | Gaussian | Square | Ring) -> Shape:
    """Return `shape` with its contrast scaled (sign kept) so that its energy is that of `reference`.

    Two shapes of one energy are equally visible in white noise, so an observer that tells them apart uses their shape.
    """
    return replace(shape, contrast=shape.contrast * float(np.sqrt(reference.energy / shape.energy)))


def _checked(task: object, size: float, contrast: float) -> None:
    if not (np.isfinite(size) and size > 0 and np.isfinite(contrast) and contrast != 0):
        raise InputError(f"The task {task} needs a positive size in mm and a contrast in HU that is not zero.")
