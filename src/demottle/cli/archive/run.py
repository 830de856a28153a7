"""`demottle archive run`: do what the plan says with every series, on this machine or on many, and go on where it was stopped."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from demottle.cli.archive import run_arguments as arguments
from demottle.cli.archive.run_screen import RunScreen
from demottle.cli.gate import Force, LimitsFile, limits_of
from demottle.cli.screen.console import say, say_error, show_json
from demottle.cli.screen.guard import CANNOT, STOPPED, guarded
from demottle.cli.screen.options import Debug, Json
from demottle.cli.screen.stopping import signals_wait
from demottle.errors import InputError

if TYPE_CHECKING:
    from demottle.archive.run.drive import Told
    from demottle.archive.run.engines.engine import Engine
    from demottle.archive.run.order import Order
    from demottle.archive.run.state import State


@guarded
def run(
    archive: arguments.ArchiveFolder,
    output: arguments.Output = None,
    verb: arguments.Verb = "denoise",
    name: arguments.Name = None,
    jobs: arguments.Jobs = 1,
    ray: arguments.Ray = False,
    address: arguments.Address = None,
    cpus: arguments.Cpus = None,
    gpus: arguments.Gpus = 0.0,
    memory: arguments.Memory = 0.0,
    retry_failed: arguments.RetryFailed = False,
    dose: arguments.Dose = None,
    accept_truncated: arguments.AcceptTruncated = False,
    of: arguments.Of = None,
    to: arguments.To = None,
    destination: arguments.DestinationName = None,
    no_page: arguments.NoPage = False,
    limits: LimitsFile = None,
    force: Force = False,
    seed: arguments.Seed = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Denoise, inspect, evaluate or simulate every series of an archive.

    Begun again with the same name it does what is not yet done. Ctrl-C waits for the series that are at work; pressed twice, it
    leaves them, to be begun anew.
    """
    from demottle.archive.layout import Archive
    from demottle.archive.run.begin import folder_of_run
    from demottle.archive.run.order import VERBS, Order

    if verb not in VERBS:
        raise InputError(f"'{verb}' is not what a run can do; it is one of {', '.join(VERBS)}.")
    data = Archive(archive)
    told, folder = data.told(), folder_of_run(data, name or verb)
    if to is None and destination is not None:
        raise typer.BadParameter("names a destination of the file that --to gives", param_hint="--destination")
    order = Order(
        archive=archive.absolute(),
        root=Path(told.root),
        folder=folder.absolute(),
        limits=limits_of(limits),
        force=force,
        pages=not no_page,
        accept_truncated=accept_truncated,
        threads=_threads(jobs, ray or address is not None, cpus),
    )
    engine = {"jobs": jobs, "ray": ray, "address": address, "cpus": cpus or 1.0, "gpus": gpus, "memory": memory}
    given = {
        "output": None if output is None else str(output.absolute()),
        "evaluated": of,
        "destination": _destination(to, destination, verb),
        "dose": dose,
        "seed": seed,
    }
    _tell(_run(order, verb, given, engine, retry_failed), archive, name or verb, as_json)


def _threads(jobs: int, ray: bool, cpus: float | None) -> int:
    """Threads of one task: one process has the machine for itself, several share it."""
    import os

    if cpus is not None:
        return max(1, round(cpus))
    return 0 if jobs == 1 and not ray else 1 if ray else max(1, (os.cpu_count() or 1) // jobs)


def _destination(to: Path | None, name: str | None, verb: str) -> list[str] | None:
    """Look at the destination before the work."""
    if to is None:
        return None
    from demottle.node.toml_file import read_destination_of

    if verb != "denoise":
        raise InputError("Only results of denoising are sent; leave out --to.")
    return [read_destination_of(to, name)[0].name, str(to.absolute())]


def _run(order: "Order", verb: str, given: dict[str, Any], engine: dict[str, Any], retry: bool) -> "Told":
    """Take in what is to be done, and do it."""
    from demottle.archive.layout import Archive
    from demottle.archive.run.begin import begun
    from demottle.archive.run.drive import BY_THE_USER, Told, drive, take_back
    from demottle.archive.run.entering import enter
    from demottle.archive.run.pace import Pace
    from demottle.archive.sole import sole_program

    state, order = begun(order, verb, given)
    with sole_program(order.folder):
        new = sum(state.counts().values()) == 0
        recovered = take_back(order, state)
        added = enter(Archive(order.archive), state, verb, order.evaluated)
        again = state.retry_failed() if retry else 0
        _say_before(state, new, added, recovered, again)
        if not state.counts()["waiting"]:
            from demottle.archive.run.results import write_results

            write_results(order.folder, state)
            return Told(state, Pace())
        with signals_wait() as stop:
            started = _engine(order, **engine)
            try:
                with RunScreen(stop) as screen:
                    return drive(order, state, started, stop, screen)
            except KeyboardInterrupt:  # what was at work waits again
                return Told(state, Pace(), BY_THE_USER, stopping=True)


def _engine(
    order: "Order", jobs: int, ray: bool, address: str | None, cpus: float, gpus: float, memory: float
) -> "Engine":
    """What runs the tasks."""
    from demottle.archive.run.drive import ATTEMPTS
    from demottle.archive.run.engines.cluster import Cluster
    from demottle.archive.run.engines.plain import Plain
    from demottle.archive.run.engines.processes import Processes

    if ray or address is not None:
        say("Starting Ray ..." if address is None else f"Joining the cluster at {address} ...", style="dim")
        return Cluster(order, jobs, address, cpus, gpus, memory, ATTEMPTS)
    return Plain(order) if jobs == 1 and not order.threads else Processes(order, jobs)


def _say_before(state: "State", new: bool, added: int, recovered: int, again: int) -> None:
    counts = state.counts()
    if not new:
        say(f"Going on: {counts['done']} of {sum(counts.values())} series are done.")
    if recovered:
        say(f"{recovered} more had ended when the program was killed.")
    if not new and added:
        say(f"{added} are new.")
    if again:
        say(f"{again} that failed are tried again.")


def _tell(told: "Told", archive: Path, name: str, as_json: bool) -> None:
    """Say how it ended; exit code 2 where series failed or it could not go on, 130 where it was stopped."""
    from demottle.archive.run.drive import BY_THE_USER

    counts = told.state.counts()
    if as_json:
        show_json({"run": name, **counts, "stopped": told.why})
    total = sum(counts.values())
    left = counts["waiting"] + counts["running"]
    named = "" if name == "denoise" else f" --name {name}"
    go_on = f"'demottle archive run {archive}{named}' goes on"
    if told.why and left:
        say_error(f"{told.why} {counts['done']} of {total} series are done, {left} are left; {go_on}.")
        raise typer.Exit(STOPPED if told.why == BY_THE_USER else CANNOT)
    if not total:
        raise InputError(
            f"There is no series to do: the plan of {archive} leaves all of them; see its table of reasons."
        )
    say(
        f"{counts['done']} of {total} series are done; 'demottle archive report {archive} -o page.html{named}' shows them."
    )
    if counts["failed"]:
        say_error(f"{counts['failed']} of {total} series failed:")
        for folder, reason in told.state.failures(10):
            say(f"  {folder}: {reason}", style="red")
        if counts["failed"] > 10:
            say(f"  ... and {counts['failed'] - 10} more, with their reasons in the report", style="red")
        raise typer.Exit(CANNOT)
