"""What every model of purchasing can tell."""

from typing import Protocol

from streamer.scoring.models.histories import Floats, Histories


class PurchaseModel(Protocol):
    """A model with its parameters. Times are in the parameters' time unit; n customers at once.

    Every figure is finite for every history and every parameter in its range, and no warning is
    raised on the way.
    """

    @property
    def name(self) -> str:
        """As on the wire: mbg_nbd, bg_nbd or pareto_nbd."""

    def probability_alive(self, customers: Histories) -> Floats:
        """Return P(still a customer at T), shape (n,), 0 to 1."""

    def no_purchase_probability(self, customers: Histories, horizon: float) -> Floats:
        """Return P(no purchase in (T, T + horizon]), shape (n,): the churn probability."""

    def expected_purchases(self, customers: Histories, horizon: float) -> Floats:
        """Return E[purchases in (T, T + horizon] | history], shape (n,)."""

    def new_customer_purchases(self, times: Floats) -> Floats:
        """Return E[repeat purchases of a new customer by each of ``times``], their shape."""

    def discounted_purchases(self, customers: Histories, horizon: float, rate: float) -> Floats:
        """Return E[Σ e^(−rate·(time − T)) over purchases in (T, T + horizon]], shape (n,).

        Args:
            customers: n histories.
            horizon: may be infinite where ``rate`` is above 0.
            rate: continuously compounded, a time unit; 0 or more.
        """

    def expected_and_discounted(
        self, customers: Histories, horizon: float, rate: float
    ) -> tuple[Floats, Floats]:
        """Return ``expected_purchases`` and ``discounted_purchases``: both cost little more."""

    def age_at(self, customers: Histories, horizon: float, probability: Floats | float) -> Floats:
        """Return the T at which ``no_purchase_probability`` reaches ``probability``, shape (n,).

        It rises with silence, so there is one instant at most: never before t_x (then t_x), and
        infinite where it is never reached. ``customers.T`` does not matter.

        Args:
            customers: n histories.
            horizon: finite, 0 or more.
            probability: shape (n,), or one for all.
        """
