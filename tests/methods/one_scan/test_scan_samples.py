"""How long a scan is learned from, and what the network's local mean takes in."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from demottle.methods.one_scan.scan_samples import ScanSamples, default_steps
from demottle.methods.one_scan.slice_network import mean_of_the_like


@pytest.mark.parametrize(
    ("slices", "spare", "steps"), [(4, True, 0), (4, False, 60), (60, True, 47), (200, True, 60), (200, False, 60)]
)
def test_a_scan_of_little_tissue_is_learned_from_less_or_not_at_all(slices: int, spare: bool, steps: int) -> None:
    body = np.ones((slices, 125, 125), np.bool_)
    nothing = np.zeros((0, 0, 0), np.float32)
    samples = ScanSamples(tuple(range(slices)), nothing, (), nothing, body, (slice(None), slice(None)))
    assert default_steps(samples, 128, 2, started=True, spare=spare) == steps
    assert default_steps(samples, 128, 2, started=False, spare=spare) >= 300
    assert default_steps(samples, 128, 2, started=True, on_gpu=True, spare=spare) == 300


@pytest.mark.parametrize("slices", [1, 4, 24, 400])
def test_from_random_weights_it_takes_as_many_steps_as_the_page_says(slices: int) -> None:
    """A scan however long does not take hours longer, and one however short is not left unfinished."""
    page = (Path(__file__).parents[3] / "docs" / "methods" / "matched-neighbors.md").read_text(encoding="utf-8")
    fewest, most = map(int, re.findall(r"random weights and takes (\d+) to (\d+) steps", page)[0])
    nothing = np.zeros((0, 0, 0), np.float32)
    body = np.ones((slices, 125, 125), np.bool_)
    samples = ScanSamples(tuple(range(slices)), nothing, (), nothing, body, (slice(None), slice(None)))
    steps = default_steps(samples, 128, 2, started=False)
    assert fewest <= steps <= most
    assert steps == (fewest if slices == 1 else most if slices == 400 else steps)


def test_the_local_mean_of_soft_tissue_takes_in_no_bone_and_no_air_and_that_of_lung_no_chest_wall() -> None:
    plane = torch.full((1, 1, 64, 64), 40.0)
    plane[..., :20], plane[..., 44:] = -1000.0, 1200.0
    mean = mean_of_the_like(plane, 150.0)[0, 0, 32]
    assert ((mean[20:44] > -90) & (mean[20:44] < 100)).all()  # with all of it: -420 and 590 at the edges
    lung = torch.full((1, 1, 64, 64), -860.0)
    lung[..., 30:] = 60.0
    assert mean_of_the_like(lung, 150.0)[0, 0, 32, :30].max() < -650
