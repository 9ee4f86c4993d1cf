"""The demo's summary: one page of 80 columns, or JSON."""

import shlex
from decimal import Decimal

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from streamer.cli.card import BAND_STYLES
from streamer.cli.demo.feed import Sent
from streamer.cli.demo.latency import Latency
from streamer.cli.demo.outcome import Customer, Outcome, Refused
from streamer.cli.showing import amount, counted, shown_text
from streamer.records.models import FORMULA, ModelParams

Lines = list[tuple[str, str]]
"""A figure, and what it is."""


class Summary(Struct, frozen=True):
    """All that the demo found; the field names are those of its JSON."""

    sent: Sent
    scores: int
    silences: int
    events_per_second: float
    paced_per_second: float
    latency: Latency | None
    """Not measured with a shop's own file."""
    model: ModelParams
    seconds: float
    outcome: Outcome
    currency: str
    kafka_data_dir: str
    topic_prefix: str


def show(summary: Summary, console: Console) -> None:
    """Print the page."""
    outcome, currency = summary.outcome, summary.currency
    console.rule(f"[bold]what came of it, as of {outcome.as_of}[/]")
    console.print(_figures(summary))
    tables = [
        _most_valuable(outcome.most_valuable, currency),
        _at_risk(outcome.at_risk, currency),
        _referrers(outcome.referrers, currency, simulated=not summary.sent.file),
    ]
    if summary.sent.file:
        tables.append(_refused(outcome.refused))
    for table in tables:
        if table.row_count:
            console.print()
            console.print(table)
    console.print()
    console.print("[dim]All of it is kept. To look around, in two terminals:[/]")
    console.print(
        f"  streamer broker --port 9092 --data-dir {summary.kafka_data_dir}\n"
        f"  export STREAMER_TOPIC_PREFIX={summary.topic_prefix}\n"
        f"  streamer {_looking(outcome)}",
        soft_wrap=True,
        highlight=False,
    )


def _looking(outcome: Outcome) -> str:
    if not outcome.most_valuable:
        return "dlq list"
    return f"customer {shlex.quote(outcome.most_valuable[0].value.customer_id)}"


def _figures(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold")
    table.add_column()
    for figure, words in (
        *_sent(summary.sent),
        *_scored(summary),
        (f"{summary.events_per_second:,.0f}", "events/s in bulk, each counted exactly once"),
        *_timed(summary),
        (f"{summary.seconds:.1f} s", "in all"),
    ):  # fmt: skip
        table.add_row(figure, words)
    return table


def _sent(sent: Sent) -> Lines:
    if sent.file:
        words = f"events of {shown_text(sent.file)}, {sent.purchases:,} of them purchases"
        return [(f"{sent.events:,}", words)]
    planted = counted(sent.planted_errors, "planted error")
    return [
        (f"{sent.events:,}", f"events: {sent.purchases:,} real purchases (CDNOW 1997-98),"),
        ("", f"{sent.simulated_referrals:,} simulated referrals, {planted}"),
    ]


def _scored(summary: Summary) -> Lines:
    outcome, currency = summary.outcome, summary.currency
    dead = sum(outcome.dead_letters.values())
    reasons = ", ".join(f"{number} {reason}" for reason, number in outcome.dead_letters.items())
    expected = f"expected of them in {outcome.horizon_days:.0f} days more,"
    return [
        (f"{outcome.customers:,}", f"customers, worth {_money(outcome.worth, currency)} so far"),
        *_model(_money(outcome.expected, currency), expected, summary.model),
        (f"{summary.scores:,}", f"scores; {summary.silences:,} times silence alone raised a risk"),
        (f"{dead:,}", f"dead letters: {reasons}" if dead else "dead letters"),
    ]


def _model(expected: str, words: str, model: ModelParams) -> Lines:
    if model.model == FORMULA:
        return [("no forecast", f"of value, risk by formula: {model.reason}")]
    return [(expected, words), ("", f"by {model.model_version}: {_checked(model)}")]


def _timed(summary: Summary) -> Lines:
    latency, pace = summary.latency, f"{summary.paced_per_second:,.0f}"
    if latency is None:
        return []
    return [
        (f"{latency.p50_ms:,.0f} ms", f"from produce to visible score at {pace} events/s (p50),"),
        (f"{latency.p99_ms:,.0f} ms", f"at p99 of {latency.events:,} events"),
    ]


def _table(title: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    table.add_column(title, header_style="bold", min_width=24)
    for column in columns:
        table.add_column(column, justify="right", min_width=9)
    return table


def _most_valuable(customers: list[Customer], currency: str) -> Table:
    table = _table("most valuable customers", "worth", "year to come", "80 % interval", "risk")
    for value, risk in ((customer.value, customer.risk) for customer in customers):
        table.add_row(
            shown_text(value.customer_id),
            _money(value.historic_clv, currency),
            _money(value.predicted_clv, currency),
            "—"
            if value.predicted_clv_low is None
            else f"{_whole(value.predicted_clv_low)} - {_whole(value.predicted_clv_high)}",
            _band(risk.risk_band),
        )
    return table


def _at_risk(customers: list[Customer], currency: str) -> Table:
    table = _table("about to leave", "at stake", "risk", "win back by")
    for value, risk in ((customer.value, customer.risk) for customer in customers):
        table.add_row(
            shown_text(value.customer_id),
            _money(value.historic_clv, currency),
            _band(risk.risk_band),
            (risk.win_back_by or "—")[:10],
        )
    return table


def _referrers(customers: list[Customer], currency: str, *, simulated: bool) -> Table:
    title = "top referrers (simulated)" if simulated else "top referrers"
    table = _table(title, "brought", "their worth", "own worth")
    for value in (customer.value for customer in customers):
        table.add_row(
            shown_text(value.customer_id),
            counted(value.referred_customers or 0, "customer"),
            _money(value.referral_value or Decimal(0), currency),
            _money(value.historic_clv, currency),
        )
    return table


def _refused(letters: list[Refused]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("not counted, for example", header_style="bold", min_width=24)
    table.add_column("why")
    for letter in letters:
        why = f"{letter.reason} {letter.field}: {letter.message}"
        table.add_row(shown_text(letter.source), shown_text(why))
    return table


def _checked(model: ModelParams) -> str:
    """Return how far the model was off when last it could be seen."""
    if model.check is None or model.check.bias_percent is None:
        return model.reason or "not checked yet"
    return f"{model.check.bias_percent:+.1f} % off in the last {model.check.window_days:.0f} days"


def _money(value: Decimal | None, currency: str) -> str:
    return "—" if value is None else f"{amount(str(value))} {currency}"


def _whole(value: Decimal | None) -> str:
    return "—" if value is None else f"{value:,.0f}"


def _band(band: str | None) -> str:
    return f"[{BAND_STYLES.get(band or '', 'default')}]{band or '—'}[/]"
