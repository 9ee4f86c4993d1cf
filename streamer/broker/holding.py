"""One Kafka at a time in a folder: two on the same metadata log damage it.

The kernel's lock on a file there is handed down to Java, so it lasts as long as Java does, whoever
started it and however either ends.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamer.broker.errors import BrokerError
from streamer.broker.leash import GRACE_SECONDS

WAIT_SECONDS_MAX = GRACE_SECONDS + 2.0
"""How long a Kafka may take to let go of the folder: its parent may just have been killed."""

_POLL_SECONDS = 0.05


@contextmanager
def held(folder: Path, seconds_max: float | None = None) -> Iterator[int]:
    """Keep others out of ``folder``, made if absent, and yield the descriptor that does.

    The folder stays held after the block while a process that inherited the descriptor lives.

    Raises:
        BrokerError: A Kafka uses the folder, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "node.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BrokerError(
            f"{folder} cannot be written ({error.strerror}): choose another folder with --data-dir."
        ) from None
    try:
        _acquire(lock, folder, WAIT_SECONDS_MAX if seconds_max is None else seconds_max)
        yield lock
    finally:
        os.close(lock)


def _acquire(lock: int, folder: Path, seconds_max: float) -> None:
    deadline = time.monotonic() + seconds_max
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise BrokerError(
                    f"A Kafka runs on {folder} already: use that one or stop it, "
                    "or choose another folder with --data-dir."
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            return
