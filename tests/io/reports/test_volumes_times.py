"""Volumes that nothing but their times tells apart, at places that are stated in several roundings.

Positions that differ a little for the same slice (Philips): rordenlab/dcm2niix #165; positions with less precision than the
slices have: #216. Both at https://github.com/rordenlab/dcm2niix/issues/NUMBER. Made from scratch.
"""

from collections.abc import Callable

import numpy as np
import pytest
from tests.io.conftest import ct_slice
from tests.io.reports.checks import assert_written_well
from tests.io.volumes.objects import mr_slice, save_all

from demottle.errors import InputError
from demottle.io import open_scan, read, write

PLACES, VOLUMES = 4, 5
ORDERS: dict[str, Callable[[int, int], float]] = {
    "volume by volume": lambda volume, place: 10 * volume + 2 * place,
    "place by place": lambda volume, place: 20 * place + 2 * volume,
    "every other slice first": lambda volume, place: 10 * volume + 2 * (place % 2) + place / 4,
}


def repeats(make, seconds, jitter, volumes=VOLUMES, places=PLACES):
    """Slices whose heights lie up to `jitter` mm beside their place, told apart by AcquisitionTime alone."""
    source = []
    for volume in range(volumes):
        for place in range(places):
            one = make(volume, place)
            x, y, z = one.ImagePositionPatient
            one.ImagePositionPatient = [x, y, round(float(z) + jitter * (volume % 3 - 1), 4)]
            minutes, rest = divmod(seconds(volume, place), 60)
            one.AcquisitionTime = f"10{int(minutes):02d}{rest:09.6f}"
            source.append(one)
    return source


def mr(volume, place):
    return mr_slice(place, PLACES * volume + place + 1, InstanceNumber=None)


def ct(volume, place):
    return ct_slice(place, seed=volume, SOPInstanceUID=f"1.2.3.{volume}.{place}")


@pytest.mark.parametrize("jitter", [0.0, 0.004, 0.01])
@pytest.mark.parametrize("order", ORDERS)
def test_repeats_are_volumes_in_the_order_of_their_times(tmp_path, order, jitter):
    """Seen in this project: slabs of 3 slices 0.004 mm apart were made of them, or they were refused as echoes."""
    source = repeats(mr, ORDERS[order], jitter)
    image = read(save_all(source, tmp_path / "in"))
    assert image.sequence and image.shape[0] == VOLUMES
    for volume in range(VOLUMES):
        for place in range(PLACES):
            seen = image.voxels[volume, place * 48 :][:40]
            assert np.array_equal(seen, source[PLACES * volume + place].pixel_array)


def test_ct_repeats_are_listed_by_time_and_lie_where_they_were(tmp_path, denoised, program):
    """Numbered alike: neither the order of files nor a hundredth of a millimeter names them."""
    source = repeats(ct, lambda volume, place: 10 * volume + place, 0.004, volumes=3)
    opened = open_scan(save_all(source, tmp_path / "in"))
    assert [part.label for part in opened.volumes] == ["after 0 s", "after 10 s", "after 20 s"]
    image = opened.read(2)
    assert np.array_equal(image.voxels, [one.pixel_array - 1024.0 for one in source[4:8]])
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)


def test_repeats_with_one_time_are_refused_truly(tmp_path):
    source = repeats(ct, lambda volume, place: 0.0, 0.004, volumes=3)
    with pytest.raises(
        InputError, match=r"4 positions are held .* -0.004, 2.496, .* do not say which slices belong together"
    ):
        read(save_all(source, tmp_path / "in"))


def test_small_pixels_have_places_near_to_each_other(tmp_path):
    """Micro CT: slices 0.02 mm apart are slices, not repeats."""
    source = [ct_slice(k, PixelSpacing=[0.02, 0.02], ImagePositionPatient=[0, 0, 0.02 * k]) for k in range(5)]
    assert read(save_all(source, tmp_path / "in")).spacing[0] == pytest.approx(0.02)
