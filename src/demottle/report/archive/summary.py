"""What thousands of series come to: by scanner and protocol, by month, what is odd among its like, why some failed."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan

import numpy as np

DONE, FAILED = "done", "failed"
_FEWEST = 8
"""Series of one scanner and protocol that say what is usual among them; fewer are held against all series."""
_FAR = 4.0  # robust standard deviations
_STEPS = {"noise": 0.05, "change": 0.05, "shift": 0.5}
"""The least that counts as a standard deviation: of the logarithm of the noise, of that of its change, and HU."""


@dataclass(frozen=True)
class Entry:
    """One series.

    Attributes:
        name: its folder in the archive.
        state: done or failed.
        reason: why it failed.
        scanner, protocol: what it is compared within.
        month: YYYY-MM; empty where it has no date.
        before, after: noise; NaN where it was not measured.
        unit: of the noise.
        shifts: mean after minus mean before, by tissue.
        gate: verdict; empty where there are no limits.
        seconds: that it took.
        shared: its network was fitted on another series.
        page: link to its page; empty where there is none.
    """

    name: str
    state: str
    reason: str = ""
    scanner: str = ""
    protocol: str = ""
    month: str = ""
    before: float = nan
    after: float = nan
    unit: str = ""
    shifts: Mapping[str, float] = field(default_factory=dict)
    gate: str = ""
    seconds: float = nan
    shared: bool = False
    page: str = ""

    @property
    def change(self) -> float:
        """Noise after over noise before, less 1."""
        return self.after / self.before - 1 if self.before > 0 else nan


@dataclass(frozen=True)
class Group:
    """Series of one scanner and protocol: how many, and (lower quartile, median, upper quartile) of what was measured."""

    scanner: str
    protocol: str
    count: int
    failed: int
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    change: tuple[float, float, float]
    shift: tuple[float, float, float]
    unit: str


@dataclass(frozen=True)
class Outlier:
    """A series that is not like its like: by how many robust standard deviations, and in words."""

    entry: Entry
    far: float
    why: str


@dataclass(frozen=True)
class Reason:
    """Why series failed: a sentence with numbers and names left out, how many, and one of them."""

    sentence: str
    count: int
    example: Entry


@dataclass(frozen=True)
class Course:
    """How something went over the months for one scanner.

    Attributes:
        scanner: its name; the smaller ones are one, "others".
        months: YYYY-MM.
        quartiles: (lower quartile, median, upper quartile) of each month.
    """

    scanner: str
    months: tuple[str, ...]
    quartiles: tuple[tuple[float, float, float], ...]


def quartiles(values: Iterable[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of what is finite; NaN where nothing is."""
    known = [value for value in values if isfinite(value)]
    if not known:
        return nan, nan, nan
    low, middle, high = np.percentile(known, [25, 50, 75])
    return float(low), float(middle), float(high)


def tissue_of(entries: Sequence[Entry]) -> str:
    """The tissue whose CT number is told in tables: the one that most series have."""
    count: dict[str, int] = defaultdict(int)
    for entry in entries:
        for name in entry.shifts:
            count[name] += name != "air"
    return max(count, key=lambda name: (count[name], name == "soft tissue"), default="")


def groups_of(entries: Sequence[Entry], tissue: str) -> list[Group]:
    """By scanner and protocol, the largest first."""
    parts: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        parts[entry.scanner, entry.protocol].append(entry)
    made = [
        Group(
            scanner,
            protocol,
            len(some),
            sum(one.state == FAILED for one in some),
            quartiles(one.before for one in some),
            quartiles(one.after for one in some),
            quartiles(one.change for one in some),
            quartiles(one.shifts.get(tissue, nan) for one in some),
            next((one.unit for one in some if one.unit), ""),
        )
        for (scanner, protocol), some in parts.items()
    ]
    return sorted(made, key=lambda one: (-one.count, one.scanner, one.protocol))


def courses_of(entries: Sequence[Entry], value: Callable[[Entry], float], most: int = 4) -> list[Course]:
    """How a value went over the months, for the scanners with most series; what has no date is left out."""
    dated = [(one, value(one)) for one in entries if one.month]
    dated = [(one, found) for one, found in dated if isfinite(found)]
    count = Counter(one.scanner for one, _ in dated)
    large = {name for name, _ in count.most_common(most if len(count) > most + 1 else most + 1)}
    parts: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one, found in dated:
        parts[one.scanner or "not said" if one.scanner in large else "others"][one.month].append(found)
    return [
        Course(name, tuple(sorted(months)), tuple(quartiles(months[month]) for month in sorted(months)))
        for name, months in sorted(parts.items(), key=lambda part: -sum(map(len, part[1].values())))
        if len(months) > 1
    ]


def against_usual(entries: Sequence[Entry]) -> Callable[[Entry], float]:
    """Noise before as a share of the median of its scanner and protocol: a month with other protocols is then no drift."""
    parts: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in entries:
        parts[one.scanner, one.protocol].append(one.before)
    usual = {key: quartiles(values)[1] for key, values in parts.items()}
    return lambda one: one.before / usual[one.scanner, one.protocol]


def reasons_of(entries: Sequence[Entry]) -> list[Reason]:
    """Reasons of failures, the most frequent first; sentences that differ in numbers and names alone count as one."""
    parts: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.state == FAILED:
            parts[_without_details(entry)].append(entry)
    return sorted((Reason(text, len(some), some[0]) for text, some in parts.items()), key=lambda one: -one.count)


def _without_details(entry: Entry) -> str:
    text = entry.reason.replace(entry.name, "…")
    text = re.sub(r"; it is kept in .*", "", text)
    text = re.sub(r"\S*/\S+|\S+\.dcm", "…", text)
    return re.sub(r"-?\d+(\.\d+)?", "N", text)


def outliers_of(entries: Sequence[Entry], tissue: str) -> list[Outlier]:
    """Series that are far from others of their scanner and protocol, the farthest first.

    Far: more than 4 robust standard deviations (1.4826 times the median distance from the median) in the noise before, in how
    much of it is left (both as logarithms), or in the shift of a CT number.
    """
    parts: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        parts[entry.scanner, entry.protocol].append(entry)
    found: list[Outlier] = []
    few: list[Entry] = []
    for some in parts.values():
        if len(some) < _FEWEST:
            few += some
        else:
            found += _far(some, some, tissue)
    found += _far(few, list(entries), tissue) if len(entries) >= _FEWEST else []
    return sorted(found, key=lambda one: -one.far)


def _far(some: Sequence[Entry], like: Sequence[Entry], tissue: str) -> list[Outlier]:
    """Those of `some` that are far from `like`."""
    measures = {
        "noise": ("noise before {:.1f} {unit}, usual is {:.1f}", [_log(one.before) for one in like]),
        "change": ("{:.0f} % of the noise left, usual is {:.0f}", [_log(1 + one.change) for one in like]),
        "shift": (
            f"{tissue} moved by {{:+.2f}} {{unit}}, usual is {{:+.2f}}",
            [one.shifts.get(tissue, nan) for one in like],
        ),
    }
    usual = {name: _usual(values, _STEPS[name]) for name, (_, values) in measures.items()}
    found = []
    for one in some:
        own = {"noise": _log(one.before), "change": _log(1 + one.change), "shift": one.shifts.get(tissue, nan)}
        apart = {name: abs(own[name] - usual[name][0]) / usual[name][1] for name in own}
        apart = {name: value for name, value in apart.items() if isfinite(value) and value > _FAR}
        if not apart:
            continue
        worst = max(apart, key=lambda name: apart[name])
        shown = [own[worst], usual[worst][0]]
        shown = (
            shown if worst == "shift" else [float(np.exp(value)) * (100 if worst == "change" else 1) for value in shown]
        )
        found.append(Outlier(one, apart[worst], measures[worst][0].format(*shown, unit=one.unit)))
    return found


def _log(value: float) -> float:
    return float(np.log(value)) if value > 0 else nan


def _usual(values: Sequence[float], least: float) -> tuple[float, float]:
    """Median and robust standard deviation."""
    known = np.array([value for value in values if isfinite(value)])
    if len(known) < _FEWEST:
        return nan, nan
    middle = float(np.median(known))
    return middle, max(1.4826 * float(np.median(np.abs(known - middle))), least)
