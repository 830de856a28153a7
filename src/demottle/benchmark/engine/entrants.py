"""Who competes: the input itself, every method of the registry that fits, and what is told the truth, for bounds.

Importing this imports no torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from demottle.benchmark.suites.catalog import Suite
from demottle.errors import InputError
from demottle.methods.card import MethodInfo
from demottle.methods.registry import METHODS, refuse_missing

INPUT = "input"
BOUND = "clean-targets"
"""The default method's network, taught with the truth of the very scan: what that network can reach."""
BLOCK_MATCHING = ("bm3d", "bm4d")
TRUE_SPECTRUM = {f"{method}-true-spectrum": method for method in BLOCK_MATCHING}
"""By name, the method that is told the spectrum of the very noise (BM4D: and what slices share of it), not the one measured."""
PLANNED = "default"
"""What `denoise` does without options, whatever method it takes; in the tables of suites where that differs from case to case."""
TOLD = (BOUND, *TRUE_SPECTRUM)
_TEXTURED = "-texture"
DEFAULT_RIVALS = ("bm3d", "nlm", "spectral-wiener")
"""The first of these that ran is what the others are compared with."""


@dataclass(frozen=True)
class Entrant:
    """One that competes.

    Attributes:
        name: what tables call it.
        method: method of the registry; empty for the input and for what is told the truth.
        settings: that differ from the method's defaults.
    """

    name: str
    method: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sees_truth(self) -> bool:
        """True where the truth is used: a bound, not a rival."""
        return self.name in TOLD or (
            self.info is not None and (self.info.learns_from == "pairs" or bool(self.settings.get("pairs")))
        )

    @property
    def textured(self) -> bool:
        """True where noise of the scan's own grain is put back (`quality.texture`), the least that keeps its spectrum's peak."""
        return self.name.endswith(_TEXTURED)

    @property
    def info(self) -> MethodInfo | None:
        """The registry's entry."""
        return METHODS[self.method] if self.method else None

    @property
    def learns(self) -> bool:
        """True where the time budget limits it."""
        return self.name in (PLANNED, *TOLD) or (self.info is not None and self.info.learns_from != "nothing")


def competing(suite: Suite) -> tuple[Entrant, ...]:
    """Return everybody who can compete in a suite here."""
    if suite.own:
        return tuple(Entrant(name) for name in suite.own_entrants())
    planned = (Entrant(PLANNED),) if PLANNED in suite.usual else ()
    return (*entrants(suite.images, suite.trained), *planned)


def usual(suite: Suite, everybody: Sequence[Entrant]) -> tuple[Entrant, ...]:
    """Return who competes where nobody is named: those that the suite names, for as far as they are installed, or everybody."""
    if not suite.usual:
        return tuple(everybody)
    return tuple(one for one in everybody if one.name in (INPUT, *suite.usual))


def missing(suite: Suite) -> tuple[str, ...]:
    """Return the methods that could compete in a suite if their packages were installed."""
    return () if suite.own else absent(suite.images, suite.trained)


def entrants(images: str, trained: bool) -> tuple[Entrant, ...]:
    """Return everybody who can compete on a kind of image here, the quick ones first.

    Args:
        images: "volumes" or "sequences".
        trained: there are sets of scans to train on.
    """
    ranked = sorted((info for info in _fitting(images, trained) if info.is_installed), key=_rank)
    found = [Entrant(INPUT), *(Entrant(info.name, info.name) for info in ranked)]
    if images == "volumes":
        from demottle.pipeline.plan import DEFAULT

        found.append(Entrant(f"{DEFAULT}{_TEXTURED}", DEFAULT))
        there = [method for method in BLOCK_MATCHING if METHODS[method].is_installed]
        found += [Entrant(f"{method}-white", method, {"spectrum": "white"}) for method in there]
        found += [Entrant(f"{method}-even", method, {"level": "local"}) for method in there]
        found += [Entrant(name) for name, method in TRUE_SPECTRUM.items() if method in there]
        found += [] if trained else [Entrant(BOUND)]
    return tuple(found)


def absent(images: str, trained: bool) -> tuple[str, ...]:
    """Return the methods whose packages are not installed here."""
    return tuple(info.name for info in _fitting(images, trained) if not info.is_installed)


def _fitting(images: str, trained: bool) -> list[MethodInfo]:
    return [info for info in METHODS.values() if info.takes(images == "sequences") and info.is_trained <= trained]


def chosen(
    everybody: Sequence[Entrant],
    only: Sequence[str],
    missing: Sequence[str] = (),
    changes: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> tuple[Entrant, ...]:
    """Return those asked for by name, and the input.

    Args:
        everybody: who can compete here.
        only: names asked for; none: everybody. "udca:wires=0" is udca with that setting, an entrant of its own.
        missing: methods that could if their packages were installed.
        changes: settings by the names asked for that have some.

    Raises:
        InputError: for a name that nobody has; the sentence lists those there are, or says what to install; for settings of what
            has none.
    """
    if not only:
        return tuple(everybody)
    known = {one.name: one for one in everybody}
    asked = list(dict.fromkeys(only))
    unknown = [base for base in map(base_of, asked) if base not in known]
    for name in unknown:
        if (method := TRUE_SPECTRUM.get(name, name.removesuffix("-white").removesuffix("-even"))) in missing:
            refuse_missing(method)
    if unknown:
        raise InputError(f"There is no {', '.join(unknown)} in this suite; there are: {', '.join(known)}.")
    plain = tuple(one for one in everybody if one.name in asked or one.name == INPUT)
    return (*plain, *(_varied(known[base_of(name)], name, changes[name]) for name in asked if name in changes))


def base_of(name: str) -> str:
    """The entrant whose settings a name changes: "udca" of "udca:wires=0"."""
    return name.partition(":")[0]


def _varied(base: Entrant, name: str, settings: Mapping[str, Any]) -> Entrant:
    if not base.method or base.textured:
        raise InputError(f"{base.name} has no settings; name a method.")
    return Entrant(name, base.method, {**base.settings, **settings})


def _rank(info: MethodInfo) -> int:
    """Demottle's defaults first, so that they are there however early one stops; then what learns nothing."""
    from demottle.pipeline.plan import DEFAULT, FOR_MR

    return 0 if info.name in (DEFAULT, FOR_MR) else 1 if info.learns_from == "nothing" else 2
