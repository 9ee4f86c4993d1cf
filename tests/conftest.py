"""What tests of all kinds share."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from streamer.broker import EmbeddedKafka, ports

FAULTS = "tests/faults/"
SLOWEST_FIRST = (FAULTS, "tests/integration/", "tests/browser/", "tests/properties/")
"""What takes long begins early, so that none is left to wait for at the end; others come after."""

AT_ONCE_MAX = 4
"""Processes of tests: each has a Kafka of its own."""

# How long an example takes says how busy the machine is. The rest is Hypothesis' own profile, which
# is another where CI is set.
settings.register_profile(
    "any pace", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any pace")


class FaultsInARow(LoadFileScheduling):
    """Gives files to whichever process is free, but all fault tests to one.

    So any other test may run beside a fault test, but never a second one.
    """

    def _split_scope(self, nodeid: str) -> str:
        return FAULTS if nodeid.startswith(FAULTS) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FaultsInARow:
    config.option.loadscopereorder = False  # that would put files of few tests last: ours are slow
    return FaultsInARow(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """Run one more than there are cores: who tests faults waits for most of the time."""
    return min((os.cpu_count() or 1) + 1, AT_ONCE_MAX)


def pytest_configure(config: pytest.Config) -> None:
    """Let processes that test side by side choose among different ports."""
    if (worker := getattr(config, "workerinput", None)) is not None:
        number = int(worker["workerid"].removeprefix("gw"))
        ports._PORTS = ports._PORTS[number :: worker["workercount"]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest where tests run side by side."""
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    turns = range(len(SLOWEST_FIRST))
    return next((n for n in turns if item.nodeid.startswith(SLOWEST_FIRST[n])), len(turns))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the figures that fault tests reported, in whichever process they ran."""
    reports = (one for some in terminalreporter.stats.values() for one in some)
    told = [
        f"{name}: {figures}"
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, figures in report.user_properties
    ]
    if told:
        terminalreporter.section("faults in figures")
        for line in told:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """One real Kafka for each process of tests; they take topics of their own, never stop it."""
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker
