"""What a worker's log leaves out: what Kafka's client says again and again while a broker is away.

It tries each few milliseconds and tells each time, thousands of lines a second; the one that says
what is wrong would be lost among them, and the disk soon full. So it would among stack frames.
"""

import logging

from streamer.errors import StreamerError

REPEAT_SECONDS = 10.0
TALKATIVE = (
    "aiokafka",  # its client
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.sender",
)


class Sparing(logging.Filter):
    """Lets a message of one wording through once in ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._told_at: dict[object, float] = {}
        """By wording, before names and numbers are put in: there are only so many."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether ``record`` is to be told."""
        told_at = self._told_at.get(record.msg)
        if told_at is not None and record.created - told_at < self._seconds:
            return False
        self._told_at[record.msg] = record.created
        return True


class Unframed(logging.Filter):
    """Leaves the stack frames of our own errors out: the sentence says what to do."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True: the message itself is told."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, StreamerError) and error.__cause__ is None:  # a cause is news
            record.exc_info = record.exc_text = None
        return True


def quieten() -> None:
    """Have the client's loggers repeat themselves less, and never tell a secret."""
    # Whatever the level: at DEBUG aiokafka logs its requests, and one of them holds the password.
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    for name in TALKATIVE:
        logging.getLogger(name).addFilter(Sparing(REPEAT_SECONDS))
