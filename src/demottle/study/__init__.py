"""The blinded reader study: images of several arms are shown without saying which is which, and what readers say is tested."""

from demottle.study.analysis import Analysis, analyse
from demottle.study.create import Plan, create
from demottle.study.design import PAIRS, SINGLE, Key, Study

__all__ = ["PAIRS", "SINGLE", "Analysis", "Key", "Plan", "Study", "analyse", "create"]
