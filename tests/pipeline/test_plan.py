"""The plan: the right method for what was measured, and the reason in words."""

from dataclasses import replace

import pytest

from demottle.errors import InputError
from demottle.noise.correlation import Correlation
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.spectrum import Spectrum
from demottle.pipeline.plan import make_plan


@pytest.fixture
def good() -> Fingerprint:
    import numpy as np

    flat = np.ones(33)
    spectrum = Spectrum(flat, flat, np.ones((64, 64)), (1.0, 1.0), 20.0, 0.2, 0.25, 60)
    return Fingerprint(
        modality="CT",
        unit="HU",
        shape=(30, 512, 512),
        spacing=(3.0, 1.0, 1.0),
        slice_thickness=3.0,
        overlap=0.0,
        noise_level=20.0,
        noise_range=(15.0, 30.0),
        spectrum=spectrum,
        correlation=Correlation((0.3, 0.02, 0.0, 0.0), 0.0, 50_000),
        matched_share=(0.9, 0.8),
    )


def test_a_good_scan_is_learned_from(good: Fingerprint) -> None:
    plan = make_plan(good)
    assert plan.method == "guided-bayes"
    assert any("share noise" in reason for reason in plan.reasons)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"matched_share": (0.1,)}, "10 %"),
        ({"correlation": Correlation((0.95, 0.9, 0.88, 0.85), 0.0, 50_000)}, "almost fully"),
        ({"correlation": Correlation((float("nan"),), 0.0, 0)}, "cannot be measured"),
        ({"spectrum": None}, "spectrum"),
    ],
)
def test_a_scan_that_cannot_teach_gets_the_classical_filter(
    good: Fingerprint, change: dict[str, object], word: str
) -> None:
    plan = make_plan(replace(good, **change))  # type: ignore[arg-type]
    assert plan.method == "spectral-wiener"
    assert word in plan.reasons[0]
    kind = "knows the noise spectrum" if change.get("spectrum", True) else "takes the noise as white"
    assert plan.reasons[0].endswith(f" So the scan cannot teach a network, and a classical filter that {kind} is used.")


@pytest.mark.parametrize(("slices", "word"), [(1, "single slice"), (2, "2 slices"), (3, "3 slices")])
def test_few_slices_are_learned_from_too(good: Fingerprint, slices: int, word: str) -> None:
    plan = make_plan(replace(good, shape=(slices, 512, 512), matched_share=(), correlation=Correlation((), 0.0, 0)))
    assert plan.method == "guided-bayes"
    assert word in plan.reasons[0]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"spectrum": None}, "spectrum"),
        ({"unit": ""}, "not CT"),
        ({"shape": (1, 48, 512)}, "48 x 512"),
    ],
)
def test_few_slices_that_cannot_teach_are_filtered_by_what_looks_alike(
    good: Fingerprint, change: dict[str, object], word: str
) -> None:
    plan = make_plan(replace(good, **{"shape": (1, 512, 512), **change}))  # type: ignore[arg-type]
    assert plan.method == "nl-bayes"
    assert word in plan.reasons[0]


def test_what_is_asked_for_is_taken(good: Fingerprint) -> None:
    assert make_plan(good, "ns-n2n", {"consistency": 0.0}).settings == {"consistency": 0.0}
    with pytest.raises(InputError, match="There is no method"):
        make_plan(good, "bm5d")
