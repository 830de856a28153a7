"""The cases of suite speed: commands on long scans, students that run live, trained models, an archive's index and costs.

Nothing is judged but the machine, so quality is left to the other suites; what runs says its engine, precision and threads.
Run it with `--jobs 1` on a machine with nothing else to do.
"""

from pathlib import Path

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.speed import applying, archive, commands, costs, indexing, live
from demottle.learning.device import best_device

SEEDS = 1
UNPAIRED = ("pdml", "perceptual-cyclegan")
STUDENTS = ((512, "light"), (1024, "paper"))
RATE = 30.0
FEW = 8
"""Frames for the paper's student without a GPU, which takes seconds for each."""
FULL = {"denoise": 500, "simulate low-dose": 64, "size": 512, "apply": 64, "frames": 200, "index": 20_000}
QUICK = {"denoise": 12, "simulate low-dose": 12, "size": 96, "apply": 2, "frames": 12, "index": 100}
ARCHIVE = {
    "workers": (6, 24, 256, 2),
    "overhead": (3, 40, 256, 2),
    "lost node": (8, 24, 256, 1),
    "memory": (10_000, 0, 0, 1),
}
QUICK_ARCHIVE = {
    "workers": (4, 4, 96, 1),
    "overhead": (3, 4, 96, 1),
    "lost node": (6, 4, 96, 1),
    "memory": (200, 0, 0, 1),
}
"""Series, slices, rows and columns of a slice, and rounds in which runs take turns."""


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cases; `--seeds` repeats each, as times scatter."""
    sizes = QUICK if choices.quick else FULL
    size = sizes["size"]
    groups: dict[str, dict[str, object]] = {
        f"{command}, {sizes[command]} slices": {"command": command, "slices": sizes[command], "size": size}
        for command in commands.COMMANDS
    }
    for side, student in STUDENTS:
        rows = size if choices.quick else side
        frames = FEW if student == "paper" and best_device().type == "cpu" else sizes["frames"]
        groups[f"live, {student}, {rows} x {rows}"] = {"student": student, "size": rows, "frames": frames}
    for name in UNPAIRED:
        for preset in ("small",) if choices.quick else ("small", "full"):
            wanted = {"model": name, "preset": preset, "slices": sizes["apply"], "size": size}
            groups[f"{name}, {preset}, {sizes['apply']} slices"] = wanted
    groups[f"archive index, {sizes['index']:,} files"] = {"index": sizes["index"]}
    for name in ("spectral-wiener",) if choices.quick else costs.METHODS:
        groups[f"cost of {name}"] = {"cost": name}
    for what, (series, slices, side, rounds) in (QUICK_ARCHIVE if choices.quick else ARCHIVE).items():
        of = f" of {slices} x {side} x {side}" if slices else ""
        groups[f"archive, {what}, {series} series{of}"] = {
            "archive": what,
            "series": series,
            "slices": slices,
            "size": side,
            "rounds": rounds,
        }
    return tuple(
        CaseSpec("speed", group, number * len(groups) + place, recipe)
        for number in range(choices.seeds or SEEDS)
        for place, (group, recipe) in enumerate(groups.items())
    )


def entrants() -> tuple[str, ...]:
    """Demottle, on this machine."""
    return ("demottle",)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Take the time and memory of one case."""
    recipe = spec.recipe
    if "command" in recipe:
        return commands.measured(recipe["command"], recipe["slices"], recipe["size"])
    if "index" in recipe:
        return indexing.measured(recipe["index"])
    if "cost" in recipe:
        return costs.measured(recipe["cost"])
    if "student" in recipe:
        return live.measured(recipe["size"], recipe["student"], recipe["frames"], RATE)
    if "archive" in recipe:
        wanted = (recipe[name] for name in ("archive", "series", "slices", "size", "rounds"))
        return archive.measured(*wanted)
    return applying.measured(recipe["model"], recipe["preset"], recipe["slices"], recipe["size"])
