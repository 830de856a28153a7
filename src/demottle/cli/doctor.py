"""`demottle doctor`: whether scans can be denoised on this machine, and how fast."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from demottle.cli.screen.console import heading, out, say_warnings, show_json
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Json
from demottle.cli.screen.progress import clock, watch
from demottle.cli.screen.tables import facts
from demottle.errors import counted

if TYPE_CHECKING:
    from demottle.doctor.diagnosis import Diagnosis
    from demottle.io.dicom.decoders import TransferSyntax

PROBLEMS = 1  # the exit code where the main job cannot run


@guarded
def doctor(
    quick: Annotated[bool, typer.Option("--quick", metavar="", help="Skip the timing.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Check whether this machine can denoise scans, and how fast. Exit code 1 if it cannot."""
    from demottle.doctor.diagnosis import examine

    with watch() as listener:
        found = examine(quick=quick, listener=listener)
    if as_json:
        show_json(found.to_dict())
    else:
        _show_installed(found)
        _show_dicom(found)
        _show_machine(found)
        say_warnings(found.notes)
        _show_verdict(found)
    if found.problems:
        raise typer.Exit(PROBLEMS)


def _show_installed(found: "Diagnosis") -> None:
    heading("Installed")
    table = facts()
    table.add_row("demottle", f"{found.version}, Python {found.python}")
    fitting = [package for package in found.packages if package.fits]
    if found.packages:
        versions = ", ".join(f"{package.name} {package.version}" for package in fitting)
        table.add_row(f"{len(fitting)} of {len(found.packages)} needed", Text(versions))
    for extra in found.extras:
        state = "there" if extra.complete else f'not there: pip install "demottle[{extra.name}]"'
        table.add_row(f"extra {extra.name}", Text.assemble(state, (f"  for {extra.purpose}", "dim")))
    there = [name for name, is_there in found.programs.items() if is_there]
    absent = [name for name, is_there in found.programs.items() if not is_there]
    named = "; ".join(f"{word}: {', '.join(names)}" for word, names in (("there", there), ("not", absent)) if names)
    table.add_row("programs", Text.assemble(named, ("  not needed; they check our files in the tests", "dim")))
    out.print(table)


def _show_dicom(found: "Diagnosis") -> None:
    heading("DICOM pixels")
    table = facts()
    for word, readable in (("readable", True), ("not readable", False)):
        names = [_with_decoders(kind) for kind in found.syntaxes if kind.readable == readable]
        if names:
            table.add_row(word, Text("; ".join(names)))
    out.print(table)


def _with_decoders(kind: "TransferSyntax") -> str:
    return f"{kind.name} ({', '.join(kind.decoders)})" if kind.decoders else kind.name


def _show_machine(found: "Diagnosis") -> None:
    heading("This machine")
    table, here, device = facts(), found.machine, found.device
    table.add_row("system", here.system)
    table.add_row("processor", f"{here.processor}, {counted(here.cores, 'core')}")
    if device is not None:
        size = "" if device.memory is None else f" with {device.memory:.0f} GiB"
        where = (
            f"GPU {device.name}{size}" if device.kind == "cuda" else f"processor, {counted(device.threads, 'thread')}"
        )
        precision = "fast" if device.fast_bfloat16 else "slow, so single precision is used"
        table.add_row("computes on", f"{where}; half precision (bfloat16) is {precision}")
    if here.memory_free is not None:
        table.add_row("memory", f"{here.memory_free:.1f} GiB free")
    if here.disk_free is not None:
        table.add_row("disk", Text(f"{here.disk_free:.1f} GiB free in {here.temporary}"))
    if found.pace is not None:
        table.add_row("a step of learning", clock(found.pace.step))
        table.add_row("around it", Text.assemble(clock(found.pace.once), ("  once for each scan", "dim")))
        table.add_row("a slice", Text.assemble(clock(found.pace.slice), ("  to measure, denoise and check", "dim")))
    out.print(table)


def _show_verdict(found: "Diagnosis") -> None:
    out.print()
    for problem in found.problems:
        out.print(Text.assemble(("Problem: ", "bold red"), problem))
    if not found.problems:
        here = "Scans can be denoised here"
        took = "" if found.pace is None else f": 64 slices of 512 x 512 take about {_in_words(found.pace.scan)}"
        out.print(Text(f"{here}{took}{', learning included' if took else ''}.", style="green"))
    out.print("A bug to report? Add what 'demottle doctor --json' prints; it holds no patient data.", style="dim")


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return counted(max(1, round(seconds)), "second")
    return counted(round(seconds / 60), "minute")
