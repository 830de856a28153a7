"""The card of a method: all that is known of it before its module is imported. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Literal

LearnsFrom = Literal["nothing", "the image itself", "unpaired sets", "pairs", "full-dose scans"]

OF_LEARNING = ("less noise", "nearer to the truth")
"""What is asked of methods that are trained beforehand after a training that can teach something."""
CLAUSES: Mapping[str, str] = {
    "less noise": "the error in tissue, edges aside, falls by at least 5 %",
    "nearer to the truth": "the error in tissue, edges included, falls by at least 35 %",
    "means inside tissues": "mean CT numbers of fat and of muscle, 4 pixels and more from their edges, move by less than 1 HU",
    "means beside edges": "the same from 2 pixels on",
    "means of whole tissues": "the same with their edges, less than 4 HU",
    "mean of soft tissue": "the mean CT number of all soft tissue moves by less than 1 HU",
    "order of slices": "slices in reverse order give the same slices in reverse order",
    "any batch size": "how many slices or places are computed at a time makes no difference",
}
"""What every method for volumes promises and some cannot keep, by name. What nobody may break is in tests/methods alone."""


@dataclass(frozen=True)
class Contract:
    """How a method is held to what every method promises (tests/methods/test_contract.py).

    Attributes:
        quick: settings with which a slow method shows it in less time.
        wrong: settings that have to be refused; the refusal names the first.
        steps: of learning.
        trained_steps: of learning, of a method that is trained beforehand.
        slow: True where it takes more than some seconds all the same.
        at_once: whole numbers of a module that say how much is computed at a time ("module.NAME"), and smaller ones for them.
        excused: of rivals, by clause (`CLAUSES`), why the method does not keep it; docs/methods/index.md shows it. An excuse that
            is not needed is an error.
    """

    quick: Mapping[str, Any] = field(default_factory=dict)
    wrong: Mapping[str, Any] = field(default_factory=lambda: {"patch": 17})
    steps: int = 12
    trained_steps: int = 2
    slow: bool = False
    at_once: Mapping[str, int] = field(default_factory=dict)
    excused: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse excuses of what is not promised."""
        unknown = set(self.excused) - set(CLAUSES)
        if unknown or not all(self.excused.values()):
            raise ValueError(f"an excuse needs a clause and a reason: {', '.join(sorted(unknown or self.excused))}")


@dataclass(frozen=True)
class MethodInfo:
    """One method.

    Attributes:
        name: what a user types.
        title: one line.
        learns_from: what `fit` needs beside settings: nothing (a filter), the image itself, unpaired sets, pairs, or
            full-dose scans alone.
        summary: what it does and when to use it, in a few sentences.
        paper: where it comes from.
        module: where it lives; has `Settings` (another name of its class of settings, such as `NlBayesSettings`),
            `fit(image, settings, ...)` and `restore(settings, fitted, tensors)`. What is trained on sets of scans has
            `train(sets, settings, ...)` and `PRESETS` in place of `fit`.
        images: "volumes" of slices (fitted with a `Fingerprint`), "sequences" of frames (with a `SequenceFingerprint`), "both".
        needs: package that it is a wrapper of and that demottle does not bring, as pip and Python call it; None: nothing.
        live: False where a method for sequences needs the whole series before its first frame.
        rival: True for what others do, here to be compared with, as its paper or package has it.
        when_applied: settings that may be given with a model, because they say how it is applied and not what it has learned.
        contract: how it is held to what every method promises.
        origin: the file or package that a method of others comes from; empty for those of demottle. Set on being found.
    """

    name: str
    title: str
    learns_from: LearnsFrom
    summary: str
    paper: str
    module: str
    images: Literal["volumes", "sequences", "both"] = "volumes"
    needs: str | None = None
    rival: bool = False
    live: bool = True
    when_applied: tuple[str, ...] = ()
    contract: Contract = field(default_factory=Contract)
    origin: str = ""

    def __post_init__(self) -> None:
        """Refuse excuses for what is not there to be compared with: such a method is mended."""
        if self.contract.excused and not self.rival:
            raise ValueError(
                f'"{self.name}" is excused from {", ".join(self.contract.excused)}; only rivals may be, others are to keep it.'
            )

    def takes(self, sequence: bool) -> bool:
        """True where the method takes sequences, or volumes."""
        return self.images in ("both", "sequences" if sequence else "volumes")

    @property
    def is_trained(self) -> bool:
        """True where it learns from sets of scans beforehand, with `demottle train`."""
        return self.learns_from in ("unpaired sets", "pairs", "full-dose scans")

    def needs_pairs(self, settings: object) -> bool:
        """True where it learns from pairs: always, or with these settings (`pairs`)."""
        return self.learns_from == "pairs" or bool(getattr(settings, "pairs", False))

    @property
    def is_installed(self) -> bool:
        """True where everything it needs is there; imports nothing."""
        return self.needs is None or find_spec(self.needs) is not None

    def load(self) -> ModuleType:
        """Import the method's module (this may import torch)."""
        return import_module(self.module)
