import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks import main
from benchmarks.errors import BenchmarkError
from benchmarks.figures import Results
from benchmarks.plan import Part, Plan
from streamer.cli.bench import bench
from streamer.errors import StreamerError

app = typer.Typer()
app.command()(bench)


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """What would have been measured."""
    seen: list[Plan] = []

    def run(plan: Plan, _: object) -> Results:
        seen.append(plan)
        return Results()

    monkeypatch.setattr(main, "run", run)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return seen


def invoke(*arguments: str) -> None:
    CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_without_options_all_is_measured_in_full(plans: list[Plan]) -> None:
    invoke()
    assert plans == [Plan()]
    assert plans[0].parts == tuple(Part)


def test_options_choose_the_sizes(plans: list[Plan], tmp_path: Path) -> None:
    file, picture = tmp_path / "bench.json", tmp_path / "bench.svg"
    invoke(
        *("--events", "5000", "--customers", "70", "--skewed", "--runs", "1"),
        *("--rates", "10, 20", "--only", "latency", "--only", "streamer", "--json", str(file)),
        *("--picture", str(picture)),
    )
    (plan,) = plans
    assert (plan.events, plan.customers, plan.skew, plan.runs) == (5000, 70, 1.0, 1)
    assert plan.rates == (10, 20)
    assert plan.parts == (Part.LATENCY, Part.STREAMER)
    assert file.exists()
    assert picture.exists()


def test_given_sizes_win_over_quick_ones(plans: list[Plan]) -> None:
    invoke("--quick", "--runs", "2")
    assert (plans[0].events, plans[0].runs) == (100_000, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rates", "1000,fast"], "'1000,fast' are no rates"),
        (["--rates", "0"], "'0' are no rates"),
        (["--picture", "bench.txt"], "end its name in .png or .svg"),
        (["--only", "spark"], "'spark' is no part: choose from read-limit"),
    ],
)
def test_what_cannot_be_measured_is_named(
    plans: list[Plan], arguments: list[str], message: str
) -> None:
    with pytest.raises(BenchmarkError, match=message):
        invoke(*arguments)
    assert plans == []


def test_an_installed_package_says_where_the_benchmarks_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(
        sys, "path", [path for path in sys.path if not Path(path, "benchmarks").is_dir()]
    )
    with pytest.raises(StreamerError, match="clone it and run `make bench`"):
        invoke("--quick")
