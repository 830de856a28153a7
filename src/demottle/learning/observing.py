"""What a running training says of itself now and then. Imports no torch, so that the command line can show it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from demottle.image import Voxels


@dataclass(frozen=True)
class Report:
    """Where a training is.

    Attributes:
        step, steps: steps done, and how many there will be as far as is known now.
        losses: "player/loss" to its weighted mean since the last report.
        rate: learning rate relative to its peak, 0 to 1.
        seconds, seconds_left: spent (earlier runs of a resumed training included), and left at this pace.
        validation: the criterion that needs no pairs, where it was measured just now; lower is better.
        pictures: sample pictures by name, float32 (rows, columns) in [0, 1]; empty most of the time.
        part: what comes before the training itself, such as "warm-up"; it counts its own steps. Empty: the training itself.
    """

    step: int
    steps: int
    losses: Mapping[str, float]
    rate: float
    seconds: float
    seconds_left: float
    validation: float | None = None
    pictures: Mapping[str, Voxels] = field(default_factory=dict)
    part: str = ""


Observer = Callable[[Report], None]


def watching_part(observers: Sequence[Observer], part: str) -> tuple[Observer, ...]:
    """Return observers that tell the given ones that all they are told is of one part before the training itself."""

    def told(observer: Observer) -> Observer:
        return lambda report: observer(replace(report, part=part))

    return tuple(told(observer) for observer in observers)
