"""The registry: the one list of methods that the command line, the documentation and the tests go by. Imports no torch."""

from pathlib import Path

from demottle.errors import InputError, nearest
from demottle.methods.bayes import cards as bayes
from demottle.methods.card import MethodInfo
from demottle.methods.filters import cards as filters
from demottle.methods.low_rank import cards as low_rank
from demottle.methods.one_scan import cards as one_scan
from demottle.methods.outside import Methods, of_file
from demottle.methods.rivals import cards as rivals
from demottle.methods.udca import cards as udca
from demottle.methods.unpaired import cards as unpaired

_FAMILIES = (one_scan, bayes, udca, unpaired, filters, low_rank, rivals)


OWN: tuple[MethodInfo, ...] = tuple(
    card for rival in (False, True) for family in _FAMILIES for card in family.CARDS if card.rival == rival
)
"""What demottle brings: its own methods first, then what they are compared with."""
METHODS = Methods(OWN)


def method(name: str) -> MethodInfo:
    """Look a method up by name.

    Raises:
        InputError: for an unknown name; the sentence lists the known ones.
    """
    if name not in METHODS:
        troubles = "".join(f" {trouble}" for trouble in METHODS.troubles)
        raise InputError(
            f'There is no method "{name}".{nearest(name, METHODS)} The methods are: {", ".join(METHODS)}.{troubles}'
        )
    return METHODS[name]


def name_of(module: str) -> str:
    """The name that the card of one of demottle's methods gives it, for its module (`__name__`)."""
    return next(card.name for card in OWN if card.module == module)


def use_file(path: str | Path) -> MethodInfo:
    """Run a Python file of the user, and know the method that it defines (`CARD`) from then on in this process.

    Raises:
        InputError: where it cannot be run, lacks something, or its name is taken.
    """
    card = of_file(Path(path))
    METHODS.add(card)
    return card


def refuse_missing(name: str) -> None:
    """Refuse a method whose package is not installed.

    Raises:
        InputError: says which; or the method is unknown.
    """
    info = method(name)
    if not info.is_installed:
        raise InputError(
            f"{name} is a wrapper of the package {info.needs}, which is not installed; pip install {info.needs} brings it."
        )


def refuse_untrained(name: str) -> None:
    """Refuse a method that one scan cannot teach.

    Raises:
        InputError: for a method that has to be trained on sets of scans before it is applied, or an unknown one.
    """
    info = method(name)
    if info.is_trained:
        raise InputError(
            f"{name} learns from {info.learns_from}, not from the scan that is denoised; train a model first and give that."
        )
