"""How an endpoint does, by what became of the last tries, whichever updates they were of.

An endpoint that takes nothing of several updates in a row is down. Then it is asked by one update
at a time, ever more seldom, and no try is counted against any: an outage ends no update. While it
takes others, an update that it does not take is at fault itself, and given up after some tries.
"""

import random

DOWN_AFTER = 5
"""Updates of which the endpoint has taken none, one after the other."""

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 60.0


class Health:
    """What is known of one endpoint."""

    def __init__(self) -> None:
        self.accepted = 0
        """Updates taken so far."""
        self._failing: set[str] = set()
        self._probes = 0

    @property
    def is_down(self) -> bool:
        """Whether it takes nothing at all."""
        return len(self._failing) >= DOWN_AFTER

    def succeeded(self) -> None:
        """Note that an update was taken."""
        self.accepted += 1
        self._failing.clear()
        self._probes = 0

    def failed(self, message_id: str) -> None:
        """Note that the endpoint was not well."""
        self._probes += self.is_down
        if not self.is_down:
            self._failing.add(message_id)

    @property
    def pause_seconds(self) -> float:
        """How long to leave it alone before it is asked again, while it is down."""
        return backoff_seconds(self._probes)


def backoff_seconds(failures: int) -> float:
    """Return how long to wait after so many failures, 0 being the first.

    It doubles up to ``LONGEST_SECONDS``; the half of it is by chance, so that those who failed
    together do not come back together.
    """
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - no secret
