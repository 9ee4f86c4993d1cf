"""The MBG/NBD model, the default: a customer may leave at any purchase, the first included.

Batislam, Denizel & Filiztekin 2007, International Journal of Research in Marketing 24:201; also
Hoppe & Wagner 2007, Marketing JRM 3:75, as the CBG/NBD model.
"""

from streamer.scoring.models.beta_geometric import BetaGeometric
from streamer.scoring.models.histories import Floats


class MbgNbd(BetaGeometric, frozen=True):
    """The MBG/NBD model by its parameters; see ``BetaGeometric`` and ``PurchaseModel``.

    >>> from streamer.scoring.models.histories import histories
    >>> cdnow = MbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614)  # in weeks
    >>> cdnow.probability_alive(histories(x=[0, 2], t_x=[0, 30.43], T=38.86)).round(3).tolist()
    [0.39, 0.706]
    """

    @property
    def name(self) -> str:
        """As on the wire."""
        return "mbg_nbd"

    def chances(self, x: Floats) -> Floats:
        """Return x + 1: the first purchase was one."""
        return x + 1
