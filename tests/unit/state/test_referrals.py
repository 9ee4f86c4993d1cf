"""Credits are differences: together they are the standing, and nothing for who lost it."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.events import Event, Purchase, Referral, ReferralLink, Refund
from streamer.records.instants import DAY
from streamer.state.fold import fold
from streamer.state.referrals import credits_between, link_of, standing
from streamer.state.row import Row

LATENESS = 10_000 * DAY
INSTANTS = st.integers(0, 9)


def happenings() -> st.SearchStrategy[list[Event]]:
    purchase = st.builds(
        lambda at, amount: Purchase("p", "c", at, "o", amount, None), INSTANTS, st.integers(0, 99)
    )
    refund = st.builds(
        lambda at, amount: Refund("r", "c", at, "o", amount), INSTANTS, st.integers(1, 99)
    )
    link = st.builds(
        lambda at, who, joined: ReferralLink("l", "c", at, who, joined),
        INSTANTS,
        st.sampled_from(["ann", "bob", "cy"]),
        st.booleans(),
    )
    return st.lists(st.one_of(purchase, refund, link, link), max_size=15)


@settings(max_examples=300, deadline=None)
@given(happenings())
def test_credits_sum_to_the_standing(events: list[Event]) -> None:
    row, rows = Row(), defaultdict[str, Row](Row)
    for event in events:
        before = standing(row)
        fold(row, event, LATENESS)
        for credit in credits_between(event, row, before):
            changes = rows[credit.customer_id].changes
            fold(rows[credit.customer_id], credit, LATENESS)
            assert rows[credit.customer_id].changes > changes, "a credit raises the revision"
            assert credit.referred_customer_id == "c"
            assert credit.occurred_at == max(row.watermarks[0], row.referred_at)
    now = standing(row)
    for referrer, credited in rows.items():
        mine = referrer == row.referrer
        assert credited.referred_revenue == (now.revenue if mine else 0)
        assert credited.referred_orders == (now.orders if mine else 0)
        assert credited.referred_customers == (now.customers if mine else 0)
    if row.referrer and now.events:
        assert row.referrer in rows


def test_standing_by_hand() -> None:
    row = Row(referrer="ann", referred_at=9, orders=2, refunds=1, revenue=100, refunded=30)
    assert standing(row) == ("ann", 70, 2, 1, 3, 9)
    assert standing(Row(joined=True)) == ("", 0, 0, 1, 1, -1)
    assert standing(Row()) == ("", 0, 0, 0, 0, -1)


def test_a_link_turns_a_referral_round() -> None:
    link = link_of(Referral("f", "ann", 7, "bob", joined=True), standing=5, since=6)
    assert link == ReferralLink("f", "bob", 7, "ann", joined=True, standing=5, since=6)
