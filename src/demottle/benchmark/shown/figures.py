"""What is told of every result: names, units, digits, and which way is better."""

from dataclasses import dataclass
from typing import Literal

from demottle.benchmark.engine.results import Row

Better = Literal["high", "low", "zero", "one"]


@dataclass(frozen=True)
class Kind:
    """One figure.

    Attributes:
        key: in the rows.
        title, unit: in tables.
        better: which way is better; "zero", "one": nearer to that.
        digits: after the point.
        percent: shown times 100.
        tested: compared with the rival in paired tests.
    """

    key: str
    title: str
    unit: str
    better: Better
    digits: int = 2
    percent: bool = False
    tested: bool = False

    def named(self, unit: str = "HU") -> str:
        """Title and unit, errors in the suite's."""
        return f"{self.title} {unit if self.unit == 'HU' else self.unit}".strip()

    def of(self, row: Row) -> float | None:
        """The figure of a row, as it is shown; None where it was not measured."""
        value = {**row.get("quality", {}), **row.get("cost", {})}.get(self.key)
        return None if value is None else 100 * float(value) if self.percent else float(value)


QUALITY = (
    Kind("psnr", "PSNR", "dB", "high", tested=True),
    Kind("rmse", "RMSE", "HU", "low", tested=True),
    Kind("bias", "bias", "HU", "zero"),
    Kind("rmse_bone", "RMSE in bone", "HU", "low"),
    Kind("bias_dark", "bias where dark", "HU", "zero"),
    Kind("ssim", "SSIM", "", "high", 3, tested=True),
    Kind("dprime", "d'", "", "high", tested=True),
    Kind("contrast_large", "contrast, 15 mm 35 HU", "%", "one", 0, percent=True),
    Kind("contrast_faint", "contrast, 8 mm 20 HU", "%", "one", 0, percent=True, tested=True),
    Kind("contrast_small", "contrast, 6 mm 35 HU", "%", "one", 0, percent=True),
    Kind("f50", "f50 of 35 HU edges", "%", "one", 0, percent=True),
    Kind("nps_shift", "NPS mean, shift", "1/mm", "zero", 3),
    Kind("nps_peak_shift", "NPS peak, shift", "1/mm", "zero", 3),
    Kind("psnr_wire", "PSNR of wires", "dB", "high", tested=True),
    Kind("shift_fat", "fat", "HU", "zero"),
    Kind("shift_all_fat", "fat, thin layers too", "HU", "zero"),
    Kind("shift_fluid", "fluid", "HU", "zero"),
    Kind("shift_muscle", "muscle", "HU", "zero"),
    Kind("shift_bone", "bone", "HU", "zero"),
)
COST = (
    Kind("learning", "measure and learn", "s", "low", 1),
    Kind("per_slice", "per slice", "s", "low", 3),
    Kind("seconds", "whole scan", "s", "low", 1),
    Kind("cpu_seconds", "processor", "s", "low", 1),
    Kind("peak_mib", "peak memory", "MiB", "low", 0),
    Kind("joules", "energy", "J", "low", 0),
)
