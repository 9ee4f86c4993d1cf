"""What the embedded broker says when it cannot do its work."""

from streamer.errors import StreamerError


class BrokerError(StreamerError):
    """The embedded Kafka could not be fetched, started or reached."""
