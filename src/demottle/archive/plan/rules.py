"""Which series of an archive is treated how: the same [[rule]] tables that a node has."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demottle.errors import InputError
from demottle.io.reading import MODALITIES
from demottle.node.configuration import GLOBS, RANGES, Conditions, Rule
from demottle.node.toml_rule import read_rule
from demottle.node.toml_table import Table

ASKED = (*(name for name in GLOBS if name != "caller"), "folder")
"""Facts that conditions compare with patterns. Nobody called, so there is no caller."""
MEASURES = (*RANGES, "mas", "slices")
"""Facts that conditions compare with ranges."""
_OF_A_NODE = ("node", "tls", "web", "sender", "destination")
MORE = ("seed", "minutes", "steps", "texture")
"""What a rule may ask of a `Request` beside method, settings, model and strength."""


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Read the rules of a TOML file, that of a node or one with rules alone.

    Raises:
        InputError: the file cannot be read, or a rule is wrong; one sentence.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"The rules {path} cannot be read ({error.strerror}); name a TOML file with [[rule]]."
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The rules {path} are not valid TOML: {error}.") from error
    top = Table(values, "", path)
    for name in _OF_A_NODE:
        top.raw(name)
    tables = top.tables("rule")
    top.finish()
    rules = tuple(
        read_rule(table, number, None, globs=ASKED, ranges=MEASURES, share=True)
        for number, table in enumerate(tables, 1)
    )
    if not rules:
        raise top.wrong("rule", 'is missing; write [[rule]] with when = {{ modality = "CT" }} or the like')
    for number, (rule, table) in enumerate(zip(rules, tables, strict=True), 1):
        if [one.name for one in rules].index(rule.name) != number - 1:
            raise table.wrong("name", f"is {rule.name!r}, as that of another rule; give each a name of its own")
    return rules


def usual_rules(method: str | None = None, strength: float | None = None) -> tuple[Rule, ...]:
    """The one rule where there is no file: denoise everything that methods are made for.

    Args:
        method: for all; None: the scan decides.
        strength: 0 to 1; None: 1.

    Raises:
        InputError: there is no such method, or no such strength.
    """
    from demottle.pipeline.request import Request

    asked: dict[str, Any] = {} if method is None else {"method": method}
    if strength is not None:
        asked["strength"] = strength
    Request(**asked)
    return (Rule("all", Conditions(), request=asked, share=True),)


def more_of(rule: Rule) -> dict[str, Any]:
    """What of a rule goes into the column `more` of a plan."""
    found = {name: rule.request[name] for name in MORE if name in rule.request}
    return {**found, "preset": rule.preset} if rule.preset else found


def rule_for(row: Mapping[str, Any], rules: tuple[Rule, ...]) -> tuple[Rule | None, str]:
    """The rule that a series meets, and in a sentence why nothing is to be done with it; empty where something is.

    Args:
        row: of `demottle.archive.layout.SERIES`.
        rules: in order; the first one that is met decides.
    """
    if row["wrong"]:
        return None, row["wrong"]
    if row["own"]:
        return None, "It is a result of demottle."
    if row["modality"] not in (*MODALITIES, "OT"):
        return None, f"Its modality is {row['modality'] or 'not stated'}; demottle denoises {', '.join(MODALITIES)}."
    rule = next((one for one in rules if one.when.met_by(row)), None)
    if rule is None:
        return None, "It meets no rule."
    return rule, f"The rule '{rule.name}' leaves it alone." if rule.leave else ""
