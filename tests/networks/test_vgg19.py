"""VGG-19 from a user's file: numbered as torchvision does, filled safely, refused in one sentence."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from demottle.errors import InputError
from demottle.networks.vgg19 import VGG19, load_vgg19


class Hostile:
    """Would make a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.fixture(scope="module")
def filled() -> VGG19:
    torch.manual_seed(0)
    return VGG19()


def test_numbered_as_torchvision_does(filled: VGG19) -> None:
    shapes = {name: tuple(value.shape) for name, value in filled.state_dict().items()}
    assert len(shapes) == 32  # 16 convolutions, weight and bias
    assert shapes["features.0.weight"] == (64, 3, 3, 3)
    assert shapes["features.16.weight"] == (256, 256, 3, 3)
    assert shapes["features.34.weight"] == (512, 512, 3, 3)
    assert sum(value.numel() for value in filled.state_dict().values()) == 20_024_384


def test_filled_from_either_format(filled: VGG19, tmp_path: Path) -> None:
    state = {**filled.state_dict(), "classifier.0.weight": torch.zeros(2, 2)}  # as in the file people have
    torch.save(state, tmp_path / "vgg19.pth")
    save_file(state, tmp_path / "vgg19.safetensors")
    x = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        fine, deep = filled.levels(x)
        assert (tuple(fine.shape), tuple(deep.shape)) == ((1, 256, 8, 8), (1, 512, 2, 2))
        for name in ("vgg19.pth", "vgg19.safetensors"):
            assert torch.equal(load_vgg19(tmp_path / name).levels(x)[1], deep)


def test_a_hostile_file_is_refused_and_not_executed(tmp_path: Path) -> None:
    (tmp_path / "bad.pth").write_bytes(pickle.dumps({"features.0.weight": Hostile(tmp_path / "executed")}))
    with pytest.raises(InputError, match="does not hold the weights"):
        load_vgg19(tmp_path / "bad.pth")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", ["empty.pth", "empty.safetensors"])
def test_damaged_and_missing_files(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        load_vgg19(tmp_path / name)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match="does not hold the weights"):
        load_vgg19(tmp_path / name)
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="does not hold the weights"):
        load_vgg19(tmp_path / "other.pth")
