"""What can be wrong with a local store."""

from streamer.errors import StreamerError


class StoreError(StreamerError):
    """The local store cannot be read or written."""


class StoreLockedError(StoreError):
    """Another process has the local store."""
