import re
from array import array

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.latency.loader import Order, Sent, stamped
from benchmarks.latency.measure import Moments, condense, moments_of
from benchmarks.latency.reader import sent_ns
from benchmarks.plan import Plan
from streamer.serdes.events import EventDecoder
from streamer.simulate import uniform_purchases

SECOND = 1_000_000_000
PLAN = Plan(runs=2, warm_up_seconds=1, run_seconds=2)
ORDER = Order("", "", 1, 1, 1, rate=10, seconds=5, ready="", answer="")


def moment(sent_at: float, latency_ms: float) -> Moments:
    return Moments(round(sent_at * SECOND), round(sent_at * SECOND + latency_ms * 1e6))


def test_a_stamped_purchase_is_the_same_but_for_its_id() -> None:
    (value,) = uniform_purchases(1, 1, seed=1)
    decoder = EventDecoder()
    before, after = decoder.decode(value), decoder.decode(stamped(value, 123))
    assert after.event_id == "123"
    assert re.sub(b'"event_id":"[^"]*"', b"", value) == re.sub(
        b'"event_id":"[^"]*"', b"", stamped(value, 123)
    )
    assert before.customer_id == after.customer_id


def test_the_moment_is_in_an_event_and_in_its_score() -> None:
    score = b'{"score_id":"c-1","cause":{"kind":"event","id":"7","topic":"purchases"}}'
    assert sent_ns(score) == 7
    assert sent_ns(b'{"cause":{"kind":"silence"}}') == 0
    assert sent_ns(b'{"event_id":"9"}') == 9


def test_a_score_of_the_backlog_has_no_moment() -> None:
    assert sent_ns(b'{"cause":{"kind":"event","id":"u1-000000007"}}') == 0


def test_the_answer_holds_pairs_of_moments() -> None:
    assert moments_of(array("q", [1, 2, 4, 5]).tobytes()) == [Moments(1, 2), Moments(4, 5)]


def test_runs_go_by_the_moment_of_sending_and_the_warm_up_is_left_out() -> None:
    moments = [
        moment(100.9, 900),  # warm-up
        moment(101.0, 10),
        moment(102.9, 5000),  # seen only in the next run
        moment(103.0, 30),
        moment(105.1, 900),  # after the last run
    ]
    latency = condense("somebody", ORDER, Sent(100 * SECOND, 9.9), moments, PLAN)
    assert latency.events == 3
    assert latency.unseen == 45
    assert latency.achieved_rate == 9.9
    assert latency.quantiles_ms["p50"].runs == (10, 30)
    assert latency.quantiles_ms["p99"].runs == (5000, 30)


def test_a_run_without_scores_is_no_result() -> None:
    with pytest.raises(BenchmarkError, match="at 10 events/s nothing was seen"):
        condense("somebody", ORDER, Sent(100 * SECOND, 10), [moment(101, 1)], PLAN)
