"""`demottle study serve`: the page on which readers answer."""

from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.screen.console import out, say
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug
from demottle.errors import counted

Folder = Annotated[Path, typer.Argument(metavar="STUDY", help="Folder that 'study create' made.")]


@guarded
def serve(
    study: Folder,
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Port; 0: any free one.")] = 8642,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Address; any other opens the study to the network, without a password."),
    ] = "127.0.0.1",
    browser: Annotated[bool, typer.Option("--open", metavar="", help="Open the page in a browser.")] = False,
    debug: Debug = False,
) -> None:
    """Serve the page of a study on this machine until Ctrl-C; every answer is saved at once.

    Readers give an alias, see the images in an order of their own, and may stop and resume at any time.
    """
    from demottle.study.application import Application
    from demottle.study.server import address_of, is_loopback, listening

    application = Application(study)
    with listening(application, host, port) as server:
        address = address_of(server)
        out.print(f"{application.study.title}: {address}", markup=False, soft_wrap=True)
        for reader, done in application.progress.items():
            say(f"  {reader}: {done} of {len(application.study.trials)} finished", style="dim")
        if not is_loopback(host):
            say("Anyone who reaches this machine over the network can see the images and answer.", style="yellow")
        say("Stop with Ctrl-C; readers can continue later.", style="dim")
        if browser:
            import webbrowser

            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            done = sum(application.progress.values())
            readers = counted(len(application.progress), "reader")
            say(f"\nStopped. {counted(done, 'finished showing')} of {readers} are saved in {study}.")
