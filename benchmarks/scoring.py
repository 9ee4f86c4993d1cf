"""What a customer's figures cost: `python -m benchmarks.scoring`, processor time, one core.

Batches of 1,000 customers with CDNOW's parameters; the best of some runs, for other work on the
machine only ever adds. Nothing is asserted.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import msgspec
import numpy as np

from streamer.pipeline import Configuration, Partition
from streamer.records.instants import DAY
from streamer.records.kafka import FileRecord
from streamer.records.models import ModelParams
from streamer.records.scores import SILENCE
from streamer.scoring.bands import crossings_of
from streamer.scoring.columns import columns_of
from streamer.scoring.forecast import forecast
from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.histories import Histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.pareto_nbd import ParetoNbd
from streamer.scoring.models.predictive import purchase_interval, value_interval
from streamer.scoring.parameters import ScoringParameters, with_model
from streamer.scoring.score import Scoring, score
from streamer.serdes.events import EventDecoder
from streamer.serdes.rows import decode_row
from streamer.simulate import Shop, simulate
from streamer.state.row import Row

encode = msgspec.json.Encoder().encode
NOW = datetime(2030, 1, 1, tzinfo=UTC)
BATCH, RUNS = 1000, 15
LEVEL, WEEKLY_RATE = 0.8, 0.002
Figure = Callable[[], object]
Model = MbgNbd | BgNbd | ParetoNbd
MODELS: tuple[Model, ...] = (
    MbgNbd(0.525, 6.183, 0.891, 1.614),
    BgNbd(0.2426, 4.4136, 0.7929, 2.4259),
    ParetoNbd(0.5533, 10.578, 0.6062, 11.669),
)
SPEND = GammaGamma(6.25, 3.74, 15.44)
HORIZONS = (39.0, 52.0, 520.0)


def batch(mean_repeats: float) -> Histories:
    """Make customers of 27 to 39 weeks whose repeat purchases are geometric."""
    rng = np.random.default_rng(1)
    x = rng.geometric(1 / (1 + mean_repeats), BATCH) - 1.0
    age = rng.uniform(27, 39, BATCH)
    return Histories(x, np.where(x > 0, rng.random(BATCH) ** (1 / (1 + x)) * age, 0), age)


def microseconds(figure: Figure) -> float:
    """Return the processor time of one customer."""
    spent = []
    for _ in range(RUNS):
        began = time.process_time()
        figure()
        spent.append(time.process_time() - began)
    return min(spent) / BATCH * 1e6


def figures(model: Model, customers: Histories, horizon: float) -> dict[str, Figure]:
    """Return what there is to tell of the customers, by name."""
    values = np.full(BATCH, 35.0)
    return {
        "P(alive)": lambda: model.probability_alive(customers),
        "P(no purchase)": lambda: model.no_purchase_probability(customers, horizon),
        "expected purchases": lambda: model.expected_purchases(customers, horizon),
        "discounted purchases": lambda: model.discounted_purchases(customers, horizon, WEEKLY_RATE),
        "interval of purchases": lambda: purchase_interval(model, customers, horizon, LEVEL),
        "interval of value": lambda: value_interval(
            model, SPEND, customers, customers.x, values, horizon, LEVEL
        ),
    }


def whole_updates() -> None:
    """Print what the pipeline's scoring costs, from rows to both updates of each customer."""
    rows = list(simulated_rows().values())[:BATCH]
    params = ModelParams(
        model_version="mbg_nbd-1-benchmark",
        generation=1,
        model="mbg_nbd",
        parameters={"r": 0.525, "alpha": 43.281, "a": 0.891, "b": 1.614},
        value_parameters={"p": SPEND.p, "q": SPEND.q, "gamma": SPEND.gamma},
        currency="USD",
        customers=BATCH,
        repeat_customers=BATCH,
        data_until=NOW,
        fitted_at=NOW,
    )
    as_of = [row.as_of + 30 * DAY for row in rows]
    print("\nwhole scorings, a simulated year, 365 days ahead")
    for name, shop in (
        ("formula", ScoringParameters()),
        ("mbg_nbd", with_model(ScoringParameters(), params)),
    ):
        crossings = crossings_of(rows, shop).tolist()
        asked = [
            Scoring(f"c{place}", *three, SILENCE)
            for place, three in enumerate(zip(rows, crossings, as_of, strict=True))
        ]
        columns = columns_of(rows, as_of)
        costs = {
            "columns": partial(columns_of, rows, as_of),
            "bands": partial(crossings_of, rows, shop),
            "forecast": partial(forecast, columns, shop),
            "records": partial(score, asked, NOW, shop),
        }
        told = {part: microseconds(figure) for part, figure in costs.items()}
        told["records"] -= told["columns"] + told["forecast"]
        figures_only = told["columns"] + told["bands"] + told["forecast"]
        print(
            f"  {name:10} µs a customer: figures {figures_only:.2f} (columns "
            f"{told['columns']:.2f}, bands {told['bands']:.2f}, forecast {told['forecast']:.2f}), "
            f"the updates' records {told['records']:.2f}"
        )


def simulated_rows() -> dict[str, Row]:
    """Return the rows of a simulated shop."""
    partition = Partition(0, Configuration(EventDecoder()))
    records = [
        FileRecord("purchases", 0, offset, 0, event["customer_id"].encode(), encode(event))
        for offset, event in enumerate(simulate(Shop(customers=BATCH, days=365), seed=1))
    ]
    partition.commit(partition.begin(records, NOW).finish({}))
    return {customer: decode_row(value) for customer, value in partition.rows.items()}


def main() -> None:
    whole_updates()
    for mean_repeats in (1.0, 10.0):
        customers = batch(mean_repeats)
        for horizon in HORIZONS:
            print(f"\n{mean_repeats:g} repeat purchases on average, {horizon:g} weeks ahead")
            for model in MODELS:
                costs = (
                    f"{name} {microseconds(figure):.2f}"
                    for name, figure in figures(model, customers, horizon).items()
                )
                print(f"  {model.name:10} µs a customer: {', '.join(costs)}")


if __name__ == "__main__":
    main()
