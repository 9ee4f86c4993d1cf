"""The whole shop: the base at a glance, segments, programme measures, experiments, ratings."""

from collections import Counter
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from streamer.records.measures import (
    EXPERIMENT,
    IDEAL,
    PROFILE,
    PROGRAMME,
    RATED,
    CohortFigures,
    ExperimentMeasure,
    GroupFigures,
    IdealProfileMeasure,
    ProgrammeMeasure,
    RatingMeasure,
)
from streamer.web.problems import Problem, not_yet
from streamer.web.routing import Call, Route
from streamer.web.views.overview import Overview, Share, overview, share_of

M = TypeVar("M", ProgrammeMeasure, ExperimentMeasure, RatingMeasure, IdealProfileMeasure)
Offset = Annotated[int, Meta(ge=0, le=1_000_000)]
Limit = Annotated[int, Meta(ge=1, le=200)]


class SegmentFigures(Struct, frozen=True):
    """A segment and how many are in it."""

    segment: str
    customers: int


class Segments(Struct, frozen=True):
    """All segments, sorted."""

    segments: list[SegmentFigures]


class GroupItem(Struct, frozen=True):
    """A group of customers, in short."""

    group: str
    figures: GroupFigures


class Groups(Struct, frozen=True):
    """All groups that there are measures of."""

    groups: list[GroupItem]


class Cohorts(Struct, frozen=True):
    """The cohorts of a group, oldest first."""

    group: str
    currency: str
    cohorts: list[CohortFigures]


class Experiments(Struct, frozen=True):
    """All experiments."""

    experiments: list[ExperimentMeasure]


class RatingsQuery(Struct, frozen=True):
    """Which part of the list."""

    offset: Offset = 0
    limit: Limit = 50


class Ratings(Struct, frozen=True):
    """What is rated, that which surely has too many low ratings first."""

    total: int
    ratings: list[RatingMeasure]


async def get_overview(call: Call) -> Overview | Share:
    """Add up the shares of all workers; give one's own to a worker that does."""
    site = call.site
    own = share_of(site.partitions(), await site.totals(), site.course)
    if site.peers.is_asked_by_a_peer(call.request):
        return own
    shares = await site.peers.gather(call.request, own, Share)
    return overview(shares, site.settings.reporting_currency, site.settings.horizon_days)


async def list_segments(call: Call) -> Segments:
    """Count the members, as they were told."""
    members: Counter[str] = Counter()
    for partition in call.site.partitions():
        members.update(partition.members())
    names = call.site.settings.segmentation.names
    own = Segments([SegmentFigures(name, members[name]) for name in names])
    told = await call.site.peers.gather(call.request, own, Segments)
    total: Counter[str] = Counter()
    for one in told:
        total.update({of.segment: of.customers for of in one.segments})
    return Segments([SegmentFigures(name, total[name]) for name in names])


async def list_programme(call: Call) -> Groups:
    """Tell which groups there are, in short."""
    found = [_decoded(value, ProgrammeMeasure) for value in _values(call, PROGRAMME).values()]
    return Groups([GroupItem(one.group, one.figures) for one in found])


async def get_programme(call: Call) -> ProgrammeMeasure:
    """Tell a group's measures, by month and by cohort."""
    return _decoded(_value(call, PROGRAMME + call.path["group"]), ProgrammeMeasure)


async def list_cohorts(call: Call) -> Cohorts:
    """Tell how the customers of each month came back."""
    found = _decoded(_value(call, PROGRAMME + call.path["group"]), ProgrammeMeasure)
    return Cohorts(found.group, found.currency, found.cohorts)


async def list_experiments(call: Call) -> Experiments:
    """Tell all experiments."""
    values = _values(call, EXPERIMENT).values()
    return Experiments([_decoded(value, ExperimentMeasure) for value in values])


async def get_experiment(call: Call) -> ExperimentMeasure:
    """Tell one experiment."""
    return _decoded(_value(call, EXPERIMENT + call.path["experiment"]), ExperimentMeasure)


async def list_ratings(call: Call) -> Ratings:
    """Tell what is rated."""
    found = [_decoded(value, RatingMeasure) for value in _values(call, RATED).values()]
    found.sort(key=lambda one: (not one.needs_review, -one.low_share_low, one.rated))
    query: RatingsQuery = call.query
    return Ratings(len(found), found[query.offset : query.offset + query.limit])


async def get_ideal_profile(call: Call) -> IdealProfileMeasure:
    """Tell what the most valuable tenth have in common."""
    return _decoded(_value(call, PROFILE + IDEAL), IdealProfileMeasure)


def _values(call: Call, kind: str) -> dict[str, bytes]:
    values = call.site.measures.values
    if not call.site.measures.is_known:
        raise not_yet("the shop's figures are being read: ask again in a moment")
    return {key: values[key] for key in sorted(values) if key.startswith(kind)}


def _value(call: Call, key: str) -> bytes:
    value = _values(call, key).get(key)
    if value is None:
        raise Problem(404, "there is no such measure, or not yet: see the list one level up")
    return value


def _decoded(value: bytes, kind: type[M]) -> M:
    return msgspec.json.decode(value, type=kind)


ROUTES = (
    Route(
        path="/v1/overview",
        handler=get_overview,
        summary="All customers at a glance: totals, risk bands over time, values, tiers",
        tag="shop",
        answer=Overview,
    ),
    Route(
        path="/v1/segments",
        handler=list_segments,
        summary="Segments and how many customers are in each",
        tag="shop",
        answer=Segments,
    ),
    Route(
        path="/v1/programme",
        handler=list_programme,
        summary="Groups of customers that there are programme measures of",
        tag="programme",
        answer=Groups,
    ),
    Route(
        path="/v1/programme/{group}",
        handler=get_programme,
        summary="Retention, repeat purchases, order value, CLV and churn of a group, by month",
        tag="programme",
        answer=ProgrammeMeasure,
        problems=(404,),
    ),
    Route(
        path="/v1/programme/{group}/cohorts",
        handler=list_cohorts,
        summary="How the customers of each month came back",
        tag="programme",
        answer=Cohorts,
        problems=(404,),
    ),
    Route(
        path="/v1/experiments",
        handler=list_experiments,
        summary="All experiments: arms, uplifts, sample ratios",
        tag="experiments",
        answer=Experiments,
    ),
    Route(
        path="/v1/experiments/{experiment}",
        handler=get_experiment,
        summary="One experiment",
        tag="experiments",
        answer=ExperimentMeasure,
        problems=(404,),
    ),
    Route(
        path="/v1/ratings",
        handler=list_ratings,
        summary="Products and categories rated, those that need a review first",
        tag="shop",
        answer=Ratings,
        query=RatingsQuery,
    ),
    Route(
        path="/v1/ideal-profile",
        handler=get_ideal_profile,
        summary="What the most valuable tenth of the customers have in common",
        tag="shop",
        answer=IdealProfileMeasure,
        problems=(404,),
    ),
)
