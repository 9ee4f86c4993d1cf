"""Ends a child process when this process ends, however it ends.

A shell of a few hundred kilobytes waits on a pipe that this process holds open. When this process
dies, even by kill -9, the kernel closes the pipe, and the shell ends the child. (Linux's
PR_SET_PDEATHSIG would not do: it fires when the *thread* that started the child ends, and brokers
are started from worker threads too.)
"""

import subprocess

GRACE_SECONDS = 5
"""How long the child may take to end in order."""

# A line on the pipe says that the child is gone or shall live on; its end, that the parent died.
_WATCH = f"""
read -r _ && exit
kill -TERM "$1"
for _ in $(seq {GRACE_SECONDS}); do kill -0 "$1" && sleep 1 || exit; done
kill -KILL "$1"
"""


class Leash:
    """Holds one child process; `release` lets go of it."""

    def __init__(self, pid: int) -> None:
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "leash", str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # A Ctrl-C in the terminal goes to the whole group, and must not end the watcher.
            start_new_session=True,
        )

    def release(self) -> None:
        """Let go of the child: it lives on, or is gone already."""
        self._watcher.communicate(b"\n")
