"""MEASURES: one row for each thing that is told of a result; what CSV, terminal, page, gate, cohort and benchmark read.

A measure against a truth is its function, its row here and its page in `docs/metrics`: `score` makes it, and every place that
tells of errors against a truth goes through the rows. What is measured on structures, tissues or without a truth is made by
`evaluate`, and its row says where it stands there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Literal

from demottle.quality.truth.errors import bias, psnr, rmse, ssim
from demottle.quality.truth.pair import Score, in_mask, in_whole_slices, in_window, ring
from demottle.quality.truth.similarity import gmsd, vif

Better = Literal["up", "down", "zero", "one", "none"]
Source = Literal[
    "check", "spectra", "leak", "edges", "untouched", "spots", "consistency", "tissues", "truth", "truth tissues", "repeat",
    "contrast", "sharpness", "detected", "observed", "noise only", "discs", "errors", "run", "run edges", "shifts",
]  # fmt: skip
"""Where in an evaluation a measure stands; `demottle.quality.figures` goes there."""
IMAGE_UNIT = "image"
"""The unit of a measure that is in the unit of the image's values: HU, or none."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One measure.

    Attributes:
        key: its name in JSON and for programs; one row has it.
        title: what it is called where a heading says of what it is.
        unit: after the value; `IMAGE_UNIT` for the unit of the image's values, empty for a pure number.
        digits: after the point.
        better: which way is better: "up", "down", nearer to "zero" or to "one"; "none" where neither is.
        source: where in an evaluation it stands.
        of: value before (of the input) and after (of the output) from what stands there, NaN where there is none; None for a
            measure with a `score`.
        score: makes it from an image and its truth.
        limit: the name of the gate's limit for it; None where there is none. With a `score` the gate holds after over before
            against it.
        listed: its name in lists without headings (CSV, cohort): {name} stands for the tissue or structure, {window} for the
            range. Empty: the title.
        note: how it differs from the rows around it, said behind the title.
        windowed: refers to the range of the comparison.
        infinite: what is shown for an infinite value.
        tested: False where another row says the same of differences between methods.
        cameras_only: of runs: means nothing for series of volumes.
    """

    key: str
    title: str
    unit: str
    digits: int
    better: Better
    source: Source
    of: Callable[[Any], tuple[float, float]] | None = None
    score: Score | None = None
    limit: str | None = None
    listed: str = ""
    note: str = ""
    windowed: bool = False
    infinite: str = "∞"
    tested: bool = True
    cameras_only: bool = False

    def values(self, item: Any) -> tuple[float, float]:
        """Return the values before and after, from what stands at the source."""
        return (item.before[self.key], item.after[self.key]) if self.of is None else self.of(item)

    def unit_in(self, unit: str) -> str:
        """Return the unit, for an image of values in `unit`."""
        return unit if self.unit == IMAGE_UNIT else self.unit

    def headed(self, unit: str, name: str = "") -> str:
        """Return the title for a table: note, name of the tissue or structure, and the unit in brackets."""
        told = ", ".join(part for part in (self.title, self.note, name) if part)
        return f"{told} ({self.unit_in(unit)})" if self.unit_in(unit) else told

    def full_name(self, name: str = "", window: str = "") -> str:
        """Return the name for a list without headings; `name`: of the tissue or structure, `window`: the range in words."""
        against = f"{self.title} in {{window}}" if self.windowed else f"{self.title} against the truth"
        template = self.listed or (against if self.score or self.source == "errors" else self.title)
        return template.format(name=name, window=window)

    def gain(self, before: float, after: float) -> float:
        """Return by how much the result is better than the input; below 0: worse. NaN where neither way is better."""
        signs = {"up": after - before, "down": before - after, "zero": abs(before) - abs(after)}
        return (signs | {"one": abs(before - 1) - abs(after - 1)}).get(self.better, nan)


def _after(attribute: str) -> Callable[[Any], tuple[float, float]]:
    """Values of a measure of what changed: there is none before."""
    return lambda item: (nan, getattr(item, attribute))


def _first(values: Sequence[float]) -> float:
    return values[0] if values else nan


def _both(attribute: str) -> Callable[[Any], tuple[float, float]]:
    """Values that stand under one name in `before` and `after`."""
    return lambda item: (getattr(item.before, attribute), getattr(item.after, attribute))


_WITHOUT_TRUTH = (
    Measure("noise", "noise level", IMAGE_UNIT, 1, "down", "check", lambda check: (check.noise.before, check.noise.after),
            limit="noise", listed="noise in flat tissue"),
    Measure("noise_removed", "noise removed", "", 2, "none", "check", lambda check: (nan, check.noise.removed_share),
            tested=False),
    Measure("nps_peak", "noise peak", "1/mm", 2, "none", "spectra", _both("peak"), listed="noise spectrum, peak"),
    Measure("nps_mean", "noise spectrum, mean", "1/mm", 3, "none", "spectra", _both("mean")),
    Measure("nps_peak_shift", "noise spectrum, shift of the peak", "1/mm", 3, "zero", "spectra", _after("shift"),
            limit="noise_peak", tested=False),
    Measure("slice_leak", "noise shared by next slice", "", 2, "zero", "leak",
            lambda leak: (_first(leak.before.rho), _first(leak.after.rho)),
            limit="slice_leak", listed="noise correlation of adjacent slices"),
    Measure("edge_correlation", "correlation with fine structure on edges", "", 3, "zero", "edges", _after("correlation"),
            listed="edges in what was removed, correlation"),
    Measure("edge_loss", "share of fine structure lost", "", 3, "zero", "edges", _after("lost_share"),
            limit="edge_loss", listed="edges in what was removed, share lost"),
    Measure("air", "change in air around the body", IMAGE_UNIT, 1, "zero", "untouched", _after("air"), limit="air"),
    Measure("metal", "change in metal", IMAGE_UNIT, 1, "zero", "untouched", _after("metal"), limit="metal"),
    Measure("spots", "largest spot over what noise leaves", "", 2, "zero", "spots", _after("largest"), limit="spots"),
    Measure("added_grain", "grain that was not in the scan", "", 3, "zero", "consistency", _after("added_grain"),
            limit="added_grain"),
    Measure("blur", "blur of strong edges", "pixels", 2, "zero", "consistency", _after("blur"), limit="blur"),
    Measure("displacement", "largest shift of a slice", "pixels", 3, "zero", "consistency", _after("displacement"),
            limit="displacement"),
    Measure("misplaced_slices", "slices not in their place", "", 0, "zero", "consistency", _after("misplaced_slices"),
            limit="misplaced_slices"),
    Measure("mean", "mean", IMAGE_UNIT, 1, "none", "tissues", lambda one: (one.mean_before, one.mean_after),
            listed="mean of {name}", tested=False),
    Measure("shift", "shift", IMAGE_UNIT, 2, "zero", "tissues", _after("shift"), limit="ct_number_uniform",
            listed="shift of {name}"),
)  # fmt: skip

_AGAINST_TRUTH = (
    Measure("rmse", "RMSE", IMAGE_UNIT, 2, "down", "truth", score=in_mask(rmse), limit="truth_rmse"),
    Measure("bias", "mean error", IMAGE_UNIT, 2, "zero", "truth", score=in_mask(bias)),
    Measure("psnr", "PSNR", "dB", 2, "up", "truth", score=in_window(psnr), windowed=True),
    Measure("ssim", "SSIM", "", 3, "up", "truth", score=in_window(ssim), windowed=True),
    Measure("vif", "VIF", "", 3, "up", "truth", score=in_whole_slices(vif), windowed=True, note="whole slices"),
    Measure("gmsd", "GMSD", "", 3, "down", "truth", score=in_whole_slices(gmsd), windowed=True, note="whole slices"),
    Measure("frc", "true detail up to", "1/mm", 2, "up", "truth", score=ring, infinite="to Nyquist",
            listed="detail that follows the truth, up to (FRC 0.5)"),
    Measure("truth_patch", "largest spot of the errors over what the noise before leaves", "", 2, "down", "truth",
            _after("worst_patch"), limit="truth_patch", listed="largest spot of the errors over what the noise before leaves"),
    Measure("truth_slice", "RMSE of the worst slice, after over before", "", 2, "down", "truth", _after("slice_ratio"),
            limit="truth_slice", listed="RMSE of the worst slice, after over before"),
    Measure("mean_error", "mean error", IMAGE_UNIT, 2, "zero", "truth tissues",
            lambda pair: (nan if pair[0] is None else pair[0].shift, pair[1].shift), limit="truth_uniform",
            listed="mean error of {name}"),
)  # fmt: skip

_SECOND_SCAN = (
    Measure("repeat_noise", "noise", IMAGE_UNIT, 1, "down", "repeat", lambda one: (one.noise_before, one.noise_after),
            listed="noise, from two realizations"),
    Measure("repeat_rmse", "RMSE, truth unknown", IMAGE_UNIT, 1, "down", "repeat",
            lambda one: (one.noise_before, one.error), listed="RMSE, from two realizations"),
    Measure("repeat_changed", "removed from both alike", IMAGE_UNIT, 1, "zero", "repeat", _after("changed"),
            listed="removed from both realizations alike"),
    Measure("repeat_correlation", "correlation of what was removed", "", 3, "zero", "repeat", _after("correlation"),
            listed="correlation of what was removed from both"),
)  # fmt: skip

_STRUCTURES = (
    Measure("contrast", "contrast", IMAGE_UNIT, 1, "none", "contrast", lambda one: (one.before, one.after),
            listed="contrast of {name}", tested=False),
    Measure("contrast_left", "left", "", 2, "one", "contrast", _after("share"), listed="share of contrast left of {name}"),
    Measure("contrast_left_error", "standard error", "", 2, "none", "contrast", _after("share_error"),
            listed="share of contrast left of {name}, standard error", tested=False),
    Measure("f50", "f50", "1/mm", 3, "none", "sharpness", lambda edge: (edge.reference.f50, edge.after.f50),
            limit="sharpness_f50", listed="f50 of {name}"),
    Measure("f10", "f10", "1/mm", 3, "none", "sharpness", lambda edge: (edge.reference.f10, edge.after.f10),
            limit="sharpness_f10", listed="f10 of {name}"),
    Measure("dprime_npw", "NPW", "", 1, "up", "detected", lambda seen: seen.npw, listed="d' NPW of {name}"),
    Measure("dprime_npwe", "NPWE", "", 1, "up", "detected", lambda seen: seen.npwe, listed="d' NPWE of {name}"),
    Measure("dprime_cho", "d'", "", 2, "up", "observed", _both("dprime"), limit="detectability",
            listed="d' CHO of {name}"),
    Measure("dprime_cho_low", "95 % low", "", 2, "none", "observed", _both("dprime_low"),
            listed="d' CHO of {name}, 95 % low", tested=False),
    Measure("dprime_cho_high", "95 % high", "", 2, "none", "observed", _both("dprime_high"),
            listed="d' CHO of {name}, 95 % high", tested=False),
)  # fmt: skip

_NOISE_ONLY = (
    Measure("flat_noise", "noise", IMAGE_UNIT, 1, "down", "noise only", lambda flat: (flat.before, flat.after),
            listed="noise-only: noise", tested=False),
    Measure("flat_shift", "shift of the mean", IMAGE_UNIT, 2, "zero", "noise only", _after("shift"),
            listed="noise-only: shift of the mean"),
    Measure("flat_rise", "largest rise of noise power", "", 2, "down", "noise only", _after("amplification"),
            listed="noise-only: largest rise of noise power"),
    Measure("flat_kurtosis", "excess kurtosis", "", 2, "zero", "noise only", _after("excess"),
            listed="noise-only: excess kurtosis"),
    Measure("false_disc", "strongest false disc", IMAGE_UNIT, 1, "down", "discs", lambda disc: (disc.before, disc.after),
            listed="noise-only: strongest false disc of {name}"),
)  # fmt: skip

MEASURES = (*_WITHOUT_TRUTH, *_AGAINST_TRUTH, *_SECOND_SCAN, *_STRUCTURES, *_NOISE_ONLY)
"""Every measure of a volume, in the order in which it is told."""
SCORES = tuple(row for row in MEASURES if row.score is not None)
"""Those that compare an image with its truth."""
_BY_KEY = {row.key: row for row in MEASURES}


def measure(key: str) -> Measure:
    """Return the row of a key."""
    return _BY_KEY[key]


def rows_of(source: Source) -> tuple[Measure, ...]:
    """Return the rows of what stands at a source, in their order."""
    return tuple(row for row in MEASURES if row.source == source)


def in_words(names: Sequence[str]) -> str:
    """Return names as a phrase: "PSNR, SSIM and VIF"."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
