"""Time and peak memory of `demottle simulate low-dose`, DICOM in and DICOM out, as the command line does it.

    DEMOTTLE_REAL_DATA=FOLDER python -m benchmarks.low_dose
    python -m benchmarks.low_dose --scan SCAN --dose 0.1

Without --scan it takes the public abdomen scan (64 slices of 512 x 512), which is first written as DICOM. Processor seconds
are those of all cores together: they hold on a busy machine too. The limit is on the time that passed.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from demottle import io

LIMIT_GIB, LIMIT_MINUTES = 4.0, 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scan", type=Path, help="DICOM series; else the public abdomen scan")
    parser.add_argument("--dose", type=float, default=0.25)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        scan = wanted.scan or abdomen_as_dicom(Path(temporary) / "scan")
        out = Path(temporary) / "out"
        command = [sys.executable, "-m", "demottle", "simulate", "low-dose", str(scan), "-o", str(out)]
        seconds, processor, peak = measured([*command, "--dose", str(wanted.dose)])
        written = len(list(out.iterdir()))
    print(
        f"{written} files written in {seconds:.0f} s, of which {processor:.0f} processor seconds; peak {peak:.2f} GiB"
    )
    if peak > LIMIT_GIB or seconds > 60 * LIMIT_MINUTES:
        raise SystemExit(f"The aim is {LIMIT_GIB:g} GiB and {LIMIT_MINUTES:g} minutes.")


def abdomen_as_dicom(folder: Path) -> Path:
    """The public scan as the DICOM series that it once was."""
    image = io.read(Path(os.environ["DEMOTTLE_REAL_DATA"]) / "abdomen-ct" / "ct.nii.gz", modality="CT")
    source = io.described("Abdomen, TCIA TCGA-OV", "ABDOMEN")
    io.write(replace(image, source=source, slice_thickness=image.spacing[0]), folder, format="dicom")
    return folder


def measured(command: list[str]) -> tuple[float, float, float]:
    """Run a command; returns its seconds, processor seconds (user and system) and peak resident memory in GiB."""
    started = time.monotonic()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}.")
    unit = 1 if platform.system() == "Darwin" else 1024  # bytes there, kilobytes elsewhere
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 2**30


if __name__ == "__main__":
    main()
