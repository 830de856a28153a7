"""Whether the numbers of a CT are Hounsfield units: by its header, by what air and tissue show, or by the user's word."""

from collections.abc import Sequence

import numpy as np

from demottle.errors import InputError
from demottle.image import Mask, Voxels
from demottle.io.dicom.slice_header import SliceHeader

_HU = ("HU", "HU_MOD", "HOUNSFIELD", "HOUNSFIELD UNITS")
_OTHER = {
    "OD": "optical density",
    "MGML": "mg/ml",
    "Z_EFF": "effective atomic number",
    "ED": "electron density",
    "EDW": "electron density relative to water",
    "PCT": "percent",
}
"""What RescaleType states when the numbers are something else (PS3.3 C.11.1.1.2); US is "unspecified"."""
_BLOCK = 4  # pixels; the mean of a block has a quarter of the noise
_AIR, _TISSUE = (-1030.0, -950.0), (-150.0, 150.0)  # HU
_LEAST = 0.01  # share of the blocks


def refuse_other_unit(header: SliceHeader) -> None:
    """Refuse a CT whose header states a unit that is not HU.

    Raises:
        InputError: iodine, electron density and the like.
    """
    stated = header.rescale_type.upper()
    if stated in _OTHER:
        raise InputError(
            f"{header.name} is CT in unit {header.rescale_type} ({_OTHER[stated]}), not in Hounsfield units; "
            "choose a series in HU."
        )


def unit_doubt(slices: Sequence[SliceHeader]) -> str:
    """Return what speaks against HU in the headers of a CT, as the first half of a sentence; empty where nothing does."""
    for header in slices:
        stated = {"RescaleSlope": header.slope, "RescaleIntercept": header.intercept}
        if missing := [keyword for keyword, value in stated.items() if value is None]:
            return f"The CT is without {'a valid ' if len(missing) == 1 else ''}{' and '.join(missing)}"
        if header.rescale_type and header.rescale_type.upper() not in _HU:
            return f"The CT's RescaleType is {header.rescale_type}, not HU"
    return ""


def confirm_hounsfield(slices: Sequence[SliceHeader], voxels: Voxels, valid: Mask | None, unit: str | None) -> str:
    """Return a warning where a CT is taken as HU although its header does not say so; empty where it does.

    Args:
        slices: the headers, in any order.
        voxels: what the stored values become by their rescale, shape (slices, rows, columns).
        valid: False where nothing was measured.
        unit: "HU" where the user says so.

    Raises:
        InputError: neither header nor user says HU, and air and tissue do not show it.
    """
    doubt = unit_doubt(slices)
    if not doubt:
        return ""
    if unit == "HU":
        return f"{doubt}; its values are taken as Hounsfield units, as requested."
    if shows_air_and_tissue(voxels, valid):
        return f"{doubt}; air near -1000 and tissue near 0 show that its values are Hounsfield units, and they are taken as such."
    raise InputError(
        f"{slices[0].name}: {doubt[0].lower()}{doubt[1:]}, and its values do not show air near -1000 and tissue near 0, so they "
        "are not known to be CT numbers; choose a series in HU, or say that the unit is HU.",
        remedy="unit",
    )


def hounsfield(slices: Sequence[SliceHeader], voxels: Voxels, valid: Mask | None, unit: str | None) -> tuple[bool, str]:
    """Return whether a CT is in HU, and a warning; cone-beam CT of an angiography system (modality XA) need not be.

    Arguments and errors as in `confirm_hounsfield`.
    """
    try:
        return True, confirm_hounsfield(slices, voxels, valid, unit)
    except InputError:
        if slices[0].modality == "CT":
            raise
    return False, (
        "Nothing says that the values of this cone-beam CT are Hounsfield units, and air and tissue do not show it: they are "
        "taken as numbers without a scale, unless the unit is given."
    )


def shows_air_and_tissue(voxels: Voxels, valid: Mask | None) -> bool:
    """True where a CT shows air near -1000 and soft tissue, fat or water near 0, and next to nothing below air.

    Means of 4 x 4 pixels are looked at: noise is too large in one pixel of a low dose. Air must not be one constant number,
    which is what maps of other quantities are padded with. At least 1 % of the blocks each, at most 1 % below -1100.
    """
    total = air = tissue = below = 0
    values: set[float] = set()
    for index, plane in enumerate(voxels):
        seen = np.ones(plane.shape, np.bool_) if valid is None else valid[index]
        whole = _blocks(seen).all(axis=(1, 3))
        blocks = _blocks(plane).mean(axis=(1, 3), dtype=np.float64)[whole]
        in_air = (blocks >= _AIR[0]) & (blocks <= _AIR[1])
        total += blocks.size
        air += int(in_air.sum())
        tissue += int(((blocks >= _TISSUE[0]) & (blocks <= _TISSUE[1])).sum())
        below += int((blocks < -1100).sum())
        if len(values) < 3:
            values.update(np.unique(blocks[in_air])[:3].tolist())
    return (
        air >= _LEAST * total
        and tissue >= _LEAST * total
        and below <= _LEAST * total
        and len(values) >= 3
        and total > 0
    )


def _blocks(plane: np.ndarray) -> np.ndarray:
    rows, columns = plane.shape[0] // _BLOCK, plane.shape[1] // _BLOCK
    return plane[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
