"""What `benchmarks.unpaired_gpu` trains, in the order of importance."""

from dataclasses import dataclass

from benchmarks.unpaired_runs import ABLATIONS, Asked

DENSE = {"network": "residual-dense"}
UNET = {"network": "attention-unet", "scale": 200.0}
SHIFT = 20.0
TUNING = {
    "pdml": [{"adversarial": a} for a in (0.0, 0.3, 1.0)] + [{"simulated": 1.0, "adversarial": 0.3}],
    "perceptual-cyclegan": [{"adversarial": a} for a in (0.0, 0.3, 1.0)] + [{"simulated": 50.0, "adversarial": 0.3}],
}
"""Weights that were to be chosen, judged on the tuning patients alone."""


@dataclass(frozen=True)
class Job:
    """A run and the seconds of training it asks for; a queue with less time shortens all alike."""

    asked: Asked
    seconds: float


def jobs(real: bool, seeds: range = range(3)) -> list[Job]:
    """Return everything, the most important first."""
    found: list[Job] = []

    def add(
        method: str, preset: str, seconds: float, seed: int, sets: dict[str, object] | None = None, **more: object
    ) -> None:
        found.append(Job(Asked(method, seed, real, preset=preset, sets=sets or {}, **more), seconds))  # type: ignore[arg-type]

    def main_rows(seed: int) -> None:
        add("perceptual-cyclegan", "full", 180, seed)
        add("pdml", "full", 120, seed)
        add("pdml", "small", 60, seed)
        add("perceptual-cyclegan", "small", 70, seed)
        add("supervised", "small", 45, seed, DENSE)
        add("supervised", "small", 45, seed, UNET)
        add("cyclegan", "small", 70, seed)
        add("cut", "small", 50, seed)

    main_rows(seeds[0])
    for method, seconds in (("pdml", 60), ("perceptual-cyclegan", 70), ("cyclegan", 70), ("cut", 50)):
        add(method, "small", seconds, seeds[0], shift=SHIFT)
    for method, seconds in (("pdml", 60), ("perceptual-cyclegan", 70)):
        for label, changes in ABLATIONS[method].items():
            if changes:
                add(method, "small", seconds, seeds[0], dict(changes), label=label)
    for seed in seeds[1:]:
        main_rows(seed)
    add("supervised", "full", 100, seeds[0], DENSE)
    add("supervised", "full", 100, seeds[0], UNET)
    for method, seconds in (("pdml", 60), ("perceptual-cyclegan", 70)):
        for changes in TUNING[method]:
            add(method, "small", seconds, seeds[0], dict(changes), who="tuning")
        add(method, "small", seconds, seeds[0], who="tuning")
    add("pdml", "paper", 60, seeds[0])
    add("cyclegan", "full", 180, seeds[0])
    return found
