"""Two one-sided tests (TOST): has a mean been shown to have moved by less than a margin?

"No significant difference" proves nothing: few voxels never show one. An equivalence test turns the burden of proof around:
the null hypothesis is a shift of the margin or more, and is refused only where the data show otherwise (Schuirmann,
J Pharmacokinet Biopharm 15, 1987).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from demottle.errors import InputError, only

LEVEL = 0.05
"""Level of each of the two tests; the two-sided interval that belongs to it has a confidence of 1 - 2 LEVEL = 90 %."""
FEWEST_BLOCKS = 8


@dataclass(frozen=True)
class Equivalence:
    """A mean shift and whether it is shown to be small.

    Attributes:
        shift: the estimate, in the unit of the sums.
        ci_low, ci_high: its 90 % interval.
        p_value: the larger of the two one-sided p-values: of data like these if the true shift were the margin.
        equivalent: p_value <= 0.05, which is the same as the interval lying within -margin to margin.
        margin: the shift that would matter.
        blocks: how many independent blocks this rests on.
    """

    shift: float
    ci_low: float
    ci_high: float
    p_value: float
    equivalent: bool
    margin: float
    blocks: int


def equivalence(counts: NDArray[np.float64], sums: NDArray[np.float64], margin: float) -> Equivalence:
    """Test a mean for equivalence with zero, from blocks that are independent of each other.

    shift = sum(S_b) / sum(N_b), with variance B / (B - 1) sum((S_b - shift N_b)^2) / (sum N_b)^2 (ratio estimator; Cochran,
    Sampling Techniques, chapter 6), Student's t with B - 1 degrees of freedom. B = (sum N_b)^2 / sum(N_b^2), the number of
    equal blocks that say as much: tissue fills some blocks wholly and cuts the corner of others, and counting those in full
    would make intervals too narrow.

    Args:
        counts: voxels in each block; blocks without any are left out.
        sums: sum of the differences in each block.
        margin: the smallest shift that matters, in the unit of the differences.

    Raises:
        InputError: for a margin that is not positive, or fewer than 8 blocks.
    """
    if not margin > 0:
        raise InputError(f"The margin of equivalence is {margin}; it has to be positive.")
    held = counts > 0
    count, total = counts[held].astype(np.float64), sums[held].astype(np.float64)
    blocks = len(count)
    if blocks < FEWEST_BLOCKS:
        raise InputError(
            f"{only(blocks, 'separate block')} of this tissue {'was' if blocks == 1 else 'were'} found; an interval for its mean "
            f"needs at least {FEWEST_BLOCKS}."
        )
    shift = float(total.sum() / count.sum())
    effective = float(count.sum()) ** 2 / float((count**2).sum())
    degrees = max(effective - 1, 1e-3)
    variance = effective / degrees * float(((total - shift * count) ** 2).sum()) / float(count.sum()) ** 2
    error = float(np.sqrt(variance))
    half = float(special.stdtrit(degrees, 1 - LEVEL)) * error
    p_value = (
        float(abs(shift) >= margin) if error == 0 else float(special.stdtr(degrees, (abs(shift) - margin) / error))
    )
    low, high = shift - half, shift + half
    return Equivalence(shift, low, high, p_value, -margin < low and high < margin, margin, blocks)
