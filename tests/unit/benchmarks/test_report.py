from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from benchmarks.figures import Latency, Results, Scaled, Spread, Throughput, quantiles
from benchmarks.machine import Machine, this_machine, versions
from benchmarks.picture import draw
from benchmarks.plan import Plan
from benchmarks.report import Report, disturbed, report_of, write_json
from benchmarks.steady import Pace
from benchmarks.tables import show

RESULTS = Results(
    read_limit=Throughput("read limit", None, Spread.of([390_000.0]), None),
    streamer=Throughput.of(
        "streamer", "exactly once", [Pace(39_000, 21), Pace(78_000, 22), Pace(58_500, 21.5)]
    ),
    plain_faust=[Throughput("plain Faust", "at least once", Spread.of([3_000.0]), None)],
    kafka_streams=[Throughput("Kafka Streams", "exactly once", Spread.of([45_000.0]), None)],
    latency=[Latency("streamer", 1_000, 999.5, 3, 1, quantiles([[1.0, 2.0, 150.0]]))],
    scale=[
        Scaled(100, Throughput("streamer", "exactly once", Spread.of([50_000.0]), None)),
        Scaled(9_000, Throughput("streamer", "exactly once", Spread.of([40_000.0]), None)),
    ],
)


def report(results: Results) -> Report:
    return report_of(
        plan=Plan(skew=1.0),
        results=results,
        machine=Machine("some cpu", 2, "some system", 0.5),
        versions={"kafka": "4"},
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        seconds=60.0,
    )


def shown(results: Results) -> str:
    text = StringIO()
    show(report(results), Console(width=160, file=text))
    return text.getvalue()


def test_the_tables_tell_figures_ratios_and_floors() -> None:
    text = shown(RESULTS)
    for told in (
        "Zipf 1 customers",
        "58,500",
        "39,000 to 78,000",
        "19.5",
        "0.150",
        "21.5",
        "150 (150 to 150)",
        "1.3",
        "9,000",
        "0.80",
        "not met",
        "not reached",
        "some cpu, 2 cores",
        "kafka 4",
    ):
        assert told in text


@pytest.mark.parametrize(
    ("load_average", "limits", "expected"),
    [
        (0.5, [390_000.0, 310_000.0], True),
        (0.5, [390_000.0, 320_000.0], False),
        (1.5, [390_000.0], True),
    ],
)
def test_a_busy_machine_is_told_of(
    load_average: float, limits: list[float], expected: bool
) -> None:
    machine = Machine("some cpu", 2, "some system", load_average)
    limit = Throughput("read limit", None, Spread.of(limits), None)
    assert disturbed(machine, limit) == expected


def test_what_was_not_measured_is_left_out() -> None:
    text = shown(Results())
    assert "Throughput" not in text
    assert "Latency" not in text
    assert text.count("not measured") == 8


def test_the_json_holds_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    write_json(report(RESULTS), file)
    told = orjson.loads(file.read_bytes())
    assert told["plan"]["events"] == 1_000_000
    assert told["results"]["streamer"]["events_per_second"]["runs"] == [39_000, 78_000, 58_500]
    assert told["results"]["latency"][0]["quantiles_ms"]["p99"]["median"] == 150
    assert told["ratios"]["streamer / plain Faust"] == 19.5
    assert told["ratios"]["streamer / Kafka Streams"] == 1.3
    assert told["ratios"]["streamer / read limit"] == 0.15
    assert told["ratios"]["streamer, 2 processes / read limit"] is None
    assert [floor["met"] for floor in told["floors"]] == [
        *(True, None, False, True),
        *(None, False, None, True),
    ]


@pytest.mark.parametrize(("name", "begins"), [("all.png", b"\x89PNG"), ("all.svg", b"<?xml")])
@pytest.mark.parametrize("results", [RESULTS, Results()])
def test_the_picture_is_drawn(tmp_path: Path, results: Results, name: str, begins: bytes) -> None:
    draw(report(results), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_this_machine_is_known() -> None:
    machine = this_machine()
    assert machine.cpu
    assert machine.cores > 0
    assert {
        "python",
        "kafka and kafka streams",
        "quix streams",
        "bytewax",
        "java",
        "aiokafka",
    } <= versions().keys()
