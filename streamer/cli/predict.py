"""`streamer predict`: what a model of given parameters says of one customer."""

from enum import StrEnum
from math import inf, isfinite
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.showing import UsageError, print_json
from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.histories import histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.pareto_nbd import ParetoNbd
from streamer.scoring.models.predictive import purchase_interval

PurchaseKind = type[MbgNbd] | type[BgNbd] | type[ParetoNbd]
KINDS: dict[str, PurchaseKind | type[GammaGamma]] = {
    "mbg_nbd": MbgNbd,
    "bg_nbd": BgNbd,
    "pareto_nbd": ParetoNbd,
    "gamma_gamma": GammaGamma,
}
Figures = dict[str, Any]
"""Numbers by name; what is null has its reason in ``null_reasons``."""

NO_MEAN = "with p·x + q up to 1 there is no finite mean"

WORDS = {
    "expected_purchases": "purchases expected within the horizon",
    "expected_purchases_low": "at least, in most cases",
    "expected_purchases_high": "at most, in most cases",
    "probability_alive": "probability that this is still a customer",
    "churn_probability": "probability of no purchase within the horizon",
    "discounted_expected_residual_transactions": "purchases ever to come, discounted",
    "expected_value": "value expected of each purchase",
}


class Model(StrEnum):
    """The models there are."""

    MBG_NBD = "mbg_nbd"
    BG_NBD = "bg_nbd"
    PARETO_NBD = "pareto_nbd"
    GAMMA_GAMMA = "gamma_gamma"


def predict(
    *,
    model: Annotated[Model, typer.Option(help="Of purchases, or of their value.")] = Model.MBG_NBD,
    params: Annotated[
        str, typer.Option(help="r=…,alpha=…,a=…,b=… ((M)BG), r,alpha,s,beta or p,q,gamma.")
    ] = "",
    x: Annotated[float | None, typer.Option(help="Purchases after the first one.")] = None,
    recency: Annotated[
        float | None, typer.Option(help="Time from the first purchase to the last.")
    ] = None,
    age: Annotated[float | None, typer.Option(help="Time from the first purchase to now.")] = None,
    horizon: Annotated[float | None, typer.Option(help="How far to look ahead.")] = None,
    discount_rate: Annotated[
        float | None, typer.Option(help="A time unit, continuously compounded, above 0.")
    ] = None,
    mean_value: Annotated[
        float | None, typer.Option(help="Mean value of the purchases (gamma_gamma).")
    ] = None,
    level: Annotated[float, typer.Option(help="How often the interval is to hold.")] = 0.8,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Say what a model expects of a customer. Times are in the parameters' unit, whichever it is.

    Example: streamer predict --model mbg_nbd --params r=.5,alpha=6,a=.9,b=1.6 --x 2 --recency 30
    --age 39 --horizon 39
    """
    try:
        chosen = KINDS[model](**_parameters(model, params))
        if isinstance(chosen, GammaGamma):
            given = {"x": x, "mean_value": mean_value}
            _refuse(model, recency=recency, age=age, horizon=horizon, discount_rate=discount_rate)
            if x == 0:  # then there is none
                given["mean_value"] = 0.0
            figures = _values(chosen, **_needed(model, given))
        else:
            given = {"x": x, "recency": recency, "age": age, "horizon": horizon}
            _refuse(model, mean_value=mean_value)
            numbers = _needed(model, given)
            figures = _purchases(chosen, **numbers, discount_rate=discount_rate, level=level)
    except ValueError as error:  # the models' own, which name what is wrong
        raise UsageError(f"{error}.") from None
    if json:
        print_json(figures)
    else:
        _show(figures, level)


def _parameters(model: Model, text: str) -> dict[str, float]:
    """Read `r=.5,alpha=6` into all parameters of ``model``."""
    names = KINDS[model].__struct_fields__
    expected = f"give --params {','.join(f'{name}=…' for name in names)}"
    parameters: dict[str, float] = {}
    for pair in filter(str.strip, text.split(",")):
        name, _, number = (part.strip() for part in pair.partition("="))
        if name not in names:
            raise UsageError(f"{model.value} has no parameter {name!r}: {expected}.")
        if name in parameters:
            raise UsageError(f"parameter {name} is given twice: {expected}.")
        try:
            parameters[name] = float(number)
        except ValueError:
            raise UsageError(f"parameter {name} is no number: {expected}.") from None
    missing = [name for name in names if name not in parameters]
    if missing:
        raise UsageError(f"{model.value} also needs {', '.join(missing)}: {expected}.")
    return parameters


def _needed(model: Model, given: dict[str, float | None]) -> dict[str, float]:
    """Return ``given``, all of it there, finite and 0 or more."""
    missing = [_option(name) for name, value in given.items() if value is None]
    if missing:
        raise UsageError(f"{model.value} also needs {', '.join(missing)}.")
    numbers = {name: value for name, value in given.items() if value is not None}
    for name, value in numbers.items():
        if not (isfinite(value) and value >= 0):
            raise UsageError(f"{_option(name)} must be a finite number, 0 or more.")
    if numbers["x"] != int(numbers["x"]):
        raise UsageError("--x counts purchases: give a whole number.")
    return numbers


def _refuse(model: Model, **given: float | None) -> None:
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"{model.value} makes nothing of {_option(name)}: leave it out.")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _purchases(
    model: MbgNbd | BgNbd | ParetoNbd,
    *,
    x: float,
    recency: float,
    age: float,
    horizon: float,
    discount_rate: float | None,
    level: float,
) -> Figures:
    if not 0 < level < 1:
        raise UsageError("--level must be between 0 and 1.")
    if x == 0 and recency > 0:
        raise UsageError("without a second purchase (--x 0), --recency is 0.")
    if discount_rate is not None and not 0 < discount_rate < inf:
        raise UsageError("--discount-rate must be a finite number above 0.")
    customer = histories(x, recency, age)
    low, high = purchase_interval(model, customer, horizon, level)
    figures: Figures = {
        "expected_purchases": float(model.expected_purchases(customer, horizon)[0]),
        "expected_purchases_low": float(low[0]),
        "expected_purchases_high": float(high[0]),
        "probability_alive": float(model.probability_alive(customer)[0]),
        "churn_probability": float(model.no_purchase_probability(customer, horizon)[0]),
    }
    if discount_rate is not None:
        ever = model.discounted_purchases(customer, inf, discount_rate)
        figures["discounted_expected_residual_transactions"] = float(ever[0])
    return figures


def _values(model: GammaGamma, *, x: float, mean_value: float) -> Figures:
    expected = float(model.expected_value(np.array([x]), np.array([mean_value]))[0])
    if isfinite(expected):
        return {"expected_value": expected}
    return {"expected_value": None, "null_reasons": {"expected_value": NO_MEAN}}


def _show(figures: Figures, level: float) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold")
    table.add_column()
    for name, value in figures.items():
        if name not in WORDS:
            continue
        words = WORDS[name].replace("most cases", f"{level:.0%} of cases")
        if value is None:
            table.add_row("unknown", f"{words}: {figures['null_reasons'][name]}")
        else:
            table.add_row(f"{value:,.4f}", words)
    Console().print(table)
