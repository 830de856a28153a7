"""`demottle study create`: a blinded study of two or more arms made from the same scans."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demottle.cli.evaluate.case import Reading
from demottle.cli.screen.console import out, shown
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import AcceptUneven, Debug, Modality, Spacing, parse_modality, parse_spacing
from demottle.cli.screen.progress import watch
from demottle.errors import counted

if TYPE_CHECKING:
    from demottle.study.design import Study

SHOWN = "What is shown"
_ARM = re.compile(r"[\w][\w .+-]{0,39}")


@guarded
def create(
    arm: Annotated[
        list[str], typer.Option("--arm", metavar="NAME=PATH", help="Scans of an arm; the first is the reference.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="STUDY", help="Folder of the study.")],
    design: Annotated[
        str, typer.Option(metavar="single|pairs", help="One image at a time, or side by side.", rich_help_panel=SHOWN)
    ] = "single",
    slices: Annotated[
        int,
        typer.Option(min=1, max=200, metavar="N", help="Slices of a case to scroll through.", rich_help_panel=SHOWN),
    ] = 9,
    per_scan: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Cases drawn from each scan (1).", rich_help_panel=SHOWN)
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="Slices to show of each scan, counted from 1.", rich_help_panel=SHOWN),
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Images shown twice (a fifth of all).", rich_help_panel=SHOWN),
    ] = None,
    title: Annotated[
        str, typer.Option(metavar="TEXT", help="Shown to readers: do not name an arm.", rich_help_panel=SHOWN)
    ] = "Reader study",
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the key goes (STUDY-key.json).")] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="The same seed gives the same study (drawn, and kept in the key)."),
    ] = None,
    spacing: Spacing = None,
    modality: Modality = None,
    accept_uneven: AcceptUneven = False,
    debug: Debug = False,
) -> None:
    """Make a blinded study of the same scans in two or more arms.

    An arm is one scan or a folder of scans, with the same names in all arms. No header goes into the study.
    Only the key says which image belongs to which arm.
    """
    arms = parse_arms(arm)
    _refuse_telling(title, arms)
    if at is not None and per_scan is not None:
        raise typer.BadParameter("names the cases already, so leave out --per-scan", param_hint="--at")
    from demottle.study import PAIRS, SINGLE, Plan
    from demottle.study import create as create_study

    if design not in (SINGLE, PAIRS):
        raise typer.BadParameter(f"'{design}' is neither {SINGLE} nor {PAIRS}", param_hint="--design")
    plan = Plan(design, slices, per_scan or 1, _parse_slices(at), repeats, seed, title)
    reading = Reading(parse_spacing(spacing), parse_modality(modality), accept_uneven)
    with watch() as listener:
        study, place = create_study(arms, output, reading.read, plan, key, listener)
    _say(study, len(arms), output, place)


def _say(study: "Study", arms: int, output: Path, key: Path) -> None:
    again = sum(trial.again is not None for trial in study.trials)
    out.print(f"Study  {shown(output)}", markup=False, soft_wrap=True)
    out.print(f"Key    {key}  (keep it from the readers)", markup=False, soft_wrap=True)
    out.print(
        f"{counted(len(study.cases), 'case')} in {arms} arms: {counted(len(study.trials), 'showing')} for each reader, "
        f"{again} of them for the second time.",
        soft_wrap=True,
    )
    out.print(f"Next: demottle study serve {shown(output)}", markup=False, soft_wrap=True)


def parse_arms(pairs: list[str]) -> dict[str, Path]:
    """Read "NAME=PATH" pairs; two or more, each name once."""
    arms: dict[str, Path] = {}
    for pair in pairs:
        name, equals, path = pair.partition("=")
        name = name.strip()
        if not equals or not path.strip():
            raise typer.BadParameter(f"'{pair}' is not of the form NAME=PATH", param_hint="--arm")
        if not _ARM.fullmatch(name):
            raise typer.BadParameter(f"'{name}' is not a name for an arm; use letters and digits", param_hint="--arm")
        if name in arms:
            raise typer.BadParameter(f"'{name}' is named twice; give each arm a name of its own", param_hint="--arm")
        arms[name] = Path(path.strip())
    if len(arms) < 2:
        raise typer.BadParameter("is needed twice or more: a study compares arms", param_hint="--arm")
    return arms


def _refuse_telling(title: str, arms: dict[str, Path]) -> None:
    told = [arm for arm in arms if re.search(rf"(?<!\w){re.escape(arm)}(?!\w)", title, re.IGNORECASE)]
    if told:
        raise typer.BadParameter(f"names the arm '{told[0]}', which readers must not know", param_hint="--title")


def _parse_slices(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a list of slices like 12,40", param_hint="--at") from None
    if len(set(numbers)) < len(numbers):
        raise typer.BadParameter(f"'{text}' names a slice twice", param_hint="--at")
    return numbers
