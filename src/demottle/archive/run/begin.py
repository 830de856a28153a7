"""A run is begun, or gone on with: its folder, its order, and what may not change in between."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from demottle.archive.layout import Archive
from demottle.archive.run.order import WRITING, Order
from demottle.archive.run.state import FILE, State
from demottle.errors import InputError, OutputError

_NAME = re.compile(r"\w[\w.-]{0,63}")
_TOLD = "order"
_BEGUN_WITH: dict[str, tuple[str, Any]] = {
    "verb": ("what is done (--verb)", "denoise"),
    "output": ("the place of the results (-o)", None),
    "evaluated": ("the run that is evaluated (--of)", "denoise"),
    "destination": ("the destination (--to)", None),
    "dose": ("the dose (--dose)", 0.25),
    "seed": ("the seed (--seed)", 0),
}
"""What cannot change while a run lasts: its words, and what is taken where nothing is given."""


def folder_of_run(archive: Archive, name: str) -> Path:
    """The folder of a run.

    Raises:
        InputError: the name is none for a folder.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"'{name}' is not a name for a run; use up to 64 letters, digits, dots and dashes.")
    return archive.runs / name


def known_run(archive: Archive, name: str) -> Path:
    """The folder of a run that was begun.

    Raises:
        InputError: there is none of that name; those that there are are named.
    """
    folder = folder_of_run(archive, name)
    if (folder / FILE).is_file():
        return folder
    there = runs_of(archive)
    told = f"there is {', '.join(there)}" if there else "none was begun yet"
    raise InputError(f"{archive.folder} holds no run '{name}': {told}.")


def runs_of(archive: Archive) -> list[str]:
    """Names of all runs."""
    return sorted(file.parent.name for file in archive.runs.glob(f"*/{FILE}"))


def begun(order: Order, verb: str, given: Mapping[str, Any]) -> tuple[State, Order]:
    """Open the state of a run, and complete its order: what it was begun with holds, and what is given again has to be the same.

    Args:
        order: what may change from one time to the next.
        verb: what is done.
        given: of `_BEGUN_WITH`, as plain values; None for what was not given.

    Raises:
        InputError: something else was given than the run was begun with.
        OutputError: the place of the results is not one for them, or there is none. Nothing is left of a new run then.
    """
    asked = {**given, "verb": verb}
    new = {name: asked[name] if asked[name] is not None else usual for name, (_, usual) in _BEGUN_WITH.items()}
    evaluated = new["evaluated"] if verb == "evaluate" else None
    if not (order.folder / FILE).is_file():
        _refuse_place(verb, order, new)
        if evaluated is not None:
            known_run(Archive(order.archive), evaluated)
    state = State(order.folder)
    known = state.told(_TOLD)
    if known is None or not any(state.counts().values()):
        _refuse_place(verb, order, new)
        known = new
        state.tell(_TOLD, known)
    _refuse_other(known, asked, order.folder.name)
    place, of, to = known["output"], known["evaluated"], known["destination"]
    made = replace(
        order,
        output=None if place is None else Path(place),
        evaluated=known_run(Archive(order.archive), of) if verb == "evaluate" else None,
        destination=None if to is None else (to[0], Path(to[1])),
        dose=known["dose"],
        seed=known["seed"],
    )
    return state, made


def _refuse_other(known: Mapping[str, Any], asked: Mapping[str, Any], name: str) -> None:
    for one, (what, _) in _BEGUN_WITH.items():
        if asked[one] is not None and asked[one] != known[one]:
            was = known[one] if known[one] is not None else "nothing"
            raise InputError(
                f"The run '{name}' was begun with another value for {what}: {was}; leave that out to go on with it, or begin a "
                "run of another name (--name)."
            )


def _refuse_place(verb: str, order: Order, known: Mapping[str, Any]) -> None:
    """Refuse places within the scans, or that hold something."""
    from demottle.io.output import refuse_inputs, refuse_unwritable

    if verb not in WRITING:
        if known["output"] is not None:
            raise InputError(f"{verb} writes no images, so there is no place to give; leave out -o.")
        return
    if known["output"] is None:
        raise OutputError("The run needs a place for its results; give it with -o OUT.")
    output = Path(known["output"])
    trees = [output.with_name(output.name + ending) for ending in ("", "-report", "-refused", "-refused-report")]
    refuse_inputs(trees, [order.root, order.archive])
    taken = next((one for one in trees if one.exists() and (one.is_file() or any(one.iterdir()))), None)
    if taken is not None:
        raise OutputError(f"{taken} exists already and is not empty; choose another place.")
    refuse_unwritable(output.parent)
