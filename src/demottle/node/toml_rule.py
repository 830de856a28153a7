"""One [[rule]] of a node's configuration, read and checked."""

from collections.abc import Sequence
from typing import Any

from demottle.errors import DemottleError, InputError
from demottle.node.configuration import FAST, GLOBS, RANGES, SENT, AnyDestination, Conditions, Range, Rule
from demottle.node.toml_table import Table

LONGEST = (0.01, 1e6)
"""Minutes that a series may be allowed: the least and the most."""
KEEP = (0.0, 36500.0)
"""Days that a series may be kept."""
_REQUEST = ("method", "model", "settings", "strength", "seed", "minutes", "steps", "texture")


def read_rule(
    table: Table,
    number: int,
    destinations: Sequence[AnyDestination] | None,
    *,
    globs: Sequence[str] = GLOBS,
    ranges: Sequence[str] = RANGES,
    share: bool = False,
) -> Rule:
    """Read one [[rule]].

    Args:
        table: the table.
        number: which one it is, for the name of a rule that has none.
        destinations: what it may name; None: results are not sent, and whatever it names is left to others.
        globs, ranges: facts that its conditions may ask for.
        share: what holds where it does not say whether a network is kept.

    Raises:
        InputError: a value is missing, unknown or wrong; one sentence.
    """
    name = table.name(default=f"rule {number}")
    when, leave = _conditions(table.table("when"), globs, ranges), table.flag("leave")
    send, to = table.texts("send", ["images"]), table.texts("to")
    preset = _preset(table)
    rule = Rule(
        name=name,
        when=when,
        leave=leave,
        preset=preset,
        request=_request(table),
        limits=_limits(table),
        send=send,
        to=to,
        tell=table.flag("tell"),
        longest=table.number("longest", None, *LONGEST) if table.has("longest") else table.raw("longest"),
        keep=table.number("keep", None, *KEEP) if table.has("keep") else table.raw("keep"),
        urgent=table.flag("urgent"),
        share=table.flag("share", preset == FAST or (share and not table.has("model"))),
    )
    table.finish()
    for what in send:
        if what not in SENT:
            raise table.wrong("send", f"holds {what!r}; it may hold {', '.join(SENT)}")
    if destinations is not None:
        _refuse_unknown(table, to, [one.name for one in destinations])
        if not leave and not to:
            raise table.wrong("to", 'is missing; write to = ["NAME"] with the name of a destination, or leave = true')
    if rule.tell and rule.limits is None:
        raise table.wrong("tell", "makes no sense beside gate = false, by which nothing fails; leave one of them out")
    if rule.share and rule.request.get("model") is not None:
        raise table.wrong("share", "makes no sense beside 'model': a given model is used for all series; leave it out")
    return rule


def _refuse_unknown(table: Table, to: Sequence[str], known: Sequence[str]) -> None:
    for one in to:
        if one not in known:
            listed = f"is one of {', '.join(known)}" if known else "needs a [[destination]]"
            raise table.wrong("to", f"names {one!r}, and a destination {listed}")


def _preset(table: Table) -> str:
    from demottle.pipeline.preset import PRESETS

    if not table.has("preset"):
        table.raw("preset")
        return ""
    found = table.text("preset")
    if found not in (FAST, *PRESETS):
        listed = ", ".join(map(repr, (FAST, *PRESETS)))
        raise table.wrong("preset", f"is {found!r}; it can be {listed}, or be left out")
    fast = found == FAST
    what = "the method" if fast else "how much noise stays"
    chosen = ["method", "model", "settings"] if fast else ["strength", "texture"]
    for key in (key for key in chosen if table.has(key)):
        raise table.wrong(key, f"makes no sense beside 'preset', which chooses {what}; leave one of them out")
    return found


def _conditions(table: Table, globs: Sequence[str], ranges: Sequence[str]) -> Conditions:
    patterns = {key: table.texts(key) for key in globs if table.has(key)}
    numbers = {key: _range(table, key) for key in ranges if table.has(key)}
    for key in (*globs, *ranges):
        table.raw(key)
    table.finish()
    return Conditions(patterns, numbers)


def _range(table: Table, key: str) -> Range:
    value = table.raw(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Range(float(value), float(value))
    parts = value.split("..") if isinstance(value, str) else []
    try:
        low, high = (float(part) if part.strip() else None for part in parts)
    except ValueError:
        low = high = None
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        raise table.wrong(key, f'is {value!r}; write a range such as "0.5..2", "..2" or "3.."')
    return Range(low, high)


def _request(table: Table) -> dict[str, Any]:
    """What is asked of denoising: checked by making the `Request` of it."""
    asked = {key: table.raw(key) for key in _REQUEST if table.has(key)}
    for key in _REQUEST:
        table.raw(key)
    if "model" in asked:
        asked["model"] = table.file("model")
    if not isinstance(asked.get("settings", {}), dict):
        raise table.wrong("settings", "has to be a table; write settings = { name = value }")
    for key in ("strength", "minutes"):
        if key in asked:
            asked[key] = table.number(key, None, 0, 1e6)
    for key in ("seed", "steps"):
        if key in asked and (not isinstance(asked[key], int) or isinstance(asked[key], bool)):
            raise table.wrong(key, f"is {asked[key]!r}; write a whole number")
    if asked.get("seed", 0) < 0:
        raise table.wrong("seed", f"is {asked['seed']}; write a whole number of 0 or more")
    if "method" in asked:
        asked["method"] = table.text("method")
    from demottle.pipeline.request import Request

    try:
        Request(**asked)
    except DemottleError as error:
        raise InputError(f"{table.wrong('', 'asks for what cannot be done')} {error}") from error
    return asked


def _limits(table: Table) -> Any:
    """Limits of the gate: demottle's own, those of a file, those of a table, or none (false)."""
    from demottle.quality.limits import Limits, limits_from, read_limits

    value = table.raw("gate")
    if value is None or value is True:
        return Limits()
    if value is False:
        return None
    if isinstance(value, dict):
        return limits_from(value, f"{table.place('gate')} of {table.file_name}")
    if isinstance(value, str):
        return read_limits(table.file("gate"))
    raise table.wrong("gate", f"is {value!r}; write true, false, the path of a file, or {{ name = number }}")
