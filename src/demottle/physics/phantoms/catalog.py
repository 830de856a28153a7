"""The kinds of phantom volume, what each is for, and which choices it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import ceil

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.physics.phantoms import brain, low_contrast, rods, wire
from demottle.physics.phantoms.brain import brain_phantom, weighting_named
from demottle.physics.phantoms.low_contrast import low_contrast_phantom
from demottle.physics.phantoms.phantom import build_phantom
from demottle.physics.phantoms.qa.layouts import LAYOUTS
from demottle.physics.phantoms.qa.painted import LEAST_BLUR
from demottle.physics.phantoms.qa.scene import length_of, qa_phantom
from demottle.physics.phantoms.rods import rod_phantom
from demottle.physics.phantoms.scenes import Choices, Grid, Lie, Scene
from demottle.physics.phantoms.water import water_phantom
from demottle.physics.phantoms.wire import wire_phantom

SLICE_MM = 3.0
SLICES = 24
_SAID = {"lie": "roll, tilt, shift or thickness"}
_MARGIN = 1.1  # field of view per diameter: some air around


@dataclass(frozen=True)
class Kind:
    """One kind of phantom.

    Attributes:
        title: what it is, in a few words.
        build: makes it.
        diameter: diameter of the body in mm, unless the user chooses it.
        takes: which of the `Choices` mean something for it.
        sigma: noise that suits it, in HU; of MR in percent of the largest signal.
        blur_mm: blur that suits it, in mm.
        field_of_view: in mm; None: 1.1 diameters.
        modality: "CT" or "MR": which noise its scans have.
        length: mm along the slices' normal that it needs; None: any number of slices shows it.
    """

    title: str
    build: Callable[[Grid, Choices, Listener], Scene]
    diameter: float
    takes: frozenset[str] = frozenset()
    sigma: float = 10.0
    blur_mm: float = 0.0
    field_of_view: float | None = None
    modality: str = "CT"
    length: float | None = None

    def view(self, diameter: float) -> float:
        """Edge of a slice in mm that shows a phantom of this diameter."""
        return self.field_of_view or _MARGIN * diameter


def _body(grid: Grid, choices: Choices, listener: Listener = silent) -> Scene:
    made = build_phantom(grid.slices, grid.size, grid.spacing, choices.seed, listener)
    return Scene(made.image, made.lesions)


def _brain(grid: Grid, choices: Choices, listener: Listener = silent) -> Scene:
    weighting = weighting_named(choices.weighting)
    made = brain_phantom(grid.slices, grid.size, grid.spacing, choices.seed, weighting, listener)
    return Scene(made.image, made.lesions)


KINDS: dict[str, Kind] = {
    "body": Kind("an abdomen with organs and lesions", _body, 320.0, sigma=40.0, field_of_view=380.0),
    "water": Kind(
        "a cylinder of water: noise, NPS, CT number", water_phantom, 200.0, frozenset({"diameter", "blur"}), 20.0
    ),
    "low-contrast": Kind(
        "discs of 3 to 14 HU, with and without (CCT189): detectability",
        low_contrast_phantom, low_contrast.BODY_MM, frozenset({"diameter", "blur"}),
    ),
    "rods": Kind(
        "rods of six contrasts: task transfer function",
        rod_phantom, rods.BODY_MM, frozenset({"contrast", "blur"}), blur_mm=0.5,
    ),
    "wire": Kind("a tungsten wire: PSF and MTF", wire_phantom, wire.BODY_MM, frozenset({"blur"}), blur_mm=0.5),
    "brain": Kind(
        "a head in MR with lesions: Rician noise",
        _brain, 152.0, frozenset({"weighting"}), 5.0, field_of_view=brain.FIELD_OF_VIEW, modality="MR",
    ),
    **{
        kind: Kind(
            f"{layout.title}: all that is measured on it", partial(qa_phantom, kind), layout.diameter,
            frozenset({"blur", "lie"}), 10.0, 0.6, length=length_of(kind),
        )
        for kind, layout in LAYOUTS.items()
        if not layout.scales
    },
}  # fmt: skip
"""What `demottle simulate phantom --kind` makes."""


def kind_named(name: str) -> Kind:
    """Look a kind of phantom volume up.

    Raises:
        InputError: for a name that is not one.
    """
    if name not in KINDS:
        raise InputError(f"There is no phantom {name!r}; choose one of {', '.join(KINDS)} or dynamic.")
    return KINDS[name]


def build(
    name: str,
    slices: int | None = None,
    size: int = 256,
    spacing: tuple[float, float, float] | None = None,
    seed: int = 0,
    diameter: float | None = None,
    contrast: float | None = None,
    blur_mm: float | None = None,
    weighting: str | None = None,
    listener: Listener = silent,
    lie: Lie | None = None,
) -> Scene:
    """Make one of the kinds; None stands for what suits it.

    Args:
        name: a key of `KINDS`.
        slices: number of slices; None: 24, or as many as show all of a QA phantom.
        size: rows and columns.
        spacing: mm between slices, rows, columns; None: slices of 3 mm, pixels that show the whole phantom.
        seed: another seed gives another patient (body, brain).
        diameter: diameter of the water in mm, where the kind takes one.
        contrast: contrast of the low-contrast rods in HU (rods).
        blur_mm: standard deviation of a Gaussian blur, where the kind takes one.
        weighting: contrast between the tissues, "t1" or "t2" (brain).
        listener: hears of every slice, where painting takes long.
        lie: how a QA phantom lies.

    Raises:
        InputError: for an unknown kind, a choice it does not take, or one it cannot be made with.
    """
    kind = kind_named(name)
    asked = {"diameter": diameter, "contrast": contrast, "blur": blur_mm, "weighting": weighting, "lie": lie}
    for choice, value in asked.items():
        if value is not None and choice not in kind.takes:
            can = [other for other, known in KINDS.items() if choice in known.takes]
            raise InputError(
                f"The {name} phantom takes no {_SAID.get(choice, choice)}; leave it out, or choose {' or '.join(can)}."
            )
    width = kind.diameter if diameter is None else diameter
    if spacing is None:
        if not (np.isfinite(width) and width > 0):
            raise InputError(f"The diameter of the phantom is {width:g} mm; it has to be a positive number.")
        pixel = kind.view(width) / max(size, 1)
        spacing = (SLICE_MM, pixel, pixel)
    blur = _own_blur(kind, spacing) if blur_mm is None else blur_mm
    choices = Choices(seed, width, 35.0 if contrast is None else contrast, blur, weighting or "t1", lie or Lie())
    count = slices if slices is not None else SLICES if kind.length is None else ceil(kind.length / spacing[0])
    return kind.build(Grid(count, size, spacing), choices, listener)


def _own_blur(kind: Kind, spacing: tuple[float, float, float]) -> float:
    """Blur that suits a kind: of QA phantoms no less than coarse pixels need."""
    return kind.blur_mm if kind.length is None else max(kind.blur_mm, LEAST_BLUR * max(spacing[1:]))
