"""The limits of the gate: what they are, what they default to, and how they are read from a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isfinite
from pathlib import Path
from typing import Any

from demottle.errors import InputError, closest


@dataclass(frozen=True)
class Limits:
    """The largest change that passes; None: not looked at. `docs/evaluate.md` says where each default comes from.

    Attributes:
        ct_number_uniform: shift of the mean of fat, fluid and soft tissue, in HU.
        ct_number_other: shift of the mean of lung, enhanced vessel and bone, in HU.
        mean_signal: shift of a tissue's mean where there is no HU, as a share of the range of values.
        air, metal: root mean square change in air around the body and in metal, in HU.
        noise: noise after over noise before: 1 lets nothing pass that is noisier than its input.
        noise_peak: shift of the peak of the noise spectrum, in 1/mm; None: a warning only.
        edge_loss: share of the fine structure on edges that went into the residual.
        spots: largest spot that was removed or added, over the largest that noise leaves anywhere in 19 of 20 scans.
        added_grain: power of grain that was not in the scan, over that of what was removed, at the worst frequency.
        blur: width in pixels of the Gaussian that strong edges went through, or the like of sharpening.
        displacement: shift in pixels of the slice that is worst.
        misplaced_slices: how many slices hold the grain of another slice of the scan.
        slice_leak: rise of the noise correlation of neighboring slices.
        sharpness_f50, sharpness_f10: relative change of f50 and f10 of structures of 20 to 50 HU, where measurable.
        detectability: share of d' lost by a Hotelling observer of known structures, where there are images enough.
        truth_rmse: RMSE against a truth, after over before: 1 lets nothing pass that is farther from the truth than its input.
        truth_patch: largest spot of the errors, over the largest that the noise before makes of any place in 19 of 20 scans.
        truth_slice: RMSE of the slice that is worst, after over before.
        truth_uniform, truth_other: mean error against a truth, of the tissues of `ct_number_uniform` and `ct_number_other`,
            in HU.
    """

    ct_number_uniform: float | None = 1.0
    ct_number_other: float | None = 2.0
    mean_signal: float | None = 0.01
    air: float | None = 1.0
    metal: float | None = 1.0
    noise: float | None = 1.0
    noise_peak: float | None = None
    edge_loss: float | None = 0.25
    spots: float | None = 1.5
    added_grain: float | None = 0.02
    blur: float | None = 0.46
    displacement: float | None = 0.1
    misplaced_slices: float | None = 0.0
    slice_leak: float | None = 0.15
    sharpness_f50: float | None = 0.05
    sharpness_f10: float | None = 0.05
    detectability: float | None = 0.0
    truth_rmse: float | None = 1.0
    truth_patch: float | None = 1.65
    truth_slice: float | None = 1.0
    truth_uniform: float | None = 1.0
    truth_other: float | None = 2.0


def read_limits(path: Path) -> Limits:
    """Read limits from a TOML file of `name = number` lines; `name = false` turns one off, the others keep their default.

    Raises:
        InputError: for a file that cannot be read, an unknown name, or a value that is not a number of 0 or more.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"The limits {path} cannot be read ({error.strerror}); give a TOML file that exists."
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The limits {path} are not valid TOML: {error}.") from error
    table = found.get("limits")  # as `demottle.toml` has them
    return limits_from(table if isinstance(table, dict) else found, str(path))


def limits_from(values: Mapping[str, Any], where: str = "the limits") -> Limits:
    """Make limits of a mapping of names to numbers or False.

    Raises:
        InputError: as `read_limits`.
    """
    known = [field.name for field in fields(Limits)]
    made: dict[str, float | None] = {}
    for name, value in values.items():
        if name not in known:
            near = closest(name, known)
            hint = f"did you mean '{near}'?" if near else f"known are {', '.join(known)}."
            raise InputError(f"'{name}' in {where} is not a limit demottle knows; {hint}")
        made[name] = _value(name, value, where)
    return Limits(**made)


def _value(name: str, value: Any, where: str) -> float | None:
    if value is False:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not isfinite(value) or value < 0:
        raise InputError(
            f"{name} = {value!r} in {where} is not a limit; give a number of 0 or more, or false to turn it off."
        )
    return float(value)
