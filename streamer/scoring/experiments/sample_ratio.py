"""The sample-ratio check: arms of other sizes than planned mean that something lost customers.

Then the customers of the arms are no longer alike, and no uplift can be believed. Fabijan et al.
2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD '19:2156.
"""

from collections.abc import Mapping

from msgspec import Struct
from scipy.special import chdtrc

MISMATCH_P = 0.0005
"""Below it the sizes cannot be chance. The customary 0.001, halved as it is looked at daily."""


class SampleRatio(Struct, frozen=True, kw_only=True):
    """Whether the arms came to the sizes they should have."""

    customers: dict[str, int]
    expected: dict[str, float]
    chi_square: float
    p: float
    """Of the chi-square test, 0 to 1."""
    mismatch: bool


def sample_ratio(customers: Mapping[str, int], shares: Mapping[str, float]) -> SampleRatio | None:
    """Return the chi-square test of the arms' sizes; None without any customer or a second arm.

    Args:
        customers: by arm.
        shares: of the traffic each arm was to get, above 0, in any unit; of the same arms.

    Raises:
        ValueError: the arms differ, or a share is not above 0.
    """
    if customers.keys() != shares.keys():
        raise ValueError("shares must name the arms of the experiment, all of them")
    if not all(share > 0 for share in shares.values()):
        raise ValueError("shares must be above 0")
    total = sum(customers.values())
    if not total or len(customers) == 1:
        return None
    whole = sum(shares.values())
    expected = {arm: total * share / whole for arm, share in shares.items()}
    chi_square = sum((customers[arm] - size) ** 2 / size for arm, size in expected.items())
    p = float(chdtrc(len(customers) - 1, chi_square))
    return SampleRatio(
        customers=dict(customers),
        expected=expected,
        chi_square=chi_square,
        p=p,
        mismatch=p < MISMATCH_P,
    )
