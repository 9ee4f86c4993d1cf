"""`streamer simulate`: the events of a shop whose parameters are known, as JSON lines."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from streamer.simulate import (
    DEFAULT_START,
    AcquisitionCosts,
    Basket,
    Disturbances,
    Erasures,
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
    WireValue,
    disturb,
)
from streamer.simulate import simulate as events_of

REPORT_EVERY = 1000


class Model(StrEnum):
    """The purchase processes that can be simulated."""

    MBG_NBD = "mbg_nbd"
    BG_NBD = "bg_nbd"


def simulate(
    *,
    customers: Annotated[int, typer.Option(min=1, help="How many make a first purchase.")] = 1000,
    start: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
            help="Beginning of the period; UTC unless it has an offset.",
        ),
    ] = DEFAULT_START,
    days: Annotated[float, typer.Option(help="Length of the period in days.")] = 365.0,
    acquisition_days: Annotated[
        float, typer.Option(help="First purchases fall into this many days from the start.")
    ] = 84.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same events.")] = 1,
    model: Annotated[Model, typer.Option(help="When customers buy and leave.")] = Model.MBG_NBD,
    params: Annotated[
        str, typer.Option(help="r=…,alpha=…,a=…,b=… in days; without it CDNOW's.")
    ] = "",
    spend: Annotated[
        str, typer.Option(help="Gamma-Gamma's p=…,q=…,gamma=…; without it CDNOW's.")
    ] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217 code of all amounts.")] = "USD",
    cost_share: Annotated[
        float | None, typer.Option(help="Mean share of the amount that goods cost, 0 to 1.")
    ] = None,
    categories: Annotated[
        int, typer.Option(help="Categories that purchases' items are of; 0 leaves items out.")
    ] = 0,
    refund_rate: Annotated[float, typer.Option(help="Share of purchases refunded, 0 to 1.")] = 0.0,
    refund_delay_days: Annotated[float, typer.Option(help="Mean delay of a refund.")] = 7.0,
    payment_rate: Annotated[float, typer.Option(help="Share of purchases paid later.")] = 0.0,
    payment_delay_days: Annotated[float, typer.Option(help="Mean delay of a payment.")] = 10.0,
    due_days: Annotated[
        float, typer.Option(help="From the purchase to when its payment is due; 0 leaves it out.")
    ] = 0.0,
    checkout_seconds: Annotated[
        float, typer.Option(help="Mean duration of the checkout; 0 leaves it out.")
    ] = 0.0,
    coupon_rate: Annotated[
        float, typer.Option(help="Share of purchases made with a coupon, 0 to 1.")
    ] = 0.0,
    discount_rate: Annotated[
        float, typer.Option(help="Share of purchases at a discount, 0 to 1.")
    ] = 0.0,
    referral_rate: Annotated[
        float, typer.Option(help="Share of customers brought by an earlier one, 0 to 1.")
    ] = 0.0,
    channels: Annotated[
        int, typer.Option(help="Channels that customers come from; 0 leaves them out.")
    ] = 0,
    locations: Annotated[
        int, typer.Option(help="Places where customers live; 0 leaves them out.")
    ] = 0,
    acquisition_cost: Annotated[
        float, typer.Option(help="Mean cost of winning a customer; 0 tells of none.")
    ] = 0.0,
    rating_rate: Annotated[float, typer.Option(help="Share of orders rated, 0 to 1.")] = 0.0,
    share_rate: Annotated[float, typer.Option(help="Share of orders shared, 0 to 1.")] = 0.0,
    profile_rate: Annotated[
        float, typer.Option(help="Share of customers with a profile, 0 to 1.")
    ] = 0.0,
    experiment_rate: Annotated[
        float, typer.Option(help="Share of customers in an experiment without effect, 0 to 1.")
    ] = 0.0,
    erasure_rate: Annotated[
        float, typer.Option(help="Share of customers who are erased some time, 0 to 1.")
    ] = 0.0,
    poison_rate: Annotated[
        float, typer.Option(help="Broken events added for each good one, 0 to 1.")
    ] = 0.0,
    duplicate_rate: Annotated[
        float, typer.Option(help="Share of events sent twice, 0 to 1.")
    ] = 0.0,
    shuffle_days: Annotated[
        float, typer.Option(help="Events arrive up to this many days late, out of order.")
    ] = 0.0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; standard output without it.")
    ] = None,
) -> None:
    """Write the events of a simulated shop as JSON lines, in the order of their arrival.

    The same options and seed give the same bytes. Nothing depends on the clock.

    Example: streamer simulate --customers 1000 --days 365 | streamer send -
    """
    process: dict[str, Any] = {"model": model.value, **_numbers(params, "r alpha a b")}
    shop = Shop(
        customers=customers,
        start=start if start.tzinfo else start.replace(tzinfo=UTC),
        days=days,
        acquisition_days=acquisition_days,
        process=PurchaseProcess(**process),
        spend=Spend(currency=currency, **_numbers(spend, "p q gamma")),
        basket=Basket(
            cost_share, categories, due_days, checkout_seconds, coupon_rate, discount_rate
        ),
        referral_rate=referral_rate,
        channels=channels,
        locations=locations,
        follow_ups=(
            Refunds(refund_rate, refund_delay_days),
            Payments(payment_rate, payment_delay_days),
            AcquisitionCosts(acquisition_cost),
            Ratings(rating_rate),
            Shares(share_rate),
            Profiles(profile_rate),
            Experiments(experiment_rate),
            Erasures(erasure_rate),
        ),
    )
    disturbances = Disturbances(duplicate_rate, poison_rate, shuffle_days)
    values = disturb(events_of(shop, seed), disturbances, seed)
    with _output(out) as file:
        _write(values, file, shows_progress=out is not None or not sys.stdout.isatty())


def _numbers(text: str, names: str) -> dict[str, float]:
    """Read `r=.5,alpha=6` into numbers by name."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    numbers: dict[str, float] | None = None
    with suppress(ValueError):
        numbers = {name.strip(): float(number) for name, _, number in pairs}
    if numbers is None or not numbers.keys() <= set(names.split()):
        expected = "=…,".join(names.split())
        raise SimulationError(f"{text!r} are no such parameters: give {expected}=… with numbers.")
    return numbers


@contextmanager
def _output(out: Path | None) -> Iterator[BinaryIO]:
    """Open the file or standard output; whoever reads the latter may stop early, as head does."""
    if out is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.flush()
        except BrokenPipeError:
            # The interpreter flushes once more as it ends, which must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    try:
        file = out.open("wb")
    except OSError as error:
        raise SimulationError(
            f"{out} cannot be written ({error.strerror}): name another file."
        ) from error
    with file:
        yield file


def _write(values: Iterable[WireValue], file: BinaryIO, *, shows_progress: bool) -> None:
    columns = SpinnerColumn(), TextColumn("{task.completed:,.0f} events"), TimeElapsedColumn()
    console = Console(stderr=True)
    quiet = not (shows_progress and console.is_terminal)
    with Progress(*columns, console=console, disable=quiet) as progress:
        task = progress.add_task("events", total=None)
        number = 0
        for number, value in enumerate(values, start=1):
            file.write(value.value + b"\n")
            if number % REPORT_EVERY == 0:
                progress.update(task, completed=number)
        progress.update(task, completed=number)
