"""Nothing half-written: an output appears under its final name only when complete."""

import errno
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from demottle.errors import OutputError
from demottle.events import Progress
from demottle.image import Image
from demottle.io import read, write
from demottle.io.output import staged

SUFFIXES = ["", ".nii.gz", ".mha", ".mhd", ".nrrd", ".tif", ".npy"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_existing_output_is_refused_unless_overwritten(phantom, tmp_path, suffix):
    path = write(phantom, tmp_path / f"out{suffix}")
    listed = names(tmp_path)
    other = phantom.with_voxels(phantom.voxels + 100)
    with pytest.raises(OutputError, match="exists already"):
        write(other, path)
    assert write(other, path, overwrite=True) == path
    assert names(tmp_path) == listed
    spacing = {"spacing": phantom.spacing} if suffix == ".npy" else {}
    assert read(path, **spacing).voxels.mean() == pytest.approx(140, abs=2)


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_header_and_its_data_are_replaced_together_or_not_at_all(phantom, tmp_path, monkeypatch, overwrite):
    path = tmp_path / "out.mhd"
    if overwrite:
        write(phantom, path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    real = Path.replace

    def fail_on_the_header(self: Path, target: Path) -> Path:
        if target == path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self, target)

    monkeypatch.setattr("pathlib.Path.replace", fail_on_the_header)
    with pytest.raises(OutputError, match="could not"):
        write(phantom.with_voxels(phantom.voxels + 100), path, overwrite=overwrite)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("suffix", ["", ".nii.gz"])
@pytest.mark.parametrize(
    "number, said", [(errno.ENOSPC, "disk is full"), (errno.EACCES, "No permission"), (errno.EIO, "could not")]
)
def test_system_errors_leave_nothing(phantom, tmp_path, monkeypatch, suffix, number, said):
    kept = write(phantom, tmp_path / f"out{suffix}")
    before = names(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    monkeypatch.setattr("nibabel.Nifti1Image.to_filename", fail)
    for path, overwrite in ((tmp_path / f"new{suffix}", False), (kept, True)):
        with pytest.raises(OutputError, match=said):
            write(phantom, path, overwrite=overwrite)
        assert names(tmp_path) == before
    monkeypatch.undo()
    assert read(kept).shape == phantom.shape


def test_ctrl_c_leaves_nothing(ct, tmp_path, denoised):
    image = denoised(read(ct()))

    def interrupt(event: Progress) -> None:
        if event.done == 3:
            raise KeyboardInterrupt

    for path in (tmp_path / "out", tmp_path / "new" / "deep" / "out"):
        with pytest.raises(KeyboardInterrupt):
            write(image, path, listener=interrupt)
        assert names(tmp_path) == ["ct"]
    with pytest.raises(KeyboardInterrupt):
        read(tmp_path / "ct", listener=interrupt)


def test_ctrl_c_while_overwriting_keeps_the_old(ct, tmp_path, denoised):
    image = denoised(read(ct()))
    write(image, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(denoised(image), tmp_path / "out", overwrite=True, listener=interrupt)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_failing_rename_puts_the_old_folder_back(tmp_path, monkeypatch):
    final = tmp_path / "out"
    final.mkdir()
    (final / "old").touch()
    original = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if target == final and ".partial" in str(self.parent) and self.name == "out":
            raise OSError(errno.EIO, "broken")
        return original(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    said = f"^{final} could not be written .broken.; nothing was left under that name"
    with pytest.raises(OutputError, match=said), staged(final, overwrite=True) as temporary:
        temporary.mkdir()
    assert names(final) == ["old"]
    assert names(tmp_path) == ["out"]


def test_a_file_is_seen_only_when_complete(tmp_path):
    final = tmp_path / "out.bin"
    with staged(final) as temporary:
        temporary.write_bytes(b"x")
        assert not final.exists()
        assert temporary.suffix == ".bin"
    assert final.read_bytes() == b"x"
    assert names(tmp_path) == ["out.bin"]


def test_the_input_and_its_folder_are_never_written_to(ct, tmp_path, denoised, phantom):
    folder = ct("in/ct")
    image = denoised(read(folder))
    for path in (folder, folder / "out", folder / "deep" / "out.nii", folder / "ct-001.dcm", tmp_path / "in"):
        with pytest.raises(OutputError, match=r"input"):
            write(image, path, overwrite=True)
    assert len(names(folder)) == 5
    file = write(phantom, tmp_path / "a.nii.gz")
    with pytest.raises(OutputError, match="is an input, which is never changed"):
        write(read(file), file, overwrite=True)
    with pytest.raises(OutputError, match="holds the input"):
        write(read(file), tmp_path, overwrite=True, format="dicom")


def test_a_link_to_the_input_is_the_input(ct, tmp_path, denoised):
    folder = ct()
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(OutputError, match="input"):
        write(denoised(read(folder)), tmp_path / "link", overwrite=True)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_that_is_really_full(tmp_path, ct, denoised):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        image = Image(np.random.default_rng(0).normal(0, 9, (4, 128, 128)), (1, 1, 1), "CT", "HU")
        for suffix in SUFFIXES:
            with pytest.raises(OutputError, match="full"):
                write(image, disk / f"out{suffix}")
            assert names(disk) == []
        with pytest.raises(OutputError, match="full"):
            write(denoised(read(ct(rows=128, columns=128))), disk / "series")
        assert names(disk) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_without_write_permission(tmp_path, phantom):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        for suffix in SUFFIXES:
            with pytest.raises(OutputError, match="No permission"):
                write(phantom, disk / f"out{suffix}")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_names_that_stand_for_no_format(phantom, tmp_path):
    with pytest.raises(OutputError, match=r"suffix \.jpg"):
        write(phantom, tmp_path / "out.jpg")
    with pytest.raises(OutputError, match="is not a format"):
        write(phantom, tmp_path / "out", format="jpeg")
    assert write(phantom, tmp_path / "L067_1.25mm").is_dir()
    assert write(phantom, tmp_path / "out", format="nifti") == tmp_path / "out.nii.gz"
