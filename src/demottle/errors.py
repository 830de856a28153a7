"""What can go wrong, as sentences for a user: what is wrong, where, and what to do."""

from collections.abc import Collection, Mapping
from typing import Any


class DemottleError(Exception):
    """Base of every error demottle raises on purpose; `str(error)` is one clear sentence for a user.

    Attributes:
        remedy: name of the argument that helps, such as "spacing" or "accept_uneven"; empty where none does. The sentence
            itself names no option of the command line, which adds it.
    """

    exit_code = 2

    def __init__(self, sentence: str = "", *, remedy: str = "") -> None:
        """Keep the sentence, on one line and without control characters, and the argument that helps."""
        super().__init__("".join(one if one.isprintable() else " " for one in sentence))
        self.remedy = remedy


class InputError(DemottleError):
    """The input cannot be used: broken, ambiguous, or not what the operation needs."""


class UnsuitableError(InputError):
    """The image is readable, but does not meet the assumptions of the method asked for."""


class NotFiniteError(InputError):
    """Voxels that count are NaN or infinite."""


class ContradictionError(InputError):
    """Two arguments do not go together.

    Attributes:
        names: the arguments, as Python calls them; the command line puts its options in their place (`worded`).
    """

    def __init__(self, sentence: str, *names: str) -> None:
        """Take a sentence in which {0}, {1}, ... stand for the names."""
        super().__init__(sentence.format(*names))
        self._sentence, self.names = sentence, names

    def worded(self, options: Mapping[str, str]) -> str:
        """The sentence with other names for the arguments, where `options` has them."""
        return self._sentence.format(*(options.get(name, name) for name in self.names))


class OutputError(DemottleError):
    """The result cannot be written; nothing was left under the final name."""


def counted(number: int, noun: str) -> str:
    """Return "1 slice", "2 slices"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def only(number: int, noun: str) -> str:
    """Return "No slices", "Only 1 slice", "Only 2 slices", to begin a sentence with."""
    return f"Only {counted(number, noun)}" if number else f"No {noun}s"


def are(number: int) -> str:
    """Return the verb that goes with `counted`."""
    return "is" if number == 1 else "are"


class PromiseError(DemottleError):
    """A promise that cannot be kept on this scan; nothing was written.

    Attributes:
        denoiser: the method as it was fitted, which took the time; None where nothing was fitted.
    """

    exit_code = 3
    denoiser: Any = None


def closest(given: str, names: Collection[str], likeness: float = 0.6) -> str | None:
    """Return the one of `names` that is most like a name that was given; None where none is like it (0 to 1) that much."""
    from difflib import get_close_matches

    found = get_close_matches(given, names, n=1, cutoff=likeness)
    return found[0] if found else None


def nearest(given: str, names: Collection[str]) -> str:
    """Return " Did you mean X?" for a name that is nearly one of `names`, whatever its capitals; else nothing."""
    small = {name.lower(): name for name in names}
    found = closest(given.lower(), small, 0.7)
    return "" if found is None else f" Did you mean {small[found]}?"
