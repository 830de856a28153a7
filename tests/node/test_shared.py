"""One network for a protocol: fitted once, used for the next series of it, and only as long as its checks hold."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from demottle.image import Image
from demottle.methods import load
from demottle.node.configuration import Rule
from demottle.node.work.denoising import request_of
from demottle.node.work.shared import SHARED, SharedModels
from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan
from demottle.pipeline.request import Request
from demottle.quality.limits import Limits


def _scan(seed: int, noise: float = 30.0) -> Image:
    truth = body_phantom(slices=8, size=96, spacing=(3.0, 4.0, 4.0))
    return low_dose_scan(truth, sigma=noise, rho=0.2, seed=seed)


@pytest.mark.slow
def test_the_second_series_of_a_protocol_learns_nothing(tmp_path: Path) -> None:
    models, rule = SharedModels(tmp_path), Rule("r", share=True)
    request = Request(method="ns-n2n", steps=3)
    first, _ = models.run(_scan(1), request, rule)
    (kept,) = tmp_path.iterdir()
    assert SHARED not in first.record and load(kept).model_hash == first.denoiser.model_hash
    second, _ = models.run(_scan(2), request, rule)
    assert second.record["times"]["measure"] > 0 and second.record["fingerprint"] != first.record["fingerprint"]
    assert second.record[SHARED] and second.denoiser.model_hash == first.denoiser.model_hash
    third, _ = models.run(_scan(3), request, replace(rule, share=False))
    assert SHARED not in third.record
    other, _ = models.run(replace(_scan(4), slice_thickness=1.0), request, rule)
    assert SHARED not in other.record and len(list(tmp_path.iterdir())) == 2
    json.dumps(second.record)


@pytest.mark.slow
def test_a_series_that_a_kept_network_does_not_suit_gets_its_own(tmp_path: Path) -> None:
    models, rule = SharedModels(tmp_path), Rule("r", share=True)
    request = Request(method="ns-n2n", steps=3)
    first, _ = models.run(_scan(1), request, rule)
    louder, _ = models.run(_scan(2, noise=90.0), request, rule)
    assert SHARED not in louder.record and louder.denoiser.model_hash != first.denoiser.model_hash
    strict = replace(rule, limits=Limits(noise=0.0001))
    own, verdict = models.run(_scan(3), request, strict)
    assert SHARED not in own.record and verdict is not None and not verdict.passed
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"broken")
    again, _ = models.run(_scan(3), request, rule)
    assert SHARED not in again.record and load(kept).model_hash == again.denoiser.model_hash


@pytest.mark.slow
def test_the_fast_preset_takes_the_network_alone_and_leaves_other_wishes_as_they_are(tmp_path: Path) -> None:
    models, rule = SharedModels(tmp_path), Rule("r", share=True, preset="fast", limits=Limits())
    first, verdict = models.run(_scan(1), Request(steps=3), rule)
    assert first.record["method"] == "matched-neighbors" and first.record["preset"] == "fast" and verdict is not None
    second, _ = models.run(_scan(2), Request(steps=3), replace(rule, limits=None))
    assert second.record["method"] == "matched-neighbors" and second.record["preset"] == "fast"
    named, _ = models.run(_scan(2), Request(method="gaussian"), rule)
    assert named.record["method"] == "gaussian"
    few, _ = models.run(_scan(2).part(0, 3), Request(steps=3), replace(rule, limits=None))
    assert few.record["method"] == "guided-bayes"


def test_a_preset_says_how_much_noise_stays_unless_a_person_says_it() -> None:
    rule = Rule("r", preset="standard", request={"method": "nl-bayes"})
    asked = request_of(rule, {})
    assert (asked.method, asked.texture, asked.preset) == ("nl-bayes", "auto", "standard")
    other = request_of(rule, {"method": "gaussian"})
    assert (other.method, other.preset) == ("gaussian", "standard")
    said = request_of(rule, {"strength": 0.5})
    assert (said.strength, said.texture, said.preset) == (0.5, None, None)
    assert request_of(replace(rule, preset="fast"), {}).preset is None
