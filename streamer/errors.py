"""The root of the errors that streamer raises on purpose."""


class StreamerError(Exception):
    """A failure with a way out: its message is one sentence that says what to do next."""
