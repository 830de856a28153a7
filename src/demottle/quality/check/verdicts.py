"""From figures to sentences: what a reader of the denoised images should know. Limits and wording are in one place."""

from collections.abc import Iterator, Sequence
from math import isfinite

from demottle.quality.check.leak import Leak, unseen
from demottle.quality.check.level import Levels
from demottle.quality.check.residual import EdgeTest
from demottle.quality.check.shifts import TissueShift
from demottle.quality.check.spectra import Spectra

UNIFORM = ("fat", "fluid", "soft tissue", "fat at the skin", "fat at bone")  # 1 HU; in small and steep structures 2 HU
UNIFORM_LIMIT_HU = 1.0
SMALL_LIMIT_HU = 2.0
PEAK_LIMIT = 0.02
LEAST_LOST_SHARE = 0.03
EDGE_LIMIT = 0.1
LITTLE = 0.1
NEARLY_ALL = 0.9
SMOOTH_HU = 1.5
"""Noise left in flat tissue below which structure of a few HU goes with it: where a truth is known, results with less than this
kept 0.68 to 0.83 of the contrast of 1 to 5 pixels, those with more 0.95 and above, whatever share of the noise was removed."""


def limit_of(shift: TissueShift, unit: str) -> float:
    """Return the largest shift of a tissue's mean that passes without a warning."""
    if unit != "HU":
        return shift.margin
    return UNIFORM_LIMIT_HU if shift.name in UNIFORM else SMALL_LIMIT_HU


def moved(shift: TissueShift, unit: str) -> bool:
    """True where the shift is beyond its limit and cannot be chance (the interval does not hold 0)."""
    return abs(shift.shift) > limit_of(shift, unit) and not shift.ci_low <= 0 <= shift.ci_high


def too_smooth(noise: Levels, unit: str) -> bool:
    """True where so little noise is left that faint structure will have gone with it."""
    if not noise.removed_share > NEARLY_ALL:
        return False
    return unit != "HU" or noise.after < SMOOTH_HU


def grain_changed(spectra: Spectra, noise: Levels) -> bool:
    """True where what is left of the noise looks coarser or finer; of almost nothing, or of everything, there is none to see."""
    return LITTLE <= noise.removed_share <= NEARLY_ALL and abs(spectra.told_shift[1]) > PEAK_LIMIT


def edges_verdict(edges: EdgeTest) -> str:
    """Return "kept", "softened", "sharpened" or "unknown"."""
    if not isfinite(edges.correlation):
        return "unknown"
    sure = not isfinite(edges.error) or abs(edges.correlation) > 2 * edges.error
    # Below a few per cent of the fine structure nobody will see it, and a warning on every image is read by nobody.
    if sure and edges.correlation > EDGE_LIMIT and not edges.lost_share < LEAST_LOST_SHARE:
        return "softened"
    return "sharpened" if sure and edges.correlation < -EDGE_LIMIT else "kept"


def warnings_of(
    unit: str,
    noise: Levels,
    spectra: Spectra | None,
    tissues: Sequence[TissueShift],
    edges: EdgeTest,
    leak: Leak | None,
) -> tuple[str, ...]:
    """Return the warnings, the gravest first."""
    found = [*_of_tissues(unit, tissues), *edge_warnings(edges), *_of_leak(leak, noise), *_of_noise(noise, unit)]
    return (*found, *_of_spectra(spectra, noise))


def _of_tissues(unit: str, tissues: Sequence[TissueShift]) -> Iterator[str]:
    what = "The CT number" if unit == "HU" else "The mean signal"
    for t in tissues:
        if moved(t, unit):
            yield (
                f"{what} of {t.name} moved by {t.shift:+.1f} {unit} (90 % interval {t.ci_low:+.1f} to {t.ci_high:+.1f}), "
                f"more than {limit_of(t, unit):.3g} {unit}: do not measure it on the denoised images."
            )
    if not tissues:
        yield "No tissue is large and uniform enough to tell whether its mean value moved."


def edge_warnings(edges: EdgeTest) -> Iterator[str]:
    """Yield what a reader should know of edges in what was removed."""
    verdict = edges_verdict(edges)
    if verdict == "softened":
        yield (
            f"What was removed holds edges of {edges.region} (correlation {edges.correlation:.2f}, 0 for pure noise): about "
            f"{100 * edges.lost_share:.0f} % of their fine structure is gone, and small details may be softer."
        )
    if verdict == "sharpened":
        yield (
            f"Edges of {edges.region} were sharpened or left noisy (what was removed correlates with them by "
            f"{edges.correlation:.2f}, 0 for pure noise): their contrast may be exaggerated."
        )
    if verdict == "unknown":
        yield "No edges were found to test, so it is not known whether details were removed."


def _of_leak(leak: Leak | None, noise: Levels) -> Iterator[str]:
    if leak is None:
        return
    ratio = noise.after / noise.before if noise.before > 0 else float("nan")
    if leak.noticeable and not unseen(leak, ratio):
        yield (
            f"Neighboring slices share more noise than before (correlation up by {leak.gain:.2f}): a spot of noise may now "
            "show on several slices and look like a structure."
        )
    if not isfinite(leak.gain):
        yield "Too little flat tissue repeats from slice to slice to tell whether noise leaked between slices."


def _of_noise(noise: Levels, unit: str) -> Iterator[str]:
    share = noise.removed_share
    if not isfinite(share):
        yield "No flat tissue was found, so it is not known how much noise was removed."
    elif share < 0:
        yield f"The noise rose from {noise.before:.1f} to {noise.after:.1f} {unit}: this result is worse than its input."
    elif share < LITTLE:
        yield f"Almost nothing was removed: the noise fell by {100 * share:.0f} % only."
    elif too_smooth(noise, unit):
        yield (
            f"{100 * share:.0f} % of the noise was removed, {noise.after:.2g} {unit} are left: the image may look artificially "
            "smooth, and differences of a few times that may be gone."
        )


def _of_spectra(spectra: Spectra | None, noise: Levels) -> Iterator[str]:
    if spectra is None:
        yield "Too little uniform tissue was found to compare noise spectra."
    elif grain_changed(spectra, noise):
        what, shift = spectra.told_shift
        coarser, moved_by = ("coarser, blotchier", "fell") if shift < 0 else ("finer", "rose")
        yield (
            f"The remaining noise looks {coarser} than the original: the {what} of its spectrum {moved_by} by "
            f"{abs(shift):.3f} per mm (more than {PEAK_LIMIT} is visible)."
        )
