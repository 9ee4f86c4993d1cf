"""What ends a benchmark early."""

from streamer.errors import StreamerError


class BenchmarkError(StreamerError):
    """What was to be measured did not run, or did not do its work in full."""
