from benchmarks.figures import Latency, Results, Scaled, Spread, Throughput
from benchmarks.floors import floors


def throughput(*rates: float) -> Throughput:
    return Throughput("somebody", None, Spread.of(rates), None)


def latency(rate: int, p99: float) -> Latency:
    return Latency("somebody", rate, float(rate), 1, 0, {"p99": Spread.of([p99])})


GOOD = Results(
    read_limit=throughput(390_000),
    streamer=throughput(41_000),
    streamer_on_two_cores=throughput(80_000),
    kafka_streams=[throughput(60_000), throughput(80_000)],
    quix=[throughput(20_000)],
    plain_faust=[throughput(4_000), throughput(1)],
    latency=[latency(10_000, 90), latency(1_000, 100)],
    latency_of_peers=[latency(10_000, 178), latency(10_000, 90)],
    scale=[Scaled(100, throughput(40)), Scaled(5_000, throughput(36))],
)


def test_ours_at_its_fastest_stands_beside_theirs_at_its_fastest() -> None:
    figures = [floor.figure for floor in floors(GOOD)]
    assert figures == [1, 4, 20, 41 / 390, 80 / 390, 100, 90, 0.9]


def test_a_floor_is_met_by_as_much_as_it_says() -> None:
    assert [floor.met for floor in floors(GOOD)] == [True] * 8


def test_aims_are_further() -> None:
    aims = [floor.aim_met for floor in floors(GOOD)]
    assert aims == [False, True, False, None, None, None, False, True]
    assert floors(GOOD)[6].aim == "< 90"


def test_no_floor_is_met() -> None:
    results = Results(
        read_limit=throughput(400_000),
        streamer=throughput(20_000),
        streamer_on_two_cores=throughput(30_000),
        kafka_streams=[throughput(31_000)],
        quix=[throughput(16_000)],
        plain_faust=[throughput(3_000)],
        latency=[latency(1_000, 100.1), latency(10_000, 101)],
        scale=[Scaled(100, throughput(40)), Scaled(5_000, throughput(20))],
    )
    assert [floor.met for floor in floors(results)] == [False] * 8


def test_what_was_not_measured_is_not_judged() -> None:
    judged = floors(Results(streamer=throughput(1)))
    assert [(floor.met, floor.aim_met) for floor in judged] == [(None, None)] * 8
