"""The worker's process: `python -m demottle.node.work.worker CONFIG`. It ends when its standard input does: the node is gone."""

import os
import sys
import threading
import time
from pathlib import Path

from demottle.node.disk import QUEUE, alone, clear
from demottle.node.log import begin_log, complain, plain
from demottle.node.memory import give_back
from demottle.node.queue import rounds
from demottle.node.queue.store import Queue
from demottle.node.toml_file import read_configuration
from demottle.node.work.denoising import FULL, work_on
from demottle.node.work.shared import SharedModels

_LOOK = 0.1  # seconds between looks into the queue
_FULL = 30.0  # seconds to wait where the disk does not take results


def main(config: Path) -> None:
    """Do rounds until the node ends."""
    begin_log()
    threading.Thread(target=_end_with_the_node, daemon=True).start()
    told = read_configuration(config)
    with alone(told.folder, "worker", wait=True):  # one that the last node left may still be at a step
        queue = Queue(told.folder / QUEUE)
        clear(told.folder / "work")
        rounds.unclaim(queue)
        models = SharedModels(told.folder / "models")
        while True:
            try:
                round = rounds.claim(queue) if rounds.waits(queue) else None
                if round is not None:
                    work_on(told, queue, round, models)
                    give_back()
            except FULL as error:
                complain(f"results cannot be written ({plain(error, 80)}); next try in {_FULL:g} s")
                _rest(queue)
            else:
                time.sleep(_LOOK if round is None else 0)


def _rest(queue: Queue) -> None:
    """Wait where the disk takes nothing, and give back what was claimed once it does."""
    while True:
        time.sleep(_FULL)
        try:
            return rounds.unclaim(queue)
        except FULL:
            continue


def _end_with_the_node() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
