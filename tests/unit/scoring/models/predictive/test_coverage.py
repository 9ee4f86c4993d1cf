"""Do the intervals hold what their level says? On a simulated shop exactly, on CDNOW roughly."""

from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.files import cdnow_sample
from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.pareto_nbd import ParetoNbd
from streamer.scoring.models.predictive import purchase_interval, value_interval
from streamer.simulate import PurchaseProcess
from streamer.simulate.draws import purchase_times, stream
from tests.support.posterior import Model

CDNOW_MODELS: list[Model] = [
    MbgNbd(0.525, 6.183, 0.891, 1.614),
    BgNbd(0.2426, 4.4136, 0.7929, 2.4259),
    ParetoNbd(0.5533, 10.578, 0.6062, 11.669),
]
CDNOW_SPEND = GammaGamma(6.25, 3.74, 15.44)
Past = tuple[Histories, Floats, Floats, Floats]


def past_and_future(buyers: Floats, times: Floats, amounts: Floats, now: float, end: float) -> Past:
    """Return histories at ``now``, mean repeat values, and what follows until ``end``.

    Args:
        buyers: of the purchases, in time order; those of one time are one occasion.
        times: of the purchases.
        amounts: of the purchases.
        now: the last time of the past.
        end: the last time of the future.
    """
    known = times <= now
    customers, first, owner = np.unique(buyers, return_index=True, return_inverse=True)
    n = len(customers)

    def total(chosen: NDArray[np.bool_], of: Floats) -> Floats:
        return np.bincount(owner[chosen], of[chosen], n).astype(np.float64)

    occasion = np.zeros(len(times), dtype=bool)
    occasion[np.unique(np.stack([owner, times]), axis=1, return_index=True)[1]] = True
    repeat, later = known & (times > times[first][owner]), ~known & (times <= end)
    last = np.zeros(n)
    np.maximum.at(last, owner[known], times[known])
    x = total(repeat & occasion, np.ones(len(times)))
    mean = total(repeat, amounts) / np.maximum(x, 1)
    histories = Histories(x, last - times[first], now - times[first])
    bought = total(later & occasion, np.ones(len(times)))
    return histories, mean, bought, total(later, amounts)


@pytest.fixture(scope="module")
def cdnow() -> Past:
    """39 weeks until 30 September 1997, and 39 weeks from then, in weeks."""
    rows = [line.split() for line in cdnow_sample().read_text().splitlines() if line.strip()]
    days = [date(int(row[-3][:4]), int(row[-3][4:6]), int(row[-3][6:])) for row in rows]
    weeks = np.array([day.toordinal() for day in days]) / 7
    buyers = np.array([float(row[0]) for row in rows])
    spent = np.array([float(row[-1]) for row in rows])
    ends = (date(1997, 9, 30).toordinal() / 7, date(1998, 6, 30).toordinal() / 7)
    return past_and_future(buyers, weeks, spent, *ends)


@pytest.mark.parametrize("factor", [1.0, 1.2])
@pytest.mark.parametrize("model", CDNOW_MODELS)
def test_intervals_hold_78_to_90_percent_of_cdnow(cdnow: Past, model: Model, factor: float) -> None:
    """Also with rates corrected by a fifth, which makes up for most of the models' bias there."""
    customers, mean, bought, spent = cdnow
    assert bought.sum() == 1882
    low, high = purchase_interval(model, customers, 39.0, 0.8, factor)
    assert 0.78 <= ((low <= bought) & (bought <= high)).mean() <= 0.9
    low, high = value_interval(
        model, CDNOW_SPEND, customers, customers.x, mean, 39.0, 0.8, correction=factor
    )
    assert 0.78 <= ((low <= spent) & (spent <= high)).mean() <= 0.9


@pytest.mark.parametrize("family", [MbgNbd, BgNbd])
def test_tails_of_a_simulated_shop_are_as_said(family: type[BgNbd] | type[MbgNbd]) -> None:
    """The process is simulated from its beginning: P(alive) and posteriors are tested with it."""
    customers, spend = 60_000, GammaGamma(3.0, 4.0, 60.0)
    model = family(0.8, 40.0, 0.9, 2.5)
    name = "mbg_nbd" if family is MbgNbd else "bg_nbd"
    process = PurchaseProcess(name, model.r, model.alpha, model.a, model.b)  # type: ignore[arg-type]
    starts = stream(1, "starts").random(customers) * 100
    times, buyers = purchase_times(process, starts, 400.0, stream(1, "purchases"))
    draws = stream(1, "amounts")
    rates = draws.gamma(spend.q, 1 / spend.gamma, customers)
    amounts = draws.gamma(spend.p, 1 / rates[buyers])
    past, mean, bought, spent = past_and_future(
        buyers.astype(np.float64), times, amounts, 200.0, 400.0
    )
    level = 0.7
    low, high = purchase_interval(model, past, 200.0, level)
    none = model.no_purchase_probability(past, 200.0)
    above = np.clip(none, (1 - level) / 2, 1 - level)
    assert ((low <= bought) & (bought <= high)).mean() >= level
    assert (bought < low).mean() <= (1 - level) / 2
    low, high = value_interval(model, spend, past, past.x, mean, 200.0, level)
    for outside, tail, kept in (
        (spent < low, np.full_like(low, (1 - level) / 2), low > 0),
        (spent > high, above, high > 0),
    ):
        error = 4 * np.sqrt((tail * (1 - tail))[kept].sum())
        assert abs(outside[kept].sum() - tail[kept].sum()) < error + 0.003 * kept.sum()
