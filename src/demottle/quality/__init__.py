"""Is the result right? Measures of image quality: against a truth, and without one."""

from demottle.quality.check.whole import Check, check
from demottle.quality.truth.whole import Comparison, against_truth

__all__ = ["Check", "Comparison", "against_truth", "check"]
