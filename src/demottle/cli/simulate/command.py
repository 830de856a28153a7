"""`demottle simulate`: noisy scans whose truth is known. Each command has a file of its own; this one gathers them."""

import typer

from demottle.cli.screen.speaking import Verb
from demottle.cli.simulate.fluoroscopy import fluoroscopy
from demottle.cli.simulate.low_dose import low_dose
from demottle.cli.simulate.phantom import phantom

simulate = typer.Typer(name="simulate", help="Simulate noisy scans whose truth is known.", no_args_is_help=True)
simulate.command(cls=Verb)(phantom)
simulate.command(cls=Verb)(low_dose)
simulate.command(cls=Verb)(fluoroscopy)


@simulate.callback()
def _simulate() -> None:
    """Keep `simulate` a group however many commands it has."""
