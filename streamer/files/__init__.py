"""Files of events and of transactions, read as the wire values they stand for.

`read_lines` gives what Kafka would carry, `read_events` the same as dictionaries; see
`reading.py` for the way from a file to its events. `cdnow_master` and `cdnow_sample` fetch the
public data set that the models are checked against.
"""

from streamer.files.cdnow import cdnow_master, cdnow_sample
from streamer.files.errors import FileError
from streamer.files.layout import USUAL, Layout
from streamer.files.reading import read_events, read_lines

__all__ = [
    "USUAL",
    "FileError",
    "Layout",
    "cdnow_master",
    "cdnow_sample",
    "read_events",
    "read_lines",
]
