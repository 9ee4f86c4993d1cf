"""Who asks for scores together is served by one call, each by its own model."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
import pytest

from streamer.engine import scoring
from streamer.engine.scoring import SharedScoring, Updates
from streamer.pipeline import Asked, Configuration, Work, scored
from streamer.records.kafka import LTV_UPDATES
from streamer.scoring.parameters import ScoringParameters, with_model
from tests.support.cluster import Cluster
from tests.support.histories import configuration
from tests.support.models import model_params

SHOP = configuration(partitions=3)
NEWER = with_model(SHOP.scoring, model_params(generation=2))


def works(customers: int = 6) -> list[Work]:
    """Return units of work of three partitions, begun; each has folded some purchases."""
    cluster = Cluster(SHOP)
    for number in range(customers):
        cluster.send(
            {
                "event_id": f"e{number}",
                "type": "purchase",
                "schema_version": 1,
                "customer_id": f"c{number}",
                "occurred_at": "2026-01-01T00:00:00Z",
                "order_id": f"o{number}",
                "amount": "10",
                "currency": "USD",
            }
        )
    return [cluster.begin(number) for number in cluster.numbers]


def customers_of(updates: Updates) -> list[bytes | None]:
    return [message.key for message in updates.get(SHOP.topics[LTV_UPDATES], ())]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many units each call of the real ``scored`` has served."""
    served: list[int] = []

    def counted(
        asked: Sequence[Asked],
        now: datetime,
        shop: Configuration,
        parameters: ScoringParameters,
    ) -> list[Updates]:
        served.append(len(asked))
        return scored(asked, now, shop, parameters)

    monkeypatch.setattr(scoring, "scored", counted)
    return served


async def answers(
    shared: SharedScoring, asked: Sequence[Asked], parameters: Sequence[ScoringParameters]
) -> list[Any]:
    return await asyncio.gather(*map(shared.updates, asked, parameters), return_exceptions=True)


def test_partitions_that_ask_together_share_a_call(calls: list[int]) -> None:
    asked = [work.asked() for work in works()]
    found = asyncio.run(answers(SharedScoring(SHOP), asked, [SHOP.scoring] * 3))
    assert calls == [3]
    for one, updates in zip(asked, found, strict=True):
        assert customers_of(updates) == [row.customer_id.encode() for row in one.scorings]


def test_each_is_scored_by_its_own_model(calls: list[int]) -> None:
    asked = [work.asked() for work in works()]
    models = [SHOP.scoring, NEWER, NEWER]
    found = asyncio.run(answers(SharedScoring(SHOP), asked, models))
    assert calls == [1, 2]
    versions = [
        orjson.loads(updates[SHOP.topics[LTV_UPDATES]][0].value or b"")["model_version"]
        for updates in found
    ]
    assert versions == [one.model_version for one in models]


def test_a_large_unit_holds_up_no_other(calls: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [work.asked() for work in works()]
    monkeypatch.setattr(scoring, "TOGETHER_MAX", len(asked[0].scorings))
    asyncio.run(answers(SharedScoring(SHOP), asked, [SHOP.scoring] * 3))
    assert calls[0] == 1
    assert sum(calls) == len(asked)


def test_who_asks_for_nothing_does_not_wait(calls: list[int]) -> None:
    [nothing] = [work.asked() for work in works(0)[:1]]
    assert asyncio.run(SharedScoring(SHOP).updates(nothing, SHOP.scoring)) == {}
    assert calls == []


def test_an_error_ends_all_who_have_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> list[Updates]:
        raise ZeroDivisionError

    monkeypatch.setattr(scoring, "scored", broken)
    asked = [work.asked() for work in works()]
    found = asyncio.run(answers(SharedScoring(SHOP), asked, [SHOP.scoring] * 3))
    assert [type(error) for error in found] == [ZeroDivisionError] * 3


def test_a_partition_that_was_taken_away_is_left_out(calls: list[int]) -> None:
    asked = [work.asked() for work in works()]

    async def one_is_cancelled() -> Updates:
        shared = SharedScoring(SHOP)
        gone = asyncio.create_task(shared.updates(asked[0], SHOP.scoring))
        stays = asyncio.create_task(shared.updates(asked[1], SHOP.scoring))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert customers_of(asyncio.run(one_is_cancelled()))
    assert calls == [1]
