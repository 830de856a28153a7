"""Put back some of the removed noise, so that what is left has the grain of the scan's own noise.

Denoisers take fine noise away more thoroughly than coarse noise, so the little that they leave is blotchy, which radiologists
call plastic. With x the scan, y the result and H a filter, out = y + H (x - y) has, in uniform tissue, the power

    S_out = (1 - H)^2 S_yy + H^2 S_xx + 2 H (1 - H) S_xy,

and H is solved for S_out = s^2 S_xx at every radial frequency: noise of the scan's own spectrum, s times as strong. Where y alone
has more than that, nothing is taken away (H = 0). Nothing is invented: every voxel moves towards what was measured there, so
detail that went with the noise comes back in the same share, and the local level of the noise is followed by itself.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from demottle.errors import InputError
from demottle.image import Image, Voxels
from demottle.noise.correlation import slice_correlation
from demottle.quality.check.spectra import PairSpectra, chosen_places, compare_spectra, pair_spectra, shift_of

MOST_SHIFT = 0.02
"""Shift of the peak of the noise spectrum in 1/mm that nobody sees; `texture_of` chooses the least share that keeps it."""
_DOUBT = 1.15  # what is left of coarse noise may be more elsewhere in the scan
_STEP = 2  # shares at a time, where the spectrum is not yet where it was foretold to be
_SHARES = np.arange(0.02, 1.001, 0.02)
_MEASURED = 8  # slices
_PAD = 32  # pixels mirrored around a slice, so that its edges do not meet

Array = NDArray[np.float64]


AUTO = "auto"
"""In place of a share: the least that keeps the peak of the noise spectrum where it was."""


@dataclass(frozen=True, eq=False)
class Texture:
    """How much of the removed noise is put back, at which frequency.

    Attributes:
        share: noise left over noise of the scan, s above, 0 to 1.
        frequency: radial frequencies in 1/mm.
        response: H at these frequencies, 0 to 1.
        shift: shift of the peak of the spectrum that is to be expected, in 1/mm; negative: coarser. Of its mean frequency
            where there is no peak.
    """

    share: float
    frequency: Array
    response: Array
    shift: float


@dataclass(frozen=True, eq=False)
class TextureSample:
    """One slice as it was, smooth, and with texture, to be shown side by side.

    Attributes:
        index: number of the slice, from 0.
        before, smooth, textured: (rows, columns), in the image's unit.
        share: share of `Texture`.
        written: True where the result has the texture, False where it is smooth.
    """

    index: int
    before: Voxels
    smooth: Voxels
    textured: Voxels
    share: float
    written: bool


def refuse_unmeasurable(before: Image) -> None:
    """Find out before the work whether texture can be measured.

    Raises:
        InputError: too little uniform tissue.
    """
    chosen_places(before)


def texture_of(before: Image, smooth: Image, share: float | None = None) -> Texture:
    """Work out what to put back.

    Args:
        before: the scan.
        smooth: its denoised result, of the same shape.
        share: noise to be left over the scan's noise, 0 to 1; None: the least at which the peak of the noise spectrum moves by
            no more than `MOST_SHIFT`.

    Raises:
        InputError: a share outside of 0 to 1, or too little uniform tissue to measure the spectra in.
    """
    if share is not None and not 0 <= share <= 1:
        raise InputError(f"The texture is {share}; it has to lie between 0 (smooth) and 1 (all noise).")
    found = pair_spectra(before, smooth, slice_correlation(before))
    if share is not None:
        return _texture(found, share)
    foretold = (abs(_texture(found, float(one), doubt=_DOUBT).shift) <= MOST_SHIFT for one in _SHARES)
    first = next((index for index, keeps in enumerate(foretold) if keeps), len(_SHARES) - 1)
    before, smooth = (_middle(image) for image in (before, smooth))
    for candidate in _SHARES[first::_STEP]:
        texture = _texture(found, float(candidate))
        if abs(_measured_shift(before, with_texture(before, smooth, texture))) <= MOST_SHIFT:
            break
    return texture


def _middle(image: Image) -> Image:
    """Slices enough to measure the spectrum of what is left."""
    begin = max(0, (image.shape[0] - _MEASURED) // 2)
    return image.part(begin, min(image.shape[0], begin + _MEASURED))


def _measured_shift(before: Image, after: Image) -> float:
    """Of the peak, or of the mean frequency where there is no peak, as the check will tell it."""
    return compare_spectra(before, after, slice_correlation(before), slice_correlation(after)).told_shift[1]


def _texture(found: PairSpectra, share: float, doubt: float = 1.0) -> Texture:
    left, common = found.after / found.before, found.cross / found.before
    response = response_for(share, left, common)
    power = found.before * ((1 - response) ** 2 * left + response**2 + 2 * response * (1 - response) * common)
    power = np.where(response > 0, power, doubt * power)
    shift = shift_of(found.frequency, found.before, power)
    return Texture(share, found.frequency, response, shift)


def response_for(share: float, left: Array, common: Array) -> Array:
    """Solve (1 - H)^2 a + H^2 + 2 H (1 - H) c = s^2 for H in 0 to 1.

    Args:
        share: s.
        left: a = S_yy / S_xx.
        common: c = S_xy / S_xx.
    """
    square, linear, constant = left + 1 - 2 * common, common - left, left - share**2
    root = np.sqrt(np.maximum(linear**2 - square * constant, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        solved = np.where(square > 1e-9, (root - linear) / square, -constant / (2 * linear))
    response: Array = np.where(constant >= 0, 0.0, np.clip(np.nan_to_num(solved, nan=share), 0, 1))
    return response


def with_texture(before: Image, smooth: Image, texture: Texture) -> Image:
    """Return `smooth` with its texture; what it left exactly as it was (air, metal, padding) stays so."""
    out = np.empty_like(smooth.voxels)
    for index in range(len(out)):
        out[index] = textured_plane(before.voxels[index], smooth.voxels[index], texture, smooth.spacing[1:])
    return smooth.with_voxels(out)


def named(image: Image, texture: Texture) -> Image:
    """Return the image with its texture noted in the last step of its history."""
    *earlier, last = image.history
    last = replace(last, settings={**last.settings, "texture": round(texture.share, 4)})
    return replace(image, history=(*earlier, last))


def sample_of(before: Image, smooth: Image, texture: Texture, written: bool) -> TextureSample:
    """Return the slice in the middle."""
    index = before.shape[0] // 2
    planes = before.voxels[index], smooth.voxels[index]
    return TextureSample(index, *planes, textured_plane(*planes, texture, before.spacing[1:]), texture.share, written)


def textured_plane(before: Voxels, smooth: Voxels, texture: Texture, spacing: tuple[float, float]) -> Voxels:
    """Return one slice with texture; arguments as of `with_texture`, spacing of rows and columns in mm."""
    removed = np.nan_to_num(before - smooth)
    if not texture.response.any() or not removed.any():
        return smooth
    padded = np.pad(removed, [(min(_PAD, side - 1),) * 2 for side in removed.shape], mode="reflect")
    rows, columns = padded.shape
    radius = np.hypot(np.fft.fftfreq(rows, spacing[0])[:, None], np.fft.rfftfreq(columns, spacing[1]))
    response = np.interp(radius, texture.frequency, texture.response).astype(np.float32)
    back = fft.irfft2(fft.rfft2(padded) * response, s=padded.shape)
    top, left = (min(_PAD, side - 1) for side in removed.shape)
    back = back[top : top + removed.shape[0], left : left + removed.shape[1]]
    result: Voxels = np.where(removed == 0, smooth, smooth + back).astype(np.float32)
    return result
