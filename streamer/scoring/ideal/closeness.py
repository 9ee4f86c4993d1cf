"""How close customers are to the ideal profile, as ``ltv-updates`` tells it (see ``profile``)."""

from streamer.scoring.ideal.profile import Ideal
from streamer.scoring.ideal.traits import lasting_traits_of
from streamer.scoring.measure import Measure, members, nothing
from streamer.state.row import Row

_NO_PROFILE = members({"profile": "no_profile"})
_NO_MODEL = members({"profile": "no_model"})
_NO_PURCHASE = members({"profile": "no_purchase"})


def closeness(rows: list[Row], ideal: Ideal | None, *, modelled: bool) -> Measure:
    """Return how close the customers of ``rows`` are, and the traits that made it.

    Args:
        rows: n of them.
        ideal: the profile in force; None where there is none.
        modelled: whether a fitted model is.
    """
    if ideal is None:
        return nothing(len(rows), 2, _NO_PROFILE if modelled else _NO_MODEL)
    told = [
        ideal.told(lasting_traits_of(row)) if row.orders else (None, None, _NO_PURCHASE)
        for row in rows
    ]
    close, made_by, nulls = map(list, zip(*told, strict=True))
    return Measure((close, made_by), nulls)
