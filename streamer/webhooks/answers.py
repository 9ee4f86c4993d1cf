"""What an endpoint's answer means: taken, refused, or that the endpoint is not well."""

from http import HTTPStatus
from typing import NamedTuple

RETRY_AFTER_SECONDS_MAX = 300.0

REFUSALS = frozenset({400, 406, 409, 411, 413, 414, 415, 422, 431})
"""Statuses that speak of the request itself. Others, say 401 or 404, speak of the endpoint."""

BUSY = frozenset({429, 503})


class Answer(NamedTuple):
    """What came of one try."""

    status: int | None
    """None where there was no answer."""
    fault: str = ""
    """Why there was none."""
    retry_after_seconds: float = 0.0
    """For how long the endpoint asked to be left alone."""

    @property
    def is_accepted(self) -> bool:
        """Whether the update is told."""
        return (
            self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES
        )

    @property
    def is_refused(self) -> bool:
        """Whether the endpoint, being well, does not want this update."""
        return self.status in REFUSALS

    @property
    def is_busy(self) -> bool:
        """Whether the endpoint asks for patience: no try is lost by that."""
        return self.status in BUSY

    def __str__(self) -> str:
        if self.status is None:
            return self.fault
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:  # a status of its own
            return str(self.status)


def retry_after_seconds(header: str | None) -> float:
    """Return how long ``Retry-After`` asks to wait, within bounds; 0 for none, or for a date."""
    if header is None or not header.isascii() or not header.isdigit():
        return 0.0
    return min(float(header[:6]), RETRY_AFTER_SECONDS_MAX)
