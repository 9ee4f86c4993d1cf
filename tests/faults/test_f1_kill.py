"""F1: kill -9 at random under load. Nothing is lost, nothing counts twice, nothing goes back."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streamer.broker import EmbeddedKafka
from tests.support.audit import Audit
from tests.support.chaos import Killer
from tests.support.load import Wire, wire_of
from tests.support.scenario import scenario
from tests.support.verdict import DAY_MICROS, MICROS, micros

SEED = 1
KILLS_MIN = 12
SHORT_SECONDS = 45
SILENT = 100
SILENCE_DAYS = 60  # to medium risk after a first purchase: half of 1 + s/60 is left


async def test_kill_9_loses_nothing_and_counts_nothing_twice(
    kafka: EmbeddedKafka, tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    seconds = soak_seconds or SHORT_SECONDS
    async with scenario(kafka.bootstrap, tmp_path, SEED, seconds) as plot:
        worker, audit = plot.corner.worker("worker"), plot.audit
        worker.start()
        await worker.ready()
        silent = silent_purchases(datetime.now(UTC) + timedelta(seconds=10), seconds)
        await plot.send(silent)
        killer = Killer(audit, SEED)
        async with plot.load():
            began = time.monotonic()
            while killer.kills < KILLS_MIN or time.monotonic() - began < seconds:
                await killer.once(worker)
        await audit.wait_for(lambda: len(audit.silences) == SILENT, 60, "silence was not told of")
        assert await worker.stop() == 0, worker.told("did not end well")
        await audit.read()
    summary("F1 kill -9", **killer.figures(), **plot.figures())
    plot.check()
    check_silence(audit, silent)


def silent_purchases(first: datetime, seconds: float) -> list[Wire]:
    """Return first purchases whose silence becomes a risk at even distances in `seconds`."""
    wires = []
    for number in range(SILENT):
        crossing = first + timedelta(seconds=seconds * number / SILENT)
        name = f"silent-{number}"
        event = {
            "event_id": name,
            "type": "purchase",
            "customer_id": name,
            "occurred_at": (crossing - timedelta(days=SILENCE_DAYS)).isoformat(),
            "order_id": name,
            "amount": "10.00",
            "currency": "USD",
        }
        wires.append(wire_of(event))
    return wires


def check_silence(audit: Audit, silent: list[Wire]) -> None:
    """Each silence was told of once, at the very instant of the crossing and not before it."""
    for wire in silent:
        event = json.loads(wire.value or b"")
        (score,) = audit.silences[event["customer_id"]]
        crossing = micros(event["occurred_at"]) + SILENCE_DAYS * DAY_MICROS
        assert micros(score["as_of"]) == pytest.approx(crossing, abs=2, rel=0)
        assert (score["previous_risk_band"], score["risk_band"]) == ("low", "medium")
        told_after = (micros(score["scored_at"]) - crossing) / MICROS
        assert told_after >= 0, f"{wire.key!r} was told of {-told_after:g} s too early"
