"""What ends a benchmark early."""

from streamer.errors import StreamerError


class BenchmarkError(StreamerError):
    """What was to be measured did not run, or did not do its work in full."""


class BehindError(BenchmarkError):
    """A contender does not keep up with a pace."""
