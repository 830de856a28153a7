"""Slices of MR whose rescale is for the screen only: put on the scanner's own scale, so that they can be compared."""

from collections.abc import Sequence
from dataclasses import replace

from demottle.io.dicom.slice_header import SliceHeader

_SAME = 1e-3
REMARK = (
    "RescaleSlope of this Philips scan brings its slices to different scales, for display: they are taken in the scanner's own "
    "scale (2005,100E), in which they can be compared."
)


def on_one_scale(slices: Sequence[SliceHeader]) -> tuple[tuple[SliceHeader, ...], tuple[str, ...]]:
    """Return slices with the scale in which one signal is one number, and a remark where that is not their rescale.

    A rescale that differs from the scanner's scale by one factor in all slices is as good, and stays.
    """
    factors = [_factor(header) for header in slices]
    known = [factor for factor in factors if factor is not None]
    if len(known) < len(factors) or max(known) - min(known) <= _SAME * max(known):
        return tuple(slices), ()
    scales = [header.signal_scale or (1.0, 0.0) for header in slices]
    changed = (replace(header, slope=line[0], intercept=line[1]) for header, line in zip(slices, scales, strict=True))
    return tuple(changed), (REMARK,)


def _factor(header: SliceHeader) -> float | None:
    """What one signal is multiplied with by the rescale; None where the scanner's scale is not known."""
    if header.signal_scale is None or not header.slope:
        return None
    factor = header.slope / header.signal_scale[0]
    return factor if factor > 0 else None
