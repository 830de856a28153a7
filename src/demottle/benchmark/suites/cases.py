"""A case: a noisy image and the truth behind it, made again from a few plain values by whoever needs it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from demottle.benchmark.suites.discs import Placed
from demottle.image import Image, Mask


@dataclass(frozen=True)
class CaseSpec:
    """What a case follows from.

    Attributes:
        suite: the suite's name.
        group: cases that tables put together, such as "rho 0.12".
        seed: seed of patient, noise and learning; no two cases of a suite share one.
        recipe: the suite's own plain values.
        shown: whether results are kept as pictures.
    """

    suite: str
    group: str
    seed: int
    recipe: Mapping[str, Any] = field(default_factory=dict)
    shown: bool = False

    @property
    def name(self) -> str:
        """What tables and messages call it."""
        return f"{self.group}, seed {self.seed}"

    @property
    def told(self) -> dict[str, Any]:
        """The recipe, without where files lie."""
        return {name: value for name, value in self.recipe.items() if name != "path"}

    @property
    def key(self) -> str:
        """Names its files; equal for what gives the same case."""
        plain = {name: value for name, value in asdict(self).items() if name != "shown"}
        plain["recipe"] = self.told
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Case:
    """A noisy image with its truth.

    Attributes:
        spec: what it follows from.
        noisy: the scan that is denoised.
        truth: the same without noise.
        plain: the truth without what was put in.
        body: where errors are measured, the shape of the image.
        placed: discs that were put in.
        sets: makes the sets of scans that trained methods learn from (True: in pairs); None where there are none.
    """

    spec: CaseSpec
    noisy: Image
    truth: Image
    plain: Image
    body: Mask
    placed: Placed
    sets: Callable[[bool], Any] | None = None


@dataclass(frozen=True)
class Finding:
    """What a suite that measures for itself found in one case.

    Attributes:
        quality: figures by their key; None where one could not be measured.
        said: the rest that is worth keeping, plain values; "missed" tells in a sentence what did not reach its aim.
        cost: figures that take the place of those of the process, for what runs in a process of its own.
    """

    quality: Mapping[str, float | None]
    said: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Choices:
    """What a user chooses of a suite.

    Attributes:
        quick: smaller images and one seed.
        seeds: how many of each group; None: the suite's own number.
        real: a folder with real scans: any of little noise for ct-volume, the public ones for the others; None: simulated
            patients only.
        cohort: the larger cohort of ct-unpaired in the place of the small one.
        data: folder with pairs of scans, for ldct.
        split: file that says who of them is learned from and who is judged; None: everybody is judged.
    """

    quick: bool = False
    seeds: int | None = None
    real: Path | None = None
    cohort: bool = False
    data: Path | None = None
    split: Path | None = None


def numbered(
    suite: str,
    groups: Mapping[str, Mapping[str, Any]],
    recipe: Mapping[str, Any],
    count: int,
    first: int,
    apart: int = 1,
) -> tuple[CaseSpec, ...]:
    """Return `count` cases of each group, the first of every group first, no two with one seed.

    Args:
        suite: the suite's name.
        groups: what is special about each.
        recipe: what all have in common.
        count: cases of each group.
        first: the lowest seed.
        apart: between two seeds.
    """
    return tuple(
        CaseSpec(suite, group, first + apart * (number * len(groups) + place), {**recipe, **special}, number == 0)
        for number in range(count)
        for place, (group, special) in enumerate(groups.items())
    )
