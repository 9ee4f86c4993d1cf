"""The BG/NBD model: a customer may leave at any purchase but the first.

Fader, Hardie & Lee 2005, Marketing Science 24:275. A customer with one purchase is alive for
certain, however long ago: never take 1 − P(alive) for churn here.
"""

from streamer.scoring.models.beta_geometric import BetaGeometric
from streamer.scoring.models.histories import Floats


class BgNbd(BetaGeometric, frozen=True):
    """The BG/NBD model by its parameters; see ``BetaGeometric`` and ``PurchaseModel``.

    >>> from streamer.scoring.models.histories import histories
    >>> cdnow = BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)  # in weeks
    >>> cdnow.expected_purchases(histories(x=2, t_x=30.43, T=38.86), horizon=39).round(3).tolist()
    [1.226]
    """

    @property
    def name(self) -> str:
        """As on the wire."""
        return "bg_nbd"

    def chances(self, x: Floats) -> Floats:
        """Return x: the first purchase was none."""
        return x
