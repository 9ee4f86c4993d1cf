"""The one error of reading files."""

from streamer.errors import StreamerError


class FileError(StreamerError):
    """A file that cannot be read as it stands.

    Args:
        source: The file's name as the user gave it; `-` is shown as standard input.
        message: What is wrong and what to do, one sentence without the closing dot.
        line: Number of the line at fault, from 1; None where no single line is.
    """

    def __init__(self, source: str, message: str, line: int | None = None) -> None:
        name = "standard input" if source == "-" else source
        place = name if line is None else f"{name}, line {line}"
        super().__init__(f"{place}: {message}.")
        self.source = source
        self.line = line
