"""Measures of a group as they go over the wire: money as texts in the currency's minor unit."""

from msgspec.structs import asdict

from streamer.records.measures import AcquisitionFigures, CohortFigures, GroupFigures, MonthFigures
from streamer.records.money import DECIMALS, format_amount
from streamer.scoring.programme.acquisition import Acquisition
from streamer.scoring.programme.measures import Cohort, Figures, Month


def group_figures(figures: Figures, digits: int) -> GroupFigures:
    """Return ``figures`` with money as texts of so many decimals."""
    fields = asdict(figures)
    fields["average_order_value"] = _rounded(figures.average_order_value, digits)
    fields["clv"] = _rounded(figures.clv, digits)
    return GroupFigures(**fields)


def acquisition_figures(acquisition: Acquisition, digits: int) -> AcquisitionFigures:
    """Return ``acquisition`` with money as texts; what was spent is told exactly."""
    fields = asdict(acquisition)
    if acquisition.acquisition_cost is not None:
        fields["acquisition_cost"] = format_amount(acquisition.acquisition_cost, digits)
    for name in ("cost_per_customer", "acquisition_budget", "retention_budget"):
        fields[name] = _rounded(fields[name], digits)
    return AcquisitionFigures(**fields)


def month_figures(month: Month, digits: int) -> MonthFigures:
    """Return ``month`` with money as texts; what was earned is told exactly, a mean rounded."""
    fields = asdict(month)
    fields["revenue"] = format_amount(month.revenue, digits)
    fields["average_order_value"] = _rounded(month.average_order_value, digits)
    return MonthFigures(**fields)


def cohort_figures(cohort: Cohort, digits: int) -> CohortFigures:
    """Return ``cohort`` with money as texts."""
    return CohortFigures(
        cohort=cohort.cohort,
        figures=group_figures(cohort.figures, digits),
        months=[month_figures(month, digits) for month in cohort.months],
    )


def _rounded(micros: int | None, digits: int) -> str | None:
    """Return a mean rounded half to even to the minor unit."""
    if micros is None:
        return None
    unit = 10 ** (DECIMALS - digits)
    quotient, rest = divmod(micros, unit)
    up = 2 * rest > unit or (2 * rest == unit and quotient % 2)
    return format_amount((quotient + int(up)) * unit, digits)
