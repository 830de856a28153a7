"""How fast a student runs live (`demottle.stream.pace`), measured in a process of its own."""

import json
import subprocess
import sys
from typing import Literal

from demottle.benchmark.suites.cases import Finding
from demottle.errors import DemottleError


def measured(size: int, student: Literal["light", "paper"], frames: int, rate: float) -> Finding:
    """Run frames of `size` rows and columns as fast as they are taken, and at `rate` frames per second.

    Raises:
        DemottleError: where the run failed; the sentence says why.
    """
    asked = json.dumps({"size": size, "student": student, "frames": frames, "rate": rate})
    command = [sys.executable, "-m", "demottle.stream.pace", asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise DemottleError(f"The live run ended with {done.returncode}: {said[-1][:300]}.")
    found = json.loads(done.stdout.splitlines()[-1])
    return Finding(found["quality"], found["said"])
