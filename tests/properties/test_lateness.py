"""A late event takes back no silence that was told, unless it is a purchase that denies it."""

from datetime import datetime
from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import CHURN_RISK_UPDATES, LTV_UPDATES
from streamer.records.scores import RISK_BANDS
from streamer.scoring.bands import crossings_of
from tests.support.cluster import Cluster, Score
from tests.support.histories import (
    LONG_DAYS,
    START,
    Happening,
    as_arrived,
    configuration,
    histories,
    sizes,
)

ALL = settings(max_examples=100, deadline=None)
END = from_datetime(START) + LONG_DAYS * DAY
TICKS = st.lists(st.integers(0, 1600), min_size=1, max_size=6)


@ALL
@given(histories(referrals=2), TICKS, sizes(), st.booleans())
def test_scores_and_bands_go_back_only_behind_a_purchase_that_denies_the_silence_told(
    history: list[Happening], ticks: list[int], units: list[int], every_event: bool
) -> None:
    cluster = Cluster(configuration(lateness_days=LONG_DAYS, every_event=every_event))
    last: dict[str, Score] = {}
    events = as_arrived(history)
    for tick, size in zip(cycle(ticks), cycle(units), strict=False):
        for event in events[:size]:
            cluster.send(event)
        events = events[size:]
        cluster.settle()
        _check_news(cluster, last)
        cluster.tell_silence(from_datetime(START) + tick * DAY)
        _check_news(cluster, last)
        if not events:
            break
    cluster.tell_silence(END)
    _check_news(cluster, last)


def _check_news(cluster: Cluster, last: dict[str, Score]) -> None:
    """Hold what was told since against what was ``last`` told of each customer."""
    rows, parameters = cluster.rows(), cluster.configuration.scoring
    orders = {score["score_id"]: score["orders"] for score in cluster.scores(LTV_UPDATES)}
    news: dict[str, list[Score]] = {}
    for score in cluster.scores(CHURN_RISK_UPDATES):
        news.setdefault(score["customer_id"], []).append(score)
    for customer, scores in news.items():
        if customer not in last:
            last[customer] = scores[0]
        ids = [score["score_id"] for score in scores]
        for score in scores[ids.index(last[customer]["score_id"]) + 1 :]:
            before, last[customer] = last[customer], score
            if orders[score["score_id"]] == orders[before["score_id"]]:
                assert _instant(score) >= _instant(before)
                assert _band(score) >= _band(before)
            elif score is scores[-1]:
                reached = crossings_of([rows[customer]], parameters)[0] <= _instant(before)
                assert _band(score) >= reached.sum()
                assert _instant(score) >= min(_instant(before), rows[customer].as_of)


def _instant(score: Score) -> int:
    return from_datetime(datetime.fromisoformat(score["as_of"]))


def _band(score: Score) -> int:
    return RISK_BANDS.index(score["risk_band"]) if score["risk_band"] else -1
