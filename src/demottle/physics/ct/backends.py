"""Who integrates along the rays: demottle's own projector, or astra-toolbox where it is installed.

astra-toolbox is under the GPL, so it is never required and only imported when asked for. Both give the same line integrals
to 0.5 % of the largest one (root mean square), which the tests check. Back-projection is always demottle's own: it reads
filtered projections that are sampled eight times as finely as the bins, without which interpolation would lower the noise.
"""

import importlib
import importlib.util
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.physics.ct.fan import fan_project
from demottle.physics.ct.projection import FloatArray, bins_across, forward_project

Projector = Literal["builtin", "astra"]


def astra_installed() -> bool:
    """Return whether astra-toolbox can be imported, without importing it."""
    return importlib.util.find_spec("astra") is not None


def check_projector(projector: Projector) -> None:
    """Refuse a projector that is not known or not installed.

    Raises:
        InputError: for either.
    """
    if projector not in ("builtin", "astra"):
        raise InputError(f"There is no projector {projector!r}; choose builtin or astra.")
    if projector == "astra" and not astra_installed():
        raise InputError(
            "astra-toolbox is not installed: pip install astra-toolbox, or use the builtin projector, which gives the same."
        )


def parallel_integrals(
    slice_: FloatArray, pixel_mm: float, angles: NDArray[np.float64], projector: Projector = "builtin"
) -> FloatArray:
    """Integrate along parallel rays; arguments and result as `demottle.physics.ct.projection.forward_project`."""
    if projector == "builtin":
        return forward_project(slice_, pixel_mm, angles)
    astra = _astra()
    bins = bins_across((slice_.shape[0], slice_.shape[1]))
    # astra's y axis points up and its bins run along (cos, sin) in that frame: a picture whose rows run down is turned by
    # the opposite angle.
    geometry = astra.create_proj_geom("parallel", 1.0, bins, -angles)
    return _project(astra, slice_, geometry, "linear") * np.float32(pixel_mm)


def fan_integrals(
    slice_: FloatArray,
    pixel_mm: float,
    angles: NDArray[np.float64],
    distance: float,
    bins: int,
    projector: Projector = "builtin",
) -> FloatArray:
    """Integrate along the rays of a fan; arguments and result as `demottle.physics.ct.fan.fan_project`."""
    if projector == "builtin":
        return fan_project(slice_, pixel_mm, angles, distance, bins)
    astra = _astra()
    geometry = astra.create_proj_geom("fanflat_vec", bins, _fan_vectors(angles, distance / pixel_mm))
    return _project(astra, slice_, geometry, "line_fanflat") * np.float32(pixel_mm)


def _fan_vectors(angles: NDArray[np.float64], far: float) -> NDArray[np.float64]:
    """Source, middle of the detector and step from bin to bin of each view, in astra's axes (y up)."""
    c, s = np.cos(angles), np.sin(angles)
    zero = np.zeros_like(c)
    return np.stack([far * s, far * c, zero, zero, c, -s], axis=1)


def _project(astra: ModuleType, slice_: FloatArray, geometry: object, kind: str) -> FloatArray:
    volume = astra.create_vol_geom(*slice_.shape)
    projector = astra.create_projector(kind, geometry, volume)
    try:
        handle, sinogram = astra.create_sino(np.ascontiguousarray(slice_, np.float32), projector)
        astra.data2d.delete(handle)
    finally:
        astra.projector.delete(projector)
    return np.asarray(sinogram, np.float32)


def _astra() -> ModuleType:
    check_projector("astra")
    try:
        return importlib.import_module("astra")
    except ImportError as error:  # its wheel needs the CUDA runtime, also without a graphics card
        raise InputError(
            f"astra-toolbox is installed, but cannot be loaded ({error}); use the builtin projector, which gives the same."
        ) from error
