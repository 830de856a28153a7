"""What a QA phantom is made of: modules along its axis, and in each the things that are measured.

Lengths are in mm, CT numbers in HU. Within a module a place is told by its distance from the axis (`ring`) and by an angle in
degrees, clockwise from the right as the image is shown: -90 is on top. Along the axis, places count from the middle of the
module with the rods of known CT number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import cos, nan, radians, sin
from typing import Literal

Role = Literal["rods", "uniform", "low contrast", "line pairs", "other"]


@dataclass(frozen=True)
class Rod:
    """A cylinder along the axis, through the whole module.

    Attributes:
        name: material, or size of a low-contrast target.
        hu: nominal CT number.
        angle, ring: where it lies.
        diameter: of the cylinder.
        low, high: range of CT numbers that the manufacturer or the accreditation allows; NaN: none is stated.
        faint: True for a low-contrast target, which is detected and not measured for its CT number.
        optional: True for what may be absent (a vial to be filled): it helps neither to recognize nor to place a phantom.
    """

    name: str
    hu: float
    angle: float
    ring: float
    diameter: float
    low: float = nan
    high: float = nan
    faint: bool = False
    optional: bool = False

    @property
    def place(self) -> tuple[float, float]:
        """Distance from the axis to the right and down."""
        return self.ring * cos(radians(self.angle)), self.ring * sin(radians(self.angle))


@dataclass(frozen=True)
class Ramp:
    """A thin wire that rises at `rise` degrees from the plane of the slices, tangentially, through the middle of its module.

    Attributes:
        name: for tables.
        angle, ring: where it crosses the middle of the module.
        turn: 1 where it goes clockwise as the axis goes on, -1 where it goes the other way.
        rise: degrees between wire and slice.
        length: of its image in a stack of slices.
        strength: cross-section of the wire times its contrast, in HU mm2.
    """

    name: str
    angle: float
    ring: float
    turn: int
    rise: float = 23.0
    length: float = 80.0
    strength: float = 620.0


@dataclass(frozen=True)
class Bars:
    """A group of parallel bars on a ring.

    Attributes:
        per_cm: line pairs per cm.
        angle, ring: middle of the group; bars stand radially.
        count: bars.
        long: length of a bar.
        hu: CT number of a bar.
        depth: along the axis.
    """

    per_cm: float
    angle: float
    ring: float
    count: int
    long: float
    hu: float
    depth: float

    @property
    def width(self) -> float:
        """Of a bar, and of a gap, in mm."""
        return 5.0 / self.per_cm


@dataclass(frozen=True)
class Module:
    """A section of a phantom.

    Attributes:
        name: the manufacturer's.
        role: what it is measured for.
        middle: where it lies along the axis.
        height: along the axis.
        hu: CT number of what the things in it are embedded in.
        rods, ramps, bars: what is in it.
        low, high: range of CT numbers that is stated for the resin of a uniform module; NaN: none is.
    """

    name: str
    role: Role
    middle: float
    height: float
    hu: float
    rods: tuple[Rod, ...] = ()
    ramps: tuple[Ramp, ...] = ()
    bars: tuple[Bars, ...] = ()
    low: float = nan
    high: float = nan

    @property
    def ends(self) -> tuple[float, float]:
        """Where it begins and ends along the axis."""
        return self.middle - self.height / 2, self.middle + self.height / 2


@dataclass(frozen=True)
class Layout:
    """A phantom.

    Attributes:
        kind: as `--kind` calls it.
        title: for people.
        diameter: of the body.
        modules: in the order along the axis.
        useful: radius within which a uniform module is one; beyond it lie housing and edge.
        edge_ring: distance from the axis at which the edge of a uniform module is compared with its middle.
        scales: True for a phantom of any diameter: the rings are shares of it.
    """

    kind: str
    title: str
    diameter: float
    modules: tuple[Module, ...]
    useful: float
    edge_ring: float
    scales: bool = False

    def module(self, role: Role) -> Module | None:
        """The first module of a role."""
        return next(self.of(role), None)

    def of(self, role: Role) -> Iterator[Module]:
        """The modules of a role."""
        return (module for module in self.modules if module.role == role)

    @property
    def ends(self) -> tuple[float, float]:
        """Where the phantom begins and ends along its axis."""
        return min(m.ends[0] for m in self.modules), max(m.ends[1] for m in self.modules)

    @property
    def key(self) -> Module | None:
        """The module that tells it from others: rods of known CT number, else low-contrast targets; None: nothing is in it."""
        return self.module("rods") or self.module("low contrast")

    def fitted(self, diameter: float, height: float) -> "Layout":
        """The same phantom of another diameter and height, where it is made in any; itself where it is not."""
        if not self.scales:
            return self
        grown = diameter / self.diameter
        modules = tuple(
            replace(m, height=height, rods=tuple(replace(rod, ring=rod.ring * grown) for rod in m.rods))
            for m in self.modules
        )
        useful, edge_ring = self.useful * grown, self.edge_ring * grown
        return replace(self, diameter=diameter, modules=modules, useful=useful, edge_ring=edge_ring)
