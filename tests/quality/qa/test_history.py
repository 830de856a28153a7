"""A history grows by one scan at a time, and its limits tell a jump from noise."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.quality.phantoms.figures import Figure
from demottle.quality.phantoms.history import BASELINE, as_csv, charts_of, entries_of, limits, read_history


def scans(values, kind="catphan-504"):
    made = []
    for month, value in enumerate(values):
        figure = Figure("CT number", "air, top", "HU", 1, value, value / 2)
        made += entries_of([figure], f"2025-{month % 12 + 1:02d}-01", f"scan{month}", kind)
    return made


def test_it_comes_back_as_it_was_written(tmp_path):
    entries = scans([-1000.0, -999.5]) + scans([1.0], "water")
    path = tmp_path / "history.csv"
    assert read_history(path) == []
    path.write_text(as_csv(entries))
    assert read_history(path) == entries
    (chart,) = charts_of(entries, "catphan-504")
    assert chart.values == (-1000.0, -999.5) and np.isnan(chart.low) and not chart.moved
    assert charts_of(entries, "water", "after")[0].values == (0.5,)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "date,scan,phantom,image,group,figure,unit,value\n1,2,3\n"])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="not a history"):
        read_history(path)


def test_limits_are_three_standard_deviations_of_what_does_not_drift():
    values = np.random.default_rng(3).normal(10, 2, 4000)
    reach = np.mean(
        [limits(values[i : i + BASELINE])[2] - np.mean(values[i : i + BASELINE]) for i in range(0, 3900, 12)]
    )
    assert reach == pytest.approx(6, rel=0.03)


def test_a_jump_is_beyond_the_limits_and_noise_is_not():
    values = list(np.random.default_rng(5).normal(-1000, 0.5, 14))
    (quiet,) = charts_of(scans(values), "catphan-504")
    assert not quiet.moved
    (jumped,) = charts_of(scans([*values[:11], -996.0]), "catphan-504")
    assert not jumped.moved or jumped.outside == (11,)
    (later,) = charts_of(
        [
            *scans(values),
            *entries_of([Figure("CT number", "air, top", "HU", 1, -994.0)], "2026-05-01", "x", "catphan-504"),
        ],
        "catphan-504",
    )
    assert later.moved and later.outside[-1] == 14
