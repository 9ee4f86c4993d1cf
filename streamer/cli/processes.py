"""Several processes of one worker: Python computes on one core a process."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

PR_SET_PDEATHSIG = 1
"""prctl(2): ask for a signal when the parent dies."""


def run_processes(number: int, run: Callable[[int], None]) -> int:
    """Run ``run(0)`` to ``run(number - 1)``, each in a process of its own, until all have ended.

    When one fails, or this process is told to stop, the others are told to stop too.

    Returns:
        The exit code: 0 when all ended well.
    """
    children = {_fork(index, run) for index in range(number)}

    def stop(*_: int | FrameType | None) -> None:
        for pid in children:
            os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    failed = False
    while children:
        pid, status = os.wait()
        children.discard(pid)
        if os.waitstatus_to_exitcode(status) != 0 and not failed:
            failed = True
            stop()
    return int(failed)


def _fork(index: int, run: Callable[[int], None]) -> int:
    """Return the id of a process that does ``run(index)`` and ends with its parent."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
    run(index)
    sys.exit(0)
