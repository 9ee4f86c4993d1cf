"""Where customers are (V14): the location of the latest purchase that named one."""

from operator import attrgetter

from streamer.scoring.measure import Measure, members, nothing
from streamer.state.row import Row

_NULL = members({"location": "no_location"})


def location(rows: list[Row]) -> Measure:
    """Return the locations of ``rows``."""
    if not any(map(attrgetter("engagement"), rows)):
        return nothing(len(rows), 1, _NULL)
    found = [None if row.engagement is None else row.engagement.location[1] or None for row in rows]
    return Measure((found,), [_NULL if one is None else "" for one in found])
