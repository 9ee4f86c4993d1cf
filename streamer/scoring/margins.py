"""Margin (V12): who pays well, who only buys what pays badly, and who only buys cheaper."""

from functools import lru_cache

import numpy as np

from streamer.scoring.columns import Columns, integers_of
from streamer.scoring.measure import Measure, alike, members
from streamer.scoring.occasion import where_known

_FIELDS = ("margin_orders", "best_margin", "discounted_orders")


def margins(columns: Columns, low_margin_rate: float) -> Measure:
    """Return margin rate, low-margin flag, discounted orders and discount flag of each row."""
    told, best, discounted = integers_of(columns.rows, *_FIELDS)
    bought, rated = columns.orders > 0, columns.costed & (columns.net > 0)
    rate = columns.margin / np.where(rated, columns.net, 1)
    some_good = (told > 0) & (best >= low_margin_rate * 1_000_000)
    judged = some_good | (bought & (told == columns.orders))
    flags = [known.tolist() for known in (bought, columns.costed, rated, judged)]
    return Measure(
        (
            where_known(rate.tolist(), flags[2]),
            where_known((~some_good).tolist(), flags[3]),
            where_known(discounted.tolist(), flags[0]),
            where_known((discounted == columns.orders).tolist(), flags[0]),
        ),
        alike(_nulls, *flags),
    )


@lru_cache(maxsize=16)
def _nulls(bought: bool, costed: bool, rated: bool, judged: bool) -> str:
    if not bought:
        return members({"margins": "no_purchase"})
    return members(
        {
            "margin_rate": None if rated else "no_revenue" if costed else "no_cost",
            "low_margin_only": None if judged else "no_cost",
        }
    )
