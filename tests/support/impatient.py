"""A worker that waits for the end of a transaction for so many seconds, in place of a minute.

Run as a program in `streamer worker`'s place:

    python -P impatient.py SECONDS
"""

import sys
from pathlib import Path

from streamer.cli import main
from streamer.engine import transaction

if __name__ == "__main__":
    transaction.DEADLINE_SECONDS = int(sys.argv[1])
    sys.argv = [str(Path(sys.executable).with_name("streamer")), "worker"]
    main()
