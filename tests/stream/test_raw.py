import io
import socket
import threading

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.stream.raw import RawGeometry, TcpSource, parse_geometry, raw_frames

GEOMETRY = RawGeometry(8, 10, "uint16")
FRAMES = np.arange(3 * 8 * 10, dtype="<u2").reshape(3, 8, 10)


def test_bytes_become_the_frames_they_were() -> None:
    got = np.stack(list(raw_frames(io.BytesIO(FRAMES.tobytes()), GEOMETRY)))
    assert np.array_equal(got, FRAMES)
    assert b"".join(GEOMETRY.encode(frame) for frame in got) == FRAMES.tobytes()


def test_what_does_not_fit_a_whole_number_is_kept_in_range() -> None:
    frame = np.full((8, 8), -3.2, np.float32)
    frame[0, 0] = 70000.6
    stored = np.frombuffer(RawGeometry(8, 8, "uint16").encode(frame), "<u2")
    assert (stored[0], stored[1]) == (65535, 0)


def test_the_middle_of_a_frame_is_no_end() -> None:
    source = raw_frames(io.BytesIO(FRAMES.tobytes()[:-7]), GEOMETRY)
    assert [float(next(source)[0, 0]) for _ in range(2)] == [0, 80]
    with pytest.raises(InputError, match="middle of frame 2, after 153 of its 160 bytes"):
        next(source)


@pytest.mark.parametrize("text", ["512x512", "512x512xfloat16", "0x8xuint8", "ax8xuint8", "8x8x8xuint8"])
def test_geometry_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match="ROWSxCOLUMNSxTYPE"):
        parse_geometry(text)


def test_geometry() -> None:
    assert parse_geometry("512x640xfloat32") == RawGeometry(512, 640, "float32")


def test_frames_over_tcp_in_pieces() -> None:
    source = TcpSource(0, GEOMETRY)

    def send() -> None:
        with socket.create_connection(("127.0.0.1", source.port)) as connection:
            data = FRAMES.tobytes()
            for start in range(0, len(data), 101):
                connection.sendall(data[start : start + 101])

    thread = threading.Thread(target=send)
    thread.start()
    assert np.array_equal(np.stack(list(source)), FRAMES)
    thread.join()


def test_a_port_that_is_taken() -> None:
    first = TcpSource(0, GEOMETRY)
    try:
        with pytest.raises(InputError, match="choose another"):
            TcpSource(first.port, GEOMETRY)
    finally:
        first.close()
