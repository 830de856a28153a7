import threading
import time

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.stream import Frame, WaitingLine


def frame(number: int) -> Frame:
    return Frame(number, np.zeros((2, 2), np.float32), time.monotonic())


def test_drop_lets_the_oldest_go_and_keeps_the_order() -> None:
    line = WaitingLine(2, "drop")
    for number in range(5):
        assert line.put(frame(number))
    line.close()
    taken = [line.take(), line.take()]
    assert [f.number for f in taken if f] == [3, 4]
    assert line.dropped == [0, 1, 2]
    assert line.take() is None


def test_slow_holds_the_source_back_and_loses_nothing() -> None:
    line = WaitingLine(1, "slow")
    waiting = []

    def put() -> None:
        for number in range(4):
            line.put(frame(number))
            waiting.append(number)
        line.close()

    thread = threading.Thread(target=put)
    thread.start()
    time.sleep(0.05)
    assert waiting == [0]
    taken = []
    while (one := line.take(2)) is not None:
        taken.append(one.number)
    thread.join()
    assert taken == [0, 1, 2, 3]
    assert line.dropped == []


def test_an_error_comes_after_the_frames_before_it() -> None:
    line = WaitingLine(3, "drop")
    line.put(frame(0))
    line.close(InputError("broken"))
    assert line.take() is not None
    with pytest.raises(InputError, match="broken"):
        line.take()


def test_patience_ends() -> None:
    with pytest.raises(TimeoutError):
        WaitingLine(1, "drop").take(0.02)


def test_who_no_longer_takes_frees_the_source() -> None:
    line = WaitingLine(1, "slow")
    line.put(frame(0))
    line.close()
    assert not line.put(frame(1))


@pytest.mark.parametrize(("length", "policy", "said"), [(0, "drop", "at least 1"), (1, "guess", "one of: drop, slow")])
def test_senseless_lines_are_refused(length: int, policy: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        WaitingLine(length, policy)  # type: ignore[arg-type]
