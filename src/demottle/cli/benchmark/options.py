"""What a user asks of the benchmark, checked before anything runs: who competes, for how long, on whose scans."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from demottle.cli.screen.options import parse_settings
from demottle.errors import InputError

if TYPE_CHECKING:
    from demottle.benchmark.engine.entrants import Entrant
    from demottle.benchmark.engine.results import Results
    from demottle.benchmark.suites.catalog import Suite

MINUTES, QUICK_MINUTES = 0.75, 0.2
SUITE = "ct-volume"


def entrants_of(suite: "Suite", names: list[str]) -> "tuple[Entrant, ...]":
    """Who competes: those named, some of them with settings of their own, else the usual ones.

    Raises:
        InputError: for a name that nobody has, or a setting that its method does not have.
    """
    from demottle.benchmark.engine.entrants import base_of, chosen, competing, missing, usual
    from demottle.methods.registry import METHODS
    from demottle.pipeline.settings import check_settings

    everybody = competing(suite)
    if not names:
        return usual(suite, everybody)
    changes = {name: parse_settings(name.partition(":")[2].split(",")) for name in names if ":" in name}
    for name, settings in changes.items():
        if base_of(name) in METHODS:
            check_settings(base_of(name), settings)
    return chosen(everybody, names, missing(suite), changes)


def refuse_rival(results: "Results", suite: "Suite", everybody: "tuple[Entrant, ...]", rival: str | None) -> None:
    """Refuse a rival that neither competes nor has results.

    Raises:
        InputError: lists those there are.
    """
    from demottle.benchmark.shown.tables import refuse_unknown_rival

    if rival is not None:
        refuse_unknown_rival(results.rows, [one.name for one in everybody], suite.name, rival)


def refuse_nothing(results: "Results", suite: "Suite") -> None:
    """Refuse to show results that are not there.

    Raises:
        InputError: where there are none of the suite.
    """
    if not any(row["suite"] == suite.name for row in results.rows):
        raise InputError(f"There are no results of {suite.name} in {results.path}; run it without --report first.")


def check_options(
    suite: "Suite", real: Path | None, cohort: bool, data: Path | None = None, split: Path | None = None
) -> None:
    """Refuse options that a suite does not have.

    Raises:
        typer.BadParameter: names the option.
    """
    for given, option in ((data, "--data"), (split, "--split")):
        if given is not None and not suite.pairs:
            raise typer.BadParameter(f"{suite.name} takes no pairs of scans; ldct does", param_hint=option)
    if cohort and suite.name != "ct-unpaired":
        raise typer.BadParameter(f"{suite.name} learns from no cohort", param_hint="--cohort")
    if real is not None and not (suite.public or cohort or suite.name == SUITE):
        raise typer.BadParameter(f"{suite.name} takes no real scans", param_hint="--real")


def real_of(suite: "Suite", given: Path | None, cohort: bool) -> Path | None:
    """The folder of real scans that a suite uses; the public ones are found by the environment, too.

    Raises:
        InputError: where a suite that is made of the public scans has no folder of them.
    """
    from demottle.benchmark.suites.real_scans import needed, real_folder

    folder = real_folder(given) if suite.public or cohort else given
    return needed(folder) if suite.only_public else folder


def minutes_of(asked: float | None, quick: bool, usual: float | None = None) -> float:
    """The time budget: the one asked for, else the suite's, else the usual one.

    Raises:
        typer.BadParameter: where it is not positive.
    """
    if asked is not None and not 0 < asked < 1e6:
        raise typer.BadParameter(f"{asked:g} is not a time to learn in; give minutes above 0", param_hint="--minutes")
    return asked or (QUICK_MINUTES if quick else usual or MINUTES)
