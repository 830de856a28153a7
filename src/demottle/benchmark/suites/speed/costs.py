"""What a plan of an archive reckons with: seconds that a method takes for a series, for a million voxels, and to learn."""

from demottle.archive.plan.costs import BENCHMARK, timed_cost
from demottle.benchmark.suites.cases import Finding

METHODS = ("guided-bayes", "matched-neighbors", "nl-bayes", "spectral-wiener")
"""Those that a plan reckons with by itself."""


def measured(method: str) -> Finding:
    """Time a method in this process; seconds are those of one processor core."""
    found = timed_cost(method, BENCHMARK)
    told = {"each": found.each, "per_million_voxels": found.voxels, "learn": found.learn}
    of_24 = found.seconds(24 * 512 * 512, fits=True)
    return Finding({}, told, {"seconds": round(of_24, 1), "cpu_seconds": round(of_24, 1)})
