"""What a log-likelihood is to the search for its maximum."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.scoring.models.histories import Floats


class Likelihood(Protocol):
    """The log-likelihood of a shop's customers as a function of a model's k parameters."""

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, k of them."""

    @property
    def scales(self) -> Floats:
        """The order of magnitude of each parameter in these data's units, shape (k,)."""

    @property
    def directions(self) -> NDArray[np.float64]:
        """Where to search, shape (k, k), so that one step hardly calls for another.

        Columns are directions in the space of the parameters' logarithms: alpha goes along with r,
        as their ratio is what a shop's mean says.
        """

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood, and its derivatives by the logarithms of ``parameters``.

        Args:
            parameters: each above 0, shape (k,).
        """
