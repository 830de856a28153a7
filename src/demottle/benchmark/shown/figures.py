"""What is told of every result: names, units, digits, and which way is better."""

from dataclasses import dataclass

from demottle.benchmark.engine.results import Row
from demottle.quality.measures import IMAGE_UNIT, Better, measure


@dataclass(frozen=True)
class Kind:
    """One figure.

    Attributes:
        key: in the rows.
        title, unit: in tables.
        better: as in `Measure`.
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


def _as_measured(key: str, tested: bool = False) -> Kind:
    """The figure that `demottle evaluate` tells too, called and written the same here."""
    row = measure(key)
    return Kind(key, row.title, "HU" if row.unit == IMAGE_UNIT else row.unit, row.better, row.digits, tested=tested)


_OF_PROMISES: tuple[tuple[str, str, Better], ...] = (
    ("noise_noise", "-45 % noise: noise", "down"),
    *((f"noise_f{level}_{hu}", f"f{level}, {hu} HU", "one") for hu in (35, 100) for level in (50, 10)),
    ("sharp_noise", "90 % of f50: noise", "down"),
    *((f"sharp_f50_{hu}", f"f50, {hu} HU again", "one") for hu in (35, 100)),
    ("apart", "f50 told - true, most", "zero"),
)


def _title(key: str) -> str:
    """What a measure is called, for figures that are this measure of something in particular."""
    return measure(key).title


_COVERED = {
    "all": "within 1.645 SE: all", "lung": "lung", "fat": "fat", "fluid": "fluid", "soft": "soft tissue",
    "vessel": "enhanced vessel", "bone": "bone", "edges": "edges", "sure": "least SE", "unsure": "most SE",
}  # fmt: skip
_ADDED = {
    "": "added time", "_complete": "completing", "_read": "reading and gate", "_measure": "measuring", "_learn": "learning",
    "_apply": "applying", "_check": "checking", "_write": "writing", "_page": "page", "_send": "sending",
    "_first": "first of the protocol",
}  # fmt: skip
_GROWTH = {
    "network_slope": ("per 100 series: network process", "MiB"),
    "worker_slope": ("worker", "MiB"),
    "descriptors_slope": ("descriptors", ""),
    "journal_slope": ("journal", "MiB"),
}
QUALITY = (
    _as_measured("psnr", tested=True),
    _as_measured("rmse", tested=True),
    _as_measured("bias"),
    Kind("rmse_bone", f"{_title('rmse')} in bone", "HU", "down"),
    Kind("bias_dark", f"{_title('bias')} where dark", "HU", "zero"),
    _as_measured("ssim", tested=True),
    Kind("ldct_psnr", f"{_title('psnr')}, ldct-benchmark", "dB", "up", tested=True),
    Kind("ldct_ssim", f"{_title('ssim')}, ldct-benchmark", "", "up", 3, tested=True),
    Kind("ldct_rmse", f"{_title('rmse')}, ldct-benchmark", "HU", "down"),
    Kind("psnr_2000", f"{_title('psnr')}, peak 2000 HU", "dB", "up"),
    Kind("dprime", _title("dprime_cho"), "", "up", tested=True),
    Kind("contrast_large", f"{_title('contrast')}, 15 mm 35 HU", "%", "one", 0, percent=True),
    Kind("contrast_faint", f"{_title('contrast')}, 8 mm 20 HU", "%", "one", 0, percent=True, tested=True),
    Kind("contrast_small", f"{_title('contrast')}, 6 mm 35 HU", "%", "one", 0, percent=True),
    Kind("f50", f"{_title('f50')} of 35 HU edges", "%", "one", 0, percent=True),
    Kind("nps_shift", f"{_title('nps_mean')}, shift", "1/mm", "zero", 3),
    _as_measured("nps_peak_shift"),
    Kind("noise_stated", "noise over that of the stated dose", "", "one"),
    Kind("psnr_wire", f"{_title('psnr')} of wires", "dB", "up", tested=True),
    Kind("shift_fat", "fat", "HU", "zero"),
    Kind("shift_all_fat", "fat, thin layers too", "HU", "zero"),
    Kind("shift_fluid", "fluid", "HU", "zero"),
    Kind("shift_muscle", "muscle", "HU", "zero"),
    Kind("shift_bone", "bone", "HU", "zero"),
    Kind("passes", "passes", "%", "up", 0, percent=True),
    Kind("error", "error", "HU", "down"),
    Kind("error_input", "input's", "HU", "down"),
    Kind("error_best", "best's", "HU", "down"),
    Kind("above_best", "above the best", "HU", "down", 3),
    Kind("error_live", "live plan's", "HU", "down"),
    *(Kind(f"wire_contrast_{depth}", f"{_title('contrast')}, wires of {depth}", "", "one") for depth in (1, 2, 4)),
    *(Kind(f"wire_seen_{depth}", f"detectability, wires of {depth}", "", "up") for depth in (1, 2, 4)),
    Kind("wire_estimated", "the same of 1, estimated", "", "up"),
    Kind("told_right", "tissues told right", "%", "up", 0, percent=True),
    Kind("told_apart", "told - true", "HU", "down"),
    Kind("level_apart", "level over the truth's, less 1", "%", "zero", 1, percent=True),
    Kind("rho_apart", "slice correlation, told - true", "", "zero", 3),
    Kind("middle_apart", "the same in the middle", "%", "zero", 1, percent=True),
    Kind("rim_apart", "at the rim", "%", "zero", 1, percent=True),
    Kind("worst_apart", "in the worst place", "%", "zero", 1, percent=True),
    Kind("map_correlation", "correlation of the level maps", "", "up", 3),
    Kind("power_apart", "power above half the cut-off, less the truth's", "%", "zero", 1, percent=True),
    Kind("mean_apart", "mean frequency over the truth's, less 1", "%", "zero", 1, percent=True),
    Kind("tsnr", "tSNR", "", "up", 1),
    Kind("beta", "slope", "%", "one", 0, percent=True),
    Kind("t_active", "t", "", "up"),
    Kind("fps", "frames per second", "", "up", 1),
    Kind("frame_ms", "a frame", "ms", "down", 1),
    Kind("latency_ms", "latency at 30 a second", "ms", "down", 1),
    Kind("latency_p99_ms", "its 99th percentile", "ms", "down", 1),
    Kind("dropped", "dropped", "%", "down", 0, percent=True),
    Kind("largest_honest", "largest spot, honest", "", "down"),
    Kind("small_caught", "6 mm caught", "%", "up", 0, percent=True),
    Kind("small_possible", "6 mm possible", "%", "up", 0, percent=True),
    Kind("lesions_caught", "lesions caught", "%", "up", 0, percent=True),
    Kind("lesions_possible", "lesions possible", "%", "up", 0, percent=True),
    *(Kind(key, title, "%", better, 0, percent=True) for key, title, better in _OF_PROMISES),
    Kind("bias_caught", "added 2 HU caught", "%", "up", 0, percent=True),
    Kind("rate", "slices a second", "", "up", 0),
    Kind("rate_orthanc", "Orthanc", "", "none", 0),
    Kind("rate_ratio", "of Orthanc's", "%", "up", 0, percent=True),
    Kind("network_mib", "network process", "MiB", "down", 0),
    Kind("descriptors", "descriptors", "", "down", 0),
    Kind("worker_new_mib", "worker, new", "MiB", "down", 0),
    Kind("worker_after_mib", "worker, after work", "MiB", "down", 0),
    Kind("beside_mib", "beside the denoising", "MiB", "down", 0),
    Kind("large_seconds", "large object", "s", "down", 1),
    Kind("series", "series", "", "none", 0),
    Kind("arrived", "arrived", "", "up", 0),
    Kind("told", "left or failed, with a reason", "", "none", 0),
    Kind("lost", "lost", "", "down", 0),
    Kind("doubled", "objects sent twice", "", "down", 0),
    Kind("again", "done again", "", "none", 0),
    *(
        Kind(f"{key}{ending}", "± half of its interval" if ending else title, "" if ending else unit, "zero", 2)
        for key, (title, unit) in _GROWTH.items()
        for ending in ("", "_half")
    ),
    *(Kind(f"added{key}", title, "s", "down", 1) for key, title in _ADDED.items()),
    Kind("journal_mib", "journal, most", "MiB", "down", 1),
    Kind("faster", "two workers over one", "", "up"),
    Kind("loops_faster", "two plain loops at once over one", "", "up"),
    Kind("series_per_hour", "series an hour", "", "up", 0),
    *(
        Kind(f"{key}{ending}", f"{name}: {title}", "%", "down", 2, percent=True)
        for ending, title in (("_own", "added time"), ("_processor", "processor time beside"))
        for key, name in (("processes", "processes"), ("ray", "Ray"))
    ),
    Kind("grown_mib", "grown since a tenth of the series", "MiB", "down", 1),
    Kind("per_second", "series a second", "", "up", 0),
    *(Kind(f"covered_{key}", name, "%", "none", 1, percent=True) for key, name in _COVERED.items()),
)
COST = (
    Kind("learning", "measure and learn", "s", "down", 1),
    Kind("per_slice", "per slice", "s", "down", 3),
    Kind("seconds", "whole scan", "s", "down", 1),
    Kind("cpu_seconds", "processor", "s", "down", 1),
    Kind("peak_mib", "peak memory", "MiB", "down", 0),
    Kind("joules", "energy", "J", "down", 0),
)
