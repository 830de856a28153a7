"""The settings of a method by name: checked, completed with the defaults, as plain values."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from demottle.errors import ContradictionError, InputError, nearest
from demottle.methods import method as look_up
from demottle.methods.setting_names import setting_names
from demottle.pipeline.plan import CLASSICAL, DEFAULT, FOR_MR
from demottle.pipeline.plan_sequence import CLASSICAL_SEQUENCE, DEFAULT_SEQUENCE, MR_SERIES, NORDIC

_CHOSEN = (DEFAULT, CLASSICAL, FOR_MR, DEFAULT_SEQUENCE, CLASSICAL_SEQUENCE, MR_SERIES, NORDIC)
"""Methods that a scan or a run can decide for."""


def check_settings(method: str | None, settings: Mapping[str, Any]) -> None:
    """Refuse settings that cannot work, before anything is read or measured; wrong names before the method is imported.

    Without a method the scan decides later, so the settings have to suit one of those that can be chosen.

    Raises:
        InputError: names the setting and what it has to be.
    """
    refused: list[InputError] = []
    candidates = _CHOSEN if method is None else (method,)
    misnamed = [_misnamed(name, settings, setting_names(name)) for name in candidates]
    if misnamed[0] is not None and all(misnamed):
        raise misnamed[0]
    for name in (name for name, wrong in zip(candidates, misnamed, strict=True) if wrong is None):
        try:
            make_settings(name, settings)
            return
        except InputError as error:
            refused.append(error)
    raise refused[0]


def make_settings(method: str, given: Mapping[str, Any]) -> Any:
    """Return the method's settings with those given in place of the defaults.

    Raises:
        InputError: for a name the method does not have, or a value of another kind or out of range.
    """
    kind = look_up(method).load().Settings
    defaults = asdict(kind())
    if (misnamed := _misnamed(method, given, defaults)) is not None:
        raise misnamed
    wrong = [name for name, value in given.items() if not _like(value, defaults[name])]
    if wrong:
        name = wrong[0]
        raise InputError(
            f"The setting {name} of {method} is {given[name]!r}; it has to be {_KINDS[type(defaults[name])]}, such as "
            f"{defaults[name]!r}."
        )
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


def _misnamed(method: str, given: Mapping[str, Any], known: Iterable[str] | None) -> InputError | None:
    """The error for names that a method does not have; None: it has them all, or they are not known."""
    names = None if known is None else sorted(known)
    if names is None or not (unknown := sorted(set(given) - set(names))):
        return None
    hint = nearest(unknown[0], names)
    return InputError(f"{method} has no setting {', '.join(unknown)}.{hint} Its settings are: {', '.join(names)}.")


def settings_of_model(method: str, of_model: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """Return a model's settings with those given in place of its own, which has to be allowed: they say how it is applied.

    Args:
        method: the model's method.
        of_model: the settings it was made with.
        given: what is to be other.

    Raises:
        ContradictionError: the method has no such settings.
        InputError: for another setting, a value of another kind or out of range.
    """
    allowed = look_up(method).when_applied
    if not allowed:
        raise ContradictionError(
            "A model brings its own method and settings, so {0} and {1} do not go together.", "model", "settings"
        )
    fixed = sorted(set(given) - set(allowed))
    if fixed:
        raise InputError(
            f"{', '.join(fixed)} cannot be given with a model of {method}; what can: {', '.join(allowed)}."
        )
    return make_settings(method, {**of_model, **given})


_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word",
    tuple: "a list",
}


def _like(value: Any, default: Any) -> bool:
    if isinstance(default, tuple):
        return isinstance(value, list | tuple) and all(_like(one, default[0]) for one in value)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    return isinstance(value, int | float if isinstance(default, float) else type(default))


def settings_of(name: str) -> dict[str, Any]:
    """Default settings of a method, by name (imports the method)."""
    defaults: dict[str, Any] = asdict(look_up(name).load().Settings())
    return defaults
