"""`demottle archive index`: what lies in an archive, as one data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from demottle.cli.archive.words import size_of
from demottle.cli.screen.console import heading, out, say, show_json, shown
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Json
from demottle.cli.screen.progress import watch
from demottle.errors import counted

if TYPE_CHECKING:
    from demottle.archive.index.indexing import Indexed

_LISTED = 12


@guarded
def index(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder with the archive's DICOM files.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="ARCHIVE", help="Folder for the data set.")],
    with_names: Annotated[
        bool, typer.Option("--with-names", metavar="", help="Keep patients' IDs and names in the data set.")
    ] = False,
    readers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes that read. Default: one for each core.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List every series below ROOT, with what its headers say and what is wrong with it, as Parquet files.

    Reads headers only. The same command again reads what is new or changed alone, also after it was stopped or killed.
    """
    from demottle.archive.index.indexing import index as run

    with watch() as listener:
        found = run(root, output, names=with_names, readers=readers, listener=listener)
    if as_json:
        told = {name: [list(one) for one in getattr(found, name)] for name in ("reasons", "kinds")}
        show_json({**vars(found), **told})
        return
    _show(found, output)


def _show(found: "Indexed", output: Path) -> None:
    gone = f", {counted(found.gone, 'file')} gone" if found.gone else ""
    read = f"{counted(found.read, 'file')} read{gone}"
    heading(f"{found.series:,} series in {found.files:,} files, {size_of(found.bytes)}", read)
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for name in ("modality", "scanner"):
        table.add_column(name)
    for name in ("series", "slices", "size"):
        table.add_column(name, justify="right")
    for modality, scanner, series, slices, size in found.kinds[:_LISTED]:
        table.add_row(shown(modality), shown(scanner) or "not stated", f"{series:,}", f"{slices:,}", size_of(size))
    out.print(table)
    if len(found.kinds) > _LISTED:
        out.print(f"and {len(found.kinds) - _LISTED} more kinds", style="dim")
    if found.series_wrong:
        they_are = "it is" if found.series_wrong == 1 else "they are"
        place = output / "series.parquet"
        out.print(f"{found.series_wrong:,} series cannot be read as {they_are}; why stands in {place}.", markup=False)
    if found.files_wrong:
        out.print(f"{counted(found.files_wrong, 'file')} left out:")
        for why, count, example in found.reasons[:_LISTED]:
            out.print(f"  {count:,}: {shown(why)} ({shown(example)})", markup=False)
        if len(found.reasons) > _LISTED:
            out.print(f"  and {len(found.reasons) - _LISTED} more reasons", style="dim")
    if found.hidden:
        what = "file or folder" if found.hidden == 1 else "files and folders"
        say(f"{found.hidden:,} hidden {what} left out.")
