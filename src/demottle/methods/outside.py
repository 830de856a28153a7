"""Methods of others: a Python file that the user names, or the entry points `demottle.methods` of installed packages.

Either gives a card (`MethodInfo`): a file as `CARD`, a package by an entry point `NAME = "package.module:CARD"`. Nothing but what
the user named or installed is ever executed; a model file only says where its method came from.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from demottle.errors import InputError
from demottle.methods.card import MethodInfo

GROUP = "demottle.methods"
"""Of entry points."""
_IN_MEMORY = "demottle_method_file_"
"""How the module of a file is called, so that it hides no other."""


class Methods(Mapping[str, MethodInfo]):
    """Methods by name: those of demottle, and, once one of those is not enough, those of installed packages of others."""

    def __init__(self, own: Iterable[MethodInfo]) -> None:
        """Begin with demottle's own; packages of others are looked for when needed."""
        self._cards = {card.name: card for card in own}
        self._searched = False
        self.troubles: list[str] = []
        """Why methods of installed packages could not be taken, a sentence each."""

    def __getitem__(self, name: str) -> MethodInfo:
        """Return a card; packages of others are looked at for a name that demottle does not have."""
        return self._cards[name] if name in self._cards else self._all()[name]

    def __iter__(self) -> Iterator[str]:
        """All names, those of others last."""
        return iter(self._all())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all())

    def add(self, card: MethodInfo) -> None:
        """Take a method of others; given again from the same place it replaces itself.

        Raises:
            InputError: where its name is taken.
        """
        there = self._cards.get(card.name)
        if there is not None and there.origin != card.origin:
            whose = there.origin or "demottle"
            raise InputError(f'{card.origin} calls its method "{card.name}", as {whose} does; give it another name.')
        self._cards[card.name] = card

    def _all(self) -> dict[str, MethodInfo]:
        if not self._searched:
            self._searched = True
            for found in of_packages():
                try:
                    self.add(found())
                except InputError as error:
                    self.troubles.append(str(error))
        return self._cards


def of_packages() -> Iterator[Callable[[], MethodInfo]]:
    """Yield for every method of an installed package what loads its card; that raises InputError where it cannot."""
    for point in entry_points(group=GROUP):
        yield partial(_of_package, point)


def of_file(path: Path) -> MethodInfo:
    """Run a Python file and return the card of its method, which is kept under a module name of its own.

    Raises:
        InputError: where there is no such file, it fails, or it gives no card with what a method has to have.
    """
    if path.suffix != ".py" or not path.is_file():
        raise InputError(f"There is no Python file {path}; a method of others is given as FILE.py.")
    module = ModuleType(_IN_MEMORY + path.stem)
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # before it runs: dataclasses look their module up
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
        card = _checked(getattr(module, "CARD", None), path.name)
        _refuse_incomplete(module, card)
    except InputError:
        del sys.modules[module.__name__]
        raise
    except Exception as error:
        del sys.modules[module.__name__]
        raise InputError(f"{path.name} fails when it is run ({type(error).__name__}: {error}); fix it.") from error
    return replace(card, module=module.__name__)


def _of_package(point: EntryPoint) -> MethodInfo:
    package = point.dist.name if point.dist is not None else point.module
    try:
        found = point.load()
    except Exception as error:  # of others: any error
        raise InputError(
            f"The method {point.name} of the package {package} cannot be used ({type(error).__name__}: {error})."
        ) from error
    return _checked(found, f"the package {package}")


def _checked(found: Any, origin: str) -> MethodInfo:
    if not isinstance(found, MethodInfo):
        raise InputError(f"{origin} has no CARD; a method of others states in CARD = MethodInfo(...) what it is.")
    return replace(found, origin=origin)


def _refuse_incomplete(module: ModuleType, card: MethodInfo) -> None:
    needed = ("Settings", "restore", *(("train", "PRESETS") if card.is_trained else ("fit",)))
    missing = [name for name in needed if not hasattr(module, name)]
    if missing:
        raise InputError(f"{card.origin} has no {' and no '.join(missing)}; a method has {', '.join(needed)}.")
