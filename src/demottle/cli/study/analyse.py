"""`demottle study analyse`: what the readers said, unblinded, with tests."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demottle.cli.screen.console import out, say_warnings, show_json, shown
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Json
from demottle.cli.study.serve import Folder
from demottle.io.output import publishing, refuse_existing, refuse_inputs

if TYPE_CHECKING:
    from demottle.study import Analysis

RESULTS = "Results"


@guarded
def analyse(
    study: Folder,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="The key (STUDY-key.json).")] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="ARM", help="Compare with this arm instead of the first.")
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0.01, max=4, metavar="POINTS", help="Non-inferiority margin, set beforehand.")
    ] = 0.5,
    resamples: Annotated[
        int, typer.Option(min=200, max=1_000_000, metavar="N", help="Resamples of the bootstrap.")
    ] = 4000,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the bootstrap.")] = 0,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the results.", rich_help_panel=RESULTS)
    ] = None,
    ratings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every answer as CSV.", rich_help_panel=RESULTS)
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the page.", rich_help_panel=RESULTS)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", metavar="", help="Replace earlier results.", rich_help_panel=RESULTS)
    ] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Analyze a study: scores of each arm, tests against the reference, agreement of readers.

    It reads the key, so run it only when all readers have finished.
    """
    from demottle.study import analysis
    from demottle.study.files import key_file
    from demottle.study.tables import write_answers, write_results

    results = [path for path in (csv, ratings, html) if path is not None]
    key = key or key_file(study)
    refuse_inputs(results, (study, key))  # results name the arms, so they must not lie where readers' files do
    if not overwrite:
        refuse_existing(results)
    loaded = analysis.load(study, key)
    found = analysis.analyse(loaded, reference, margin, resamples, seed)
    with publishing(results, overwrite=overwrite) as at:
        if csv is not None:
            write_results(found, at[csv])
        if ratings is not None:
            write_answers(loaded, at[ratings])
        if html is not None:
            from demottle.study.page import write_study_page

            write_study_page(found, at[html])
    if as_json:
        show_json(found.to_dict())
        return
    _show(found, {"Results": csv, "Answers": ratings, "Page": html})


def _show(found: "Analysis", written: dict[str, Path | None]) -> None:
    from demottle.cli.study.tables import show_study

    say_warnings(found.warnings)
    show_study(found)
    for name, path in written.items():
        if path is not None:
            out.print(f"{name:<8} {shown(path)}", markup=False, soft_wrap=True)
