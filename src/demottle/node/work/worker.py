"""The worker's process: `python -m demottle.node.work.worker CONFIG`. It ends when its standard input does: the node is gone."""

import os
import sys
import threading
import time
from pathlib import Path

from demottle.node.disk import QUEUE, alone, clear
from demottle.node.log import begin_log, complain
from demottle.node.memory import give_back
from demottle.node.queue import rounds
from demottle.node.queue.store import Queue
from demottle.node.toml_file import read_configuration
from demottle.node.work.denoising import work_on
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
            round = rounds.claim(queue) if rounds.waits(queue) else None
            if round is None:
                time.sleep(_LOOK)
                continue
            try:
                work_on(told, queue, round, models)
            except OSError as error:
                complain(f"results cannot be written ({error.strerror}); next try in {_FULL:g} s")
                time.sleep(_FULL)
                rounds.postponed(queue, round.id)
            give_back()


def _end_with_the_node() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
