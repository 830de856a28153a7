import numpy as np
import pytest
from tests.quality.phantoms import body, ct, noise

from demottle.image import Image
from demottle.quality.tissues import CT_TISSUES, labelled_slices, tissues_of

NAMES = [t.name for t in CT_TISSUES]


def means(image: Image, truth: np.ndarray, reference: Image | None = None) -> dict[str, float]:
    """Mean noise inside each tissue's mask."""
    sums: dict[str, list[np.ndarray]] = {n: [] for n in NAMES}
    for z, labels in labelled_slices(image, reference):
        for i, name in enumerate(NAMES, start=1):
            sums[name].append((image.voxels[z] - truth[z])[labels == i])
    return {n: float(np.concatenate(v).mean()) for n, v in sums.items() if v and np.concatenate(v).size > 50}


def test_every_tissue_of_a_body_is_found_where_it_is() -> None:
    truth = body()
    found = set()
    for z, labels in labelled_slices(ct(truth + noise(truth.shape, 10))):
        for i, tissue in enumerate(CT_TISSUES, start=1):
            values = truth[z][labels == i]
            if values.size:
                found.add(tissue.name)
                assert tissue.lower - 60 < np.median(values) < tissue.upper + 60
    assert found == set(NAMES)


@pytest.mark.parametrize("slices", [16, 2])
def test_masks_do_not_select_noise_even_where_tissue_lies_at_a_limit(slices: int) -> None:
    """At the limit between two ranges a mask by the slice's own values would hold the noise of one sign only."""
    truth = np.full((slices, 256, 256), 115.0, np.float32)
    image = ct(truth + noise(truth.shape, 25, blur=1.5))
    chosen = means(image, truth)["soft tissue"]
    own = means(image, truth, reference=image)["soft tissue"]
    assert own < -2  # what the design avoids
    assert abs(chosen) < 0.5


def test_invalid_voxels_have_no_tissue() -> None:
    truth = body()
    valid = np.ones(truth.shape, bool)
    valid[:, :, :90] = False
    image = Image(truth, (3, 0.8, 0.8), "CT", "HU", valid=valid)
    for _, labels in labelled_slices(image):
        assert not labels[:, :90].any()
        assert labels[:, 90:].any()


def test_without_hu_the_classes_follow_the_brightness() -> None:
    image = Image(body() + 1000, (3, 0.8, 0.8), "MR")
    assert [t.name for t in tissues_of(image)] == ["dark", "middle", "bright"]
