import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streamer.files import FileError
from streamer.files.outputs import OUTPUTS, ReplayError, output_file
from streamer.records.instants import from_datetime
from streamer.replay import Replay, replay_file
from streamer.settings import Settings

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
SCORES = ("ltv-updates", "churn-risk-updates")
Event = dict[str, Any]
Output = dict[str, list[dict[str, Any]]]
Run = Callable[..., Output]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Replay lines, or events, under some settings and return what stands in the files."""

    def replayed(
        lines: Iterable[bytes | Event], until: datetime | None = None, **changes: Any
    ) -> Output:
        source = tmp_path / "events.jsonl"
        texts = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        source.write_bytes(b"".join(text + b"\n" for text in texts))
        silent_until = -1 if until is None else from_datetime(until)
        settings = Settings(partitions=changes.pop("partitions", 1), **changes)
        replay_file(
            str(source), tmp_path / "out", settings, now=NOW, version="1", until=silent_until
        )
        return written(tmp_path / "out")

    return replayed


def written(folder: Path) -> Output:
    return {
        name: [json.loads(line) for line in output_file(folder, name).read_text().splitlines()]
        for name in OUTPUTS
    }


def event(kind: str, number: int, customer: str, days: float, **fields: Any) -> Event:
    return {
        "event_id": f"e{number}",
        "type": kind,
        "customer_id": customer,
        "occurred_at": (FIRST + timedelta(days=days)).isoformat(),
        **fields,
    }


def purchase(number: int, customer: str, days: float, amount: str, **fields: Any) -> Event:
    paid = {"order_id": f"o{number}", "amount": amount, "currency": "USD"}
    return event("purchase", number, customer, days, **paid, **fields)


def of(output: Output, name: str, customer: str) -> list[dict[str, Any]]:
    return [score for score in output[name] if score["customer_id"] == customer]


def days_since_first(text: str) -> float:
    return (datetime.fromisoformat(text) - FIRST) / timedelta(days=1)


def test_a_story_whose_figures_are_known(run: Run) -> None:
    output = run(
        [
            purchase(1, "anna", 0, "100.00", cost="60.00"),
            purchase(2, "ben", 1, "10.00"),
            purchase(3, "anna", 10, "50.00", cost="30.00"),
            event("refund", 4, "anna", 20, refund_id="r", order_id="o3", amount="20.00",
                  currency="USD"),
        ]
    )  # fmt: skip
    assert [score["historic_clv"] for score in of(output, "ltv-updates", "anna")] == [
        "100.00",
        "150.00",
        "130.00",
    ]
    last = of(output, "ltv-updates", "anna")[-1]
    assert (last["orders"], last["refunds"], last["events_seen"]) == (2, 1, 3)
    assert (last["average_order_value"], last["margin"], last["average_margin"]) == (
        "65.00",  # 130 / 2
        "40.00",  # 130 - 90
        "20.00",
    )
    assert last["windows"]["7"] == {"orders": 0, "revenue": "-20.00"}
    assert last["windows"]["30"] == {"orders": 2, "revenue": "130.00"}
    # (r + x) / (alpha + T) a day, with r = 1, alpha = 60, x = 1 and T = 20, for 365 days
    assert last["expected_orders"] == pytest.approx(2 / 80 * 365)
    risk = of(output, "churn-risk-updates", "anna")[-1]
    assert risk["churn_probability"] == pytest.approx((80 / (80 + 365)) ** 2)
    assert not output["dead-letters"]


def test_silence_is_told_at_the_instants_that_can_be_reckoned(run: Run) -> None:
    output = run([purchase(1, "anna", 0, "9.00")], until=FIRST + timedelta(days=2000))
    risks = of(output, "churn-risk-updates", "anna")
    assert [risk["risk_band"] for risk in risks] == ["low", "medium", "high", "lapsed"]
    # A single purchase: silence reaches the quantile q after 60 / (1 - q) - 60 days.
    assert [days_since_first(risk["as_of"]) for risk in risks] == pytest.approx([0, 60, 240, 1140])
    assert [risk["cause"]["kind"] for risk in risks] == ["event", "silence", "silence", "silence"]


def test_silence_runs_no_further_than_asked(run: Run) -> None:
    until = FIRST + timedelta(days=240, seconds=-1)
    output = run([purchase(1, "anna", 0, "9.00")], until=until)
    assert [risk["risk_band"] for risk in output["churn-risk-updates"]] == ["low", "medium"]


def test_silence_is_told_of_before_the_event_that_ends_it(run: Run) -> None:
    output = run([purchase(1, "anna", 0, "9.00"), purchase(2, "anna", 100, "9.00")])
    told = [(risk["cause"]["kind"], risk["risk_band"]) for risk in output["churn-risk-updates"]]
    assert told == [("event", "low"), ("silence", "medium"), ("event", "low")]


def test_time_is_each_partitions_own(run: Run) -> None:
    # Of 5 partitions murmur2 puts ben into 1, anna into 3.
    story = [purchase(1, "anna", 0, "9.00"), purchase(2, "ben", 100, "9.00")]
    alone = run(story, partitions=5)
    assert [risk["cause"]["kind"] for risk in alone["churn-risk-updates"]] == ["event"] * 2
    together = run(story)
    kinds = [risk["cause"]["kind"] for risk in together["churn-risk-updates"]]
    assert kinds == ["event", "silence", "event"]


@pytest.mark.parametrize("partitions", [1, 2, 5])
def test_a_brought_customers_purchase_counts_for_the_referrer_at_once(
    run: Run, partitions: int
) -> None:
    output = run(
        [
            purchase(1, "anna", 0, "10.00"),
            event("referral", 2, "anna", 1, referred_customer_id="ben", status="joined"),
            purchase(3, "ben", 2, "30.00"),
            purchase(4, "ben", 3, "5.00"),
        ],
        partitions=partitions,
    )
    told = [
        (score["customer_id"], score["cause"]["type"], score["referral_value"])
        for score in output["ltv-updates"]
    ]
    assert told == [
        ("anna", "purchase", None),
        ("anna", "referral", "0.00"),
        ("anna", "referral_credit", "0.00"),  # ben has joined
        ("ben", "purchase", None),
        ("anna", "referral_credit", "30.00"),
        ("ben", "purchase", None),
        ("anna", "referral_credit", "35.00"),
    ]
    assert of(output, "ltv-updates", "ben")[-1]["referred_by"] == "anna"


def test_a_cause_is_the_place_where_send_would_have_put_the_event(run: Run) -> None:
    output = run(
        [
            purchase(1, "anna", 0, "1.00"),
            purchase(2, "ben", 0, "1.00"),
            b"no event",  # into partition 0
            purchase(3, "ben", 1, "1.00"),
            event("referral", 4, "carl", 1, referred_customer_id="dora"),
        ],
        partitions=5,
        topic_prefix="shop.",
    )
    places = {
        score["cause"]["id"]: tuple(
            score["cause"][name] for name in ("topic", "partition", "offset")
        )
        for score in output["ltv-updates"]
    }
    assert places == {
        "e1": ("shop.purchases", 3, 0),
        "e2": ("shop.purchases", 1, 0),
        "e3": ("shop.purchases", 1, 1),
        "e4": ("shop.referrals", 2, 0),
    }


def test_an_event_that_names_its_customer_elsewhere_is_rekeyed(run: Run) -> None:
    data = purchase(1, "anna", 0, "7.00")
    envelope = {"specversion": "1.0", "type": "com.shop.purchase.v1", "source": "/shop",
                "id": data.pop("event_id"), "subject": data.pop("customer_id"),
                "time": data.pop("occurred_at"), "data": data}  # fmt: skip
    del data["type"]
    (score,) = run([envelope], partitions=3)["ltv-updates"]
    assert (score["customer_id"], score["historic_clv"]) == ("anna", "7.00")
    cause = score["cause"]
    assert (cause["topic"], cause["partition"], cause["offset"]) == ("purchases", 0, 0)


def test_dead_letters_say_all_that_is_known(run: Run) -> None:
    bad = purchase(2, "anna", 0, "-1.00")
    output = run([purchase(1, "anna", 0, "1.00"), bad, b'{"cut', b'{"caf\xe9":1}'])
    negative, cut, latin = output["dead-letters"]
    assert negative["reason"] == "invalid"
    assert negative["field"] == "amount"
    assert negative["key"] == "anna"
    assert json.loads(negative["value"]) == bad
    assert (negative["topic"], negative["partition"], negative["offset"]) == ("purchases", 0, 1)
    assert (negative["attempt"], negative["version"]) == (1, "1")
    assert datetime.fromisoformat(negative["failed_at"]) == NOW
    assert (cut["reason"], cut["key"], cut["value"], cut["value_encoding"]) == (
        "malformed", None, '{"cut', "utf-8",
    )  # fmt: skip
    assert (latin["value"], latin["value_encoding"]) == ("eyJjYWbpIjoxfQ==", "base64")


def test_what_comes_again_counts_once(run: Run) -> None:
    output = run([purchase(1, "anna", 0, "1.00")] * 3)
    assert [score["historic_clv"] for score in output["ltv-updates"]] == ["1.00"]


def test_the_clock_tells_what_lies_in_the_future(run: Run) -> None:
    ahead = (NOW - FIRST) / timedelta(days=1) + 2
    output = run([purchase(1, "anna", ahead, "1.00")])
    assert [letter["reason"] for letter in output["dead-letters"]] == ["future"]
    assert not output["ltv-updates"]


def test_a_replay_can_be_repeated_to_the_byte(run: Run) -> None:
    story = [purchase(n, f"c{n % 7}", n * 3, "5.00") for n in range(60)]
    assert run(story, partitions=3) == run(story, partitions=3)


def test_silence_in_small_steps_says_the_same(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    story = [purchase(n, f"c{n}", n / 10, "5.00") for n in range(40)]
    until = FIRST + timedelta(days=3000)
    whole = run(story, until=until)
    monkeypatch.setattr("streamer.replay.TIMERS_MAX", 3)
    assert run(story, until=until) == whole
    assert len(whole["churn-risk-updates"]) == 40 * 4


# -- files ------------------------------------------------------------------------------------


def replay(source: str | Path, out: Path) -> Replay:
    return replay_file(str(source), out, Settings(), now=NOW, version="1")


def test_a_failed_replay_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_text("customer,date,amount\nanna,2026-01-01,5.00\n")
    bad = tmp_path / "bad.csv"
    bad.write_text("customer,date,amount\nanna,2026-01-01,5.00\nanna,tomorrow,5.00\n")
    out = tmp_path / "out"
    assert replay(good, out).events == 1
    with pytest.raises(FileError, match="line 3"):
        replay(bad, out)
    # It failed before the first event, so what was there is still that of the first replay.
    assert len(written(out)["ltv-updates"]) == 1


def test_a_replay_that_fails_later_removes_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "events.jsonl"
    source.write_text(json.dumps(purchase(1, "anna", 0, "5.00")) + "\n")
    out = tmp_path / "out"
    replay(source, out)

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Replay, "take", fail)
    with pytest.raises(RuntimeError):
        replay(source, out)
    assert not list(out.iterdir())


def test_an_empty_file_gives_empty_files(tmp_path: Path) -> None:
    source = tmp_path / "empty.jsonl"
    source.touch()
    assert replay(source, tmp_path / "out").customers == 0
    assert written(tmp_path / "out") == {name: [] for name in OUTPUTS}


def test_a_missing_file_is_named_and_nothing_is_touched(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no-such"):
        replay(tmp_path / "no-such.jsonl", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_cannot_be_the_input(tmp_path: Path) -> None:
    source = tmp_path / "ltv-updates.jsonl"
    source.write_text("{}\n")
    with pytest.raises(ReplayError, match="name another folder"):
        replay(source, tmp_path)
    assert source.read_text() == "{}\n"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    source = tmp_path / "events.jsonl"
    source.touch()
    with pytest.raises(ReplayError, match="name another folder"):
        replay(source, source / "out")


def test_of_who_was_erased_the_files_hold_what_came_after(run: Run) -> None:
    others = [purchase(1, "ben", 0, "10.00"), purchase(2, "ben", 50, "10.00")]
    erased = [
        purchase(3, "anna", 1, "70.00"),
        purchase(4, "anna", 20, "80.00"),
        event("erasure", 5, "anna", 30),
        purchase(6, "anna", 25, "90.00"),
    ]
    until = FIRST + timedelta(days=400)
    plain, gone = run(others, until), run([others[0], *erased, others[1]], until)
    for name in (*SCORES, "segment-changes", "recommended-actions"):
        assert not of(gone, name, "anna")
        assert len(of(gone, name, "ben")) == len(of(plain, name, "ben")) > 0
    (everyone,) = [one for one in gone["programme-measures"] if one.get("group") == "all"]
    assert everyone["figures"]["customers"] == 1

    back = run([others[0], *erased, purchase(7, "anna", 40, "5.00")], until)
    assert {score["historic_clv"] for score in of(back, "ltv-updates", "anna")} == {"5.00"}
