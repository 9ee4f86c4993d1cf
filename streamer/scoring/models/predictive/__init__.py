"""Predictive distributions: intervals of what customers will do, not of what they do on average.

``counts`` is the number of purchases of one who is still a customer, ``families`` says which model
has which; ``clusters`` and ``mixture`` make values of it, fast.
"""

from streamer.scoring.models.predictive.purchases import purchase_interval
from streamer.scoring.models.predictive.value import value_interval

__all__ = ["purchase_interval", "value_interval"]
