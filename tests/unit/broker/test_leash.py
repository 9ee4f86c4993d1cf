import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streamer.broker.leash import Leash

PARENT = """
import subprocess, sys, time
from streamer.broker.leash import Leash
child = subprocess.Popen(["sleep", "60"])
leash = Leash(child.pid)
print(child.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # a zombie, which no init has reaped yet


def wait_until_dead(pid: int, seconds_max: float = 5) -> bool:
    deadline = time.monotonic() + seconds_max
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_alive(pid)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_the_child_ends_with_its_parent(ending: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.send_signal(ending)
    assert wait_until_dead(child)


def test_a_released_child_lives_on() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        Leash(child.pid).release()
        time.sleep(0.2)
        assert child.poll() is None
        os.kill(child.pid, signal.SIGKILL)
