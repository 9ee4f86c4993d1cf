"""A worker that waits for so many seconds: for the end of a transaction, in place of a minute, and
for another process to close its store, in place of 10 s and twice the session timeout.

Run as a program in `streamer worker`'s place:

    python -P impatient.py SECONDS
"""

import sys
from pathlib import Path

from streamer.cli import main
from streamer.engine import stores, transaction
from streamer.settings import load_settings

if __name__ == "__main__":
    seconds = int(sys.argv[1])
    transaction.DEADLINE_SECONDS = seconds
    stores.LOCKED_SECONDS_MIN = seconds - 2 * load_settings().session_timeout_seconds
    sys.argv = [str(Path(sys.executable).with_name("streamer")), "worker"]
    main()
