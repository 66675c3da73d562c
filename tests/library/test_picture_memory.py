"""How many pictures are decoded at once, who is next, and memory that is given back."""

import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from hybridpool.pictures.memory import Turns


def wait_until(condition):
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come to that")


def test_no_more_than_so_many_go_at_once_and_in_the_order_in_which_they_came():
    turns, going, most, order = Turns(2), [], [], []
    leave = [threading.Event() for _ in range(6)]
    told = [[] for _ in range(6)]

    def go(number):
        with turns.turn(told[number].append):
            order.append(number)
            going.append(number)
            most.append(len(going))
            leave[number].wait(20)
            going.remove(number)

    threads = []
    for number in range(6):
        threads.append(threading.Thread(target=go, args=(number,)))
        threads[-1].start()
        if number < 2:
            wait_until(lambda number=number: number in order)
        else:
            wait_until(lambda number=number: told[number])
    assert [line[0] for line in told[2:]] == [1, 2, 3, 4]
    assert told[:2] == [[], []]
    for event in leave:
        event.set()
        time.sleep(0.02)
    for thread in threads:
        thread.join(20)
    assert order == list(range(6))
    assert max(most) == 2


def test_whoever_fails_or_leaves_the_queue_holds_up_nobody():
    turns = Turns(1)
    with suppress(ValueError), turns.turn():
        raise ValueError
    gone = threading.Event()

    class LeftError(Exception):
        pass

    def leave(ahead):
        raise LeftError

    def impatient():
        with pytest.raises(LeftError), turns.turn(leave):
            raise AssertionError("it was not its turn")
        gone.set()

    with turns.turn():
        thread = threading.Thread(target=impatient)
        thread.start()
        assert gone.wait(20)
    thread.join(20)
    with turns.turn():
        pass


_TRIMMED = """
import threading
from hybridpool.pictures.memory import give_back_memory

def resident():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * 4096 / 2**20

def work():
    kept = [bytes(60_000) for _ in range(3000)]
    pins.append(bytes(60_000))

pins = []
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
before = resident()
give_back_memory()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_goes_back_to_the_system():
    done = subprocess.run(
        [sys.executable, "-c", _TRIMMED], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) > 50
