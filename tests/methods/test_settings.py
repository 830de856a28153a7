"""What is said of a setting that is refused is a whole sentence about that setting, and true: what it asks for is accepted."""

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest

from demottle.errors import InputError
from demottle.methods import METHODS

TRIED = (-1, 0, 1, 2, 3, 7, 15, 17, 100_001, -0.5, 1.5)
SHARE = ("it is a share, between 0 and 1.", "it has to lie between 0 and 1.")
FORMS: dict[str, Sequence[float]] = {
    **dict.fromkeys(SHARE, (0.5, 0.001)),
    **dict.fromkeys(("it must not be negative.", "it cannot be negative."), (0, 1)),
    "it has to be positive.": (0.001, 1),
    "it has to be odd.": (1, 5),
    "it has to be an odd number: the slice itself and those around it.": (1, 3),
    "it has to be an odd number of at least 3, or 0 to choose it.": (0, 3),
    "it has to be above 1.": (1.001, 8),
    "it has to be at least 0 and below 1.": (0, 0.999),
    "it has to be a positive number, or 0 to measure it.": (0, 1),
    "it has to be 1, 2, 3 or 4.": (1, 4),
    "it has to be above 0 and below 1.": (0.999, 0.001),
    "it has to be 1 or more, or 0 for all cores.": (0, 1),
}
"""What a sentence may ask for, and values that are then accepted, those at its edge among them."""
LEAST = re.compile(r"it has to be (?:(odd) and |a multiple of (\d+) and )?at least (\d+)\.")
RANGE = re.compile(r"it has to lie between (\d+) and (\d+)[^\n]*\.|it has to be above 0 and at most ([\d.]+)\.")


def refusals() -> list[tuple[str, str, Any, str]]:
    """Method, setting, value and sentence of everything that is refused of `TRIED`."""
    found = []
    for name, info in METHODS.items():
        usual = info.load().Settings()
        for field in fields(usual):
            default = getattr(usual, field.name)
            if isinstance(default, bool) or not isinstance(default, int | float):
                continue
            for value in TRIED:
                if isinstance(default, int) == isinstance(value, int):
                    try:
                        replace(usual, **{field.name: value})
                    except InputError as error:
                        found.append((name, field.name, value, str(error)))
    return found


REFUSED = refusals()


def asked_for(sentence: str) -> Sequence[float]:
    """Values that a sentence asks for; fails for a sentence of no known form."""
    if found := LEAST.fullmatch(sentence):
        step = int(found[2] or 1)
        first = int(found[3]) + -int(found[3]) % step
        return first, first + 2 * step
    if found := RANGE.fullmatch(sentence):
        return (float(found[3]),) if found[3] else (int(found[1]), int(found[2]))
    assert sentence in FORMS
    return FORMS[sentence]


def test_much_is_refused() -> None:
    assert len({method for method, *_ in REFUSED}) > 20
    assert len({(method, setting) for method, setting, *_ in REFUSED}) > 100


@pytest.mark.parametrize("method", sorted({method for method, *_ in REFUSED}))
def test_the_sentence_names_the_setting(method: str) -> None:
    for _, setting, _, said in (one for one in REFUSED if one[0] == method):
        assert re.fullmatch(rf"[^\n]*\b({setting}|shares)\b[^\n]* [^\n]+\.", said), (setting, said)


@pytest.mark.parametrize("method", sorted({method for method, *_ in REFUSED}))
def test_what_the_sentence_asks_for_is_accepted_and_is_not_what_was_given(method: str) -> None:
    usual = METHODS[method].load().Settings()
    for _, setting, value, said in (one for one in REFUSED if one[0] == method):
        start = f"{setting} is {value}; "
        if not said.startswith(f"{start}it "):  # of several settings at once
            continue
        for good in asked_for(said.removeprefix(start)):
            assert value != good, said
            kind = type(getattr(usual, setting))
            if kind is float or float(good).is_integer():
                try:
                    replace(usual, **{setting: kind(good)})
                except InputError as error:  # for another reason: how it goes with other settings
                    assert not str(error).startswith(f"{setting} is {kind(good)}; it "), (said, str(error))


WORDS = [
    (name, field.name)
    for name, info in METHODS.items()
    for field in fields(info.load().Settings())
    if isinstance(getattr(info.load().Settings(), field.name), str) and field.name != "vgg19"  # a file
]


@pytest.mark.parametrize(("method", "setting"), WORDS)
def test_a_word_that_is_refused_is_answered_with_those_that_are_accepted(method: str, setting: str) -> None:
    usual = METHODS[method].load().Settings()
    said = rf'^{setting} is "nonsense"; it has to be (one of: [^\n]+|"[^\n]+" or "[^\n]+")\.$'
    with pytest.raises(InputError, match=said) as caught:
        replace(usual, **{setting: "nonsense"})
    asked = str(caught.value).partition("it has to be ")[2].removesuffix(".")
    offered = re.findall(r'"([^"]+)"', asked) or asked.removeprefix("one of: ").split(", ")
    assert len(offered) > 1 and getattr(usual, setting) in offered
    for word in offered:
        try:
            replace(usual, **{setting: word})
        except InputError as error:  # for another reason: how it goes with other settings
            assert not str(error).startswith(f'{setting} is "{word}"; it has'), str(error)
