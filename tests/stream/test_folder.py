import threading
import time
from pathlib import Path

import numpy as np
import pytest

from demottle.errors import InputError, OutputError
from demottle.image import Image
from demottle.stream.folder import END, folder_frames, read_npy_frame
from demottle.stream.sinks import FolderSink
from demottle.stream.sources import open_source


def test_frames_are_taken_in_order_while_they_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    sink = FolderSink(folder)

    def write() -> None:
        for number in range(4):
            sink(number, np.full((8, 8), number, np.float32))
            time.sleep(0.03)
        sink.end()

    thread = threading.Thread(target=write)
    thread.start()
    got = [float(frame[0, 0]) for frame in folder_frames(folder, read_npy_frame)]
    thread.join()
    assert got == [0, 1, 2, 3]


def test_a_frame_that_comes_too_late_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "b.npy", np.zeros((8, 8)))
    (tmp_path / "b.npy").touch()
    source = folder_frames(tmp_path, read_npy_frame)
    next(source)
    np.save(tmp_path / "a.npy", np.zeros((8, 8)))
    with pytest.raises(InputError, match=r"a\.npy appeared after b\.npy"):
        next(source)


def test_what_is_no_frame_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 8, 8)))
    (tmp_path / END).touch()
    with pytest.raises(InputError, match="a frame is"):
        list(folder_frames(tmp_path, read_npy_frame))


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        next(folder_frames(tmp_path / "none", read_npy_frame))


def test_a_folder_with_something_in_it_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(OutputError, match="not empty"):
        FolderSink(tmp_path)


@pytest.mark.parametrize(("shape", "said"), [((1, 32, 32), "a slice"), ((3, 32, 32), "a volume of slices")])
def test_slices_of_a_scan_are_no_frames(tmp_path: Path, shape: tuple[int, int, int], said: str) -> None:
    ct = Image(np.zeros(shape, np.float32), (3.0, 1.0, 1.0), "CT", "HU")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "slice.dcm").touch()
    (tmp_path / "in" / END).touch()
    for source in (tmp_path / "in", tmp_path / "in" / "slice.dcm"):
        with pytest.raises(InputError, match=rf"{said} \(CT\), but only frames over time"):
            list(open_source(str(source), None, lambda path: ct).frames)


def test_a_file_of_several_frames_is_refused_in_a_folder(tmp_path: Path) -> None:
    run = Image(np.ones((3, 32, 32), np.float32), (0.1, 1.0, 1.0), "XA")
    (tmp_path / "0.dcm").touch()
    (tmp_path / END).touch()
    with pytest.raises(InputError, match=r"0\.dcm holds 3 frames; in a folder each file is one\.$"):
        list(open_source(str(tmp_path), None, lambda path: run).frames)


def test_one_frame_of_a_run_in_each_file_is_what_a_folder_holds(tmp_path: Path) -> None:
    one = Image(np.ones((1, 32, 32), np.float32), (0.1, 1.0, 1.0), "XA")
    (tmp_path / "0.dcm").touch()
    (tmp_path / END).touch()
    assert len(list(open_source(str(tmp_path), None, lambda path: one).frames)) == 1
