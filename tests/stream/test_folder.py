import threading
import time
from pathlib import Path

import numpy as np
import pytest

from demottle.errors import InputError, OutputError
from demottle.stream.folder import END, folder_frames, read_npy_frame
from demottle.stream.sinks import FolderSink


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
