"""What every measure on plain arrays asks of its input, so that bad input is one sentence and never a number."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError

Planes = NDArray[np.float64]


def planes_of(values: NDArray[Any], what: str) -> Planes:
    """Return an array (rows, columns) or (n, rows, columns) as float64 (n, rows, columns).

    Raises:
        InputError: for another number of dimensions, an empty array, NaN or infinite values; `what` names it.
    """
    array = np.asarray(values, np.float64)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.size == 0:
        raise InputError(
            f"The {what} have shape {np.shape(values)}; give a plane (rows, columns) or a stack of planes that is not empty."
        )
    if not np.isfinite(array).all():
        raise InputError(
            f"The {what} hold {int((~np.isfinite(array)).sum())} values that are NaN or infinite; cut them out."
        )
    return array


def same_shape(what: str, *arrays: NDArray[Any]) -> None:
    """Raise InputError where the arrays differ in shape."""
    if len({a.shape for a in arrays}) > 1:
        raise InputError(f"The {what} must have one shape, but have {', '.join(str(a.shape) for a in arrays)}.")


def spacing_of(spacing: float | tuple[float, float]) -> tuple[float, float]:
    """Return pixel spacing (rows, columns) in mm.

    Raises:
        InputError: where it is missing, not positive or not finite.
    """
    given: Any = spacing
    try:
        row, column = (float(s) for s in ((given, given) if np.ndim(given) == 0 else given))
    except (TypeError, ValueError):
        row = column = float("nan")
    if not (np.isfinite(row) and np.isfinite(column) and row > 0 and column > 0):
        raise InputError(
            f"The pixel spacing is {spacing}; a measure in mm needs one or two positive numbers (rows, columns)."
        )
    return row, column
