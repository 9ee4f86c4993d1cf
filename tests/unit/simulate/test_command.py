import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from streamer.cli.simulate import simulate as command
from streamer.simulate import (
    AcquisitionCosts,
    Basket,
    Disturbances,
    Experiments,
    Payments,
    Profiles,
    PurchaseProcess,
    Ratings,
    Refunds,
    Shares,
    Shop,
    SimulationError,
    Spend,
    disturb,
    simulate,
)


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, arguments)


def lines_of(shop: Shop, disturbances: Disturbances, seed: int) -> bytes:
    values = disturb(simulate(shop, seed), disturbances, seed)
    return b"".join(value.value + b"\n" for value in values)


def test_it_writes_what_the_simulator_gives() -> None:
    result = run("--customers", "50", "--seed", "4")
    assert result.exit_code == 0
    shop = Shop(customers=50, follow_ups=(Refunds(0.0),))
    assert result.stdout_bytes == lines_of(shop, Disturbances(), 4)


def test_every_option_reaches_the_simulator(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    options = (
        "--customers 60 --start 2024-02-03 --days 90 --acquisition-days 9 --seed 8 --model bg_nbd"
        " --params r=.5,alpha=6,a=.9,b=1.6 --spend p=2,q=3,gamma=9 --currency EUR --refund-rate .2"
        " --refund-delay-days 2 --payment-rate .7 --payment-delay-days 3 --referral-rate .4"
        " --poison-rate .1 --duplicate-rate .1 --due-days 9 --checkout-seconds 50 --coupon-rate .4"
        " --discount-rate .2"
        " --channels 2 --locations 3 --acquisition-cost 9 --rating-rate .3 --share-rate .2"
        " --profile-rate .6 --experiment-rate .5"
        f" --shuffle-days 2 --cost-share .5 --categories 3 --out {path}"
    )
    result = run(*options.split())
    assert (result.exit_code, result.stdout_bytes) == (0, b"")
    shop = Shop(
        customers=60,
        start=datetime(2024, 2, 3, tzinfo=UTC),
        days=90.0,
        acquisition_days=9.0,
        process=PurchaseProcess("bg_nbd", 0.5, 6.0, 0.9, 1.6),
        spend=Spend(2.0, 3.0, 9.0, "EUR"),
        basket=Basket(0.5, 3, 9.0, 50.0, 0.4, 0.2),
        referral_rate=0.4,
        channels=2,
        locations=3,
        follow_ups=(
            Refunds(0.2, 2.0),
            Payments(0.7, 3.0),
            AcquisitionCosts(9.0),
            Ratings(0.3),
            Shares(0.2),
            Profiles(0.6),
            Experiments(0.5),
        ),
    )
    assert path.read_bytes() == lines_of(shop, Disturbances(0.1, 0.1, 2.0), 8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--params x=3", "'x=3' are no such parameters: give r=…,alpha=…,a=…,b=…"),
        ("--params r=many", "give r=…"),
        ("--spend p", "give p=…,q=…,gamma=…"),
        ("--refund-rate 2", "refund_rate is 2.0"),
        ("--out no/such/folder/file", "cannot be written (No such file or directory)"),
    ],
)
def test_mistakes_are_named_with_the_way_out(arguments: str, message: str) -> None:
    result = run(*arguments.split())
    assert isinstance(result.exception, SimulationError)
    assert message in str(result.exception)


def test_a_reader_may_stop_early() -> None:
    script = "import typer; from streamer.cli.simulate import simulate; typer.run(simulate)"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "--customers", "5000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()
