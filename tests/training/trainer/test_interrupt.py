import os
import signal

import pytest

from training.trainer.interrupt import Interrupted, stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_request_to_stop(number: int) -> None:
    with stop_on_signals() as stop:
        assert not stop.received
        os.kill(os.getpid(), number)
        assert stop.received


def test_a_second_signal_is_handled_as_before() -> None:
    numbers: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: numbers.append(number))
    try:
        with stop_on_signals() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert (stop.received, numbers) == (True, [])
            os.kill(os.getpid(), signal.SIGINT)
            assert numbers == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_handlers_are_those_from_before_when_the_block_has_ended() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    def interrupted() -> None:
        with stop_on_signals():
            assert signal.getsignal(signal.SIGTERM) != before[1]
            raise Interrupted(7)

    with pytest.raises(Interrupted, match="stopped at step 7"):
        interrupted()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
