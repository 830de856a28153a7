"""Which strength keeps a promise, and what to say where none does."""

from collections.abc import Callable, Sequence

import numpy as np

from demottle.errors import PromiseError
from demottle.quality.contract.curves import GRID, Curves
from demottle.quality.contract.promise import Promise
from demottle.quality.contract.terms import Contract, Term

_STEPS = 12  # halvings of an interval of strengths: to 1/4000


def strength_for(promise: Promise, curves: Curves) -> float:
    """Return the strength for a promise: where a noise is promised the one that reaches it, else the most that keeps the rest."""
    if promise.noise is not None:
        return strength_for_noise(curves, promise.noise)
    found = 1.0
    if promise.keep_mtf is not None:
        found = min(found, strongest_sharp(curves, promise.keep_mtf))
    if promise.keep_hu is not None and (worst := curves.worst_shift(1.0)) is not None:
        found = min(found, promise.keep_hu / worst[1] if worst[1] > 0 else 1.0)
    return found


def worth(contract: Contract, curves: Curves) -> tuple[bool, bool, float]:
    """Return what a way to keep a promise is worth, to be compared with others: whether it keeps it, whether it reaches the
    noise, and what it leaves besides: where a noise is promised the worse end of f50 (of the contrast that keeps least), else the
    share of the noise that goes.
    """
    names = {term.name for term in contract.broken}
    if contract.promise.noise is None:
        left = -float(np.nan_to_num(curves.noise_change(contract.strength), nan=1.0))
    else:
        ends = [curves.sharpness(number, contract.strength)[0].low for number in range(len(curves.edges))]
        left = float(min(ends, default=1.0))
    return not names, "noise" not in names, left


def strength_for_noise(curves: Curves, change: float) -> float:
    """Return the strength at which the noise changes as asked; the one with the least noise where none does."""
    reached = [curves.noise_change(float(s)) for s in GRID]
    enough = [float(s) for s, found in zip(GRID, reached, strict=True) if found <= change]
    if not enough:
        return float(GRID[int(np.nanargmin(reached))]) if np.isfinite(reached).any() else 1.0
    low = max(enough[0] - float(GRID[1]), 0.0)
    return _last(low, enough[0], lambda s: curves.noise_change(s) > change)


def strongest_sharp(curves: Curves, share: float) -> float:
    """Return the largest strength at which the worse end of f50 of every contrast keeps a share, from 0 on without a gap."""

    def sharp(strength: float) -> bool:
        return all(curves.sharpness(number, strength)[0].low >= share for number in range(len(curves.edges)))

    return _last(0.0, 1.0, sharp)


def _last(low: float, high: float, holds: Callable[[float], bool]) -> float:
    """Return the largest argument of `low` to `high` that a falling condition holds for, which holds at `low`."""
    if holds(high):
        return high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def refusal(contract: Contract, curves: Curves) -> PromiseError:
    """Say in one sentence what cannot be kept, and what could be promised in its place."""
    promise, broken = contract.promise, contract.broken
    missed = " and ".join(_missed(term) for term in _worst_of_each(broken))
    advice = " or ".join(_advice(promise, contract, curves))
    return PromiseError(
        f"The promise cannot be kept on this scan with {contract.method}: {missed}; nothing was written. "
        f"{advice or 'Promise less'}."
    )


def _worst_of_each(broken: Sequence[Term]) -> list[Term]:
    """One broken term of sharpness, CT numbers and noise each: the one farthest from its promise."""
    first: dict[str, Term] = {}
    for term in sorted(broken, key=lambda t: t.found.value if t.name == "keep_mtf" else -abs(t.found.value)):
        first.setdefault(term.name, term)
    return [first[name] for name in ("keep_mtf", "keep_hu", "noise") if name in first]


def _missed(term: Term) -> str:
    if term.name == "noise":
        change = -100 * (term.promised or 0)
        return f"the {term.what} falls by {-100 * term.found.value:.0f} % at most, not by {change:g} %"
    verb = "moves by" if term.name == "keep_hu" else "falls to"
    figure, interval = term.in_words
    return f"the {term.what} {verb} {figure} (95 % interval {interval}), not {term.limit}"


def _advice(promise: Promise, contract: Contract, curves: Curves) -> list[str]:
    """What could be promised instead, as the options of the command line say it, rounded to the safe side."""
    lines = []
    names = {term.name for term in contract.broken}
    if promise.noise is not None and names & {"keep_mtf", "keep_hu"}:
        rest = Promise(promise.keep_mtf, promise.keep_hu)
        change = curves.noise_change(strength_for(rest, curves))
        if change <= -0.01:
            lines.append(f"Promise a noise of {np.ceil(100 * change):.0f} % with the rest as it is")
    if "noise" in names:
        lines.append(f"Promise a noise of {np.ceil(100 * curves.noise_change(contract.strength)):.0f} %")
    elif "keep_mtf" in names:
        worst = min(t.found.low for t in contract.terms if t.name == "keep_mtf" and t.promised is not None)
        lines.append(
            f"{'promise' if lines else 'Promise'} a sharpness of {np.floor(100 * worst) / 100:g} at this noise"
        )
    return lines
