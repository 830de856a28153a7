import numpy as np
import pytest
from tests.quality.phantoms import body, ct, noise

from demottle.image import Image
from demottle.quality.check.tissues import CT_TISSUES, labelled_slices, tissues_of

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
    looked_at = [labels for _, labels in labelled_slices(image)]
    assert len(looked_at) > 3
    for labels in looked_at:
        assert not labels[:, :90].any()
        assert labels[:, 90:].any()


def test_without_hu_the_classes_follow_the_brightness() -> None:
    image = Image(body() + 1000, (3, 0.8, 0.8), "MR")
    assert [t.name for t in tissues_of(image)] == ["dark", "middle", "bright"]


@pytest.mark.parametrize("slices", [2, 12])
def test_the_rim_of_a_phantom_and_a_mattress_are_not_lung_but_a_lung_is(slices: int) -> None:
    """The ring that decides in few slices finds a lung's mean value around air near the rim of a phantom that fills the slice."""
    y, x = np.mgrid[:256, :256]
    water = np.where((x - 128) ** 2 + (y - 128) ** 2 < 116**2, 0.0, -1000.0)
    mattress = np.where((x - 128) ** 2 + (y - 100) ** 2 < 90**2, 0.0, np.where(y > 200, -870.0, -1000.0))
    chest = np.where((x - 90) ** 2 + (y - 128) ** 2 < 30**2, -850.0, water)
    found = []
    for plane in (water, mattress, chest):
        truth = np.repeat(plane[None].astype(np.float32), slices, axis=0)
        image = ct(truth + noise(truth.shape, 10), (3.0, 0.7, 0.7))
        found.append([np.count_nonzero(labels == NAMES.index("lung") + 1) for _, labels in labelled_slices(image)])
    assert max(found[0]) == max(found[1]) == 0
    assert min(found[2]) > 500
