"""Settings: one name for each, listed by ``streamer config show``.

They come from the environment (``STREAMER_*``), ``.env``, ``streamer.toml`` or secret files, in
this order.
"""

import os
import tomllib
from decimal import Decimal
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from socket import gethostname
from typing import Annotated, Any, Literal, Self
from zlib import crc32

from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from streamer.endpoints import WebhookSettings, is_loopback
from streamer.errors import StreamerError
from streamer.pipeline import Configuration
from streamer.records.events import LEVELS
from streamer.records.instants import DAY
from streamer.records.kafka import (
    EVENT_TOPICS,
    SOURCE_TOPICS,
    TOPIC_NAMES,
    WEBHOOK_DEAD_LETTERS,
    Topics,
)
from streamer.scoring.actions import NO_ACTIONS, Playbook
from streamer.scoring.actions.definitions import playbook_of
from streamer.scoring.experiments.plans import Trial
from streamer.scoring.experiments.sequential import PLANNED_CUSTOMERS
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.programme.goals import Goals
from streamer.scoring.segments import NO_SEGMENTS, Segmentation
from streamer.scoring.segments.definitions import segments_of
from streamer.security import KafkaSecurity
from streamer.serdes.events import EventDecoder

Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
CategoryName = Annotated[str, Field(min_length=1, max_length=64)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Text = Annotated[str, Field(min_length=1, max_length=256)]
TierName = Annotated[str, Field(min_length=1, max_length=64)]
TopicName = Annotated[str, Field(pattern=r"^[\w.-]{1,200}$")]
Cost = Annotated[Decimal, Field(ge=0, lt=1_000_000_000)]
Token = Annotated[SecretStr, Field(min_length=16, max_length=1024)]


class ConfigurationError(StreamerError):
    """A setting is missing or cannot be right."""


class ExperimentPlan(BaseModel, frozen=True, extra="forbid"):
    """What was decided before an experiment began."""

    control: str = ""
    shares: dict[Text, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    alpha: Fraction = 0.05
    window_days: int = Field(30, ge=1, le=330)
    planned_customers: float = Field(PLANNED_CUSTOMERS, gt=0)

    @model_validator(mode="after")
    def _has_its_control(self) -> Self:
        if self.shares and self.control and self.control not in self.shares:
            raise ValueError("shares must name the control")
        return self

    def trial(self) -> Trial:
        """Return the plan as scores go by it."""
        return Trial(**self.model_dump())


class Settings(WebhookSettings, KafkaSecurity, BaseSettings):
    """What can be set. Every field is ``STREAMER_`` and its name in capitals in the environment."""

    model_config = SettingsConfigDict(
        defer_build=True,  # help does without
        env_prefix="STREAMER_",
        env_file=".env",
        toml_file="streamer.toml",
        extra="ignore",
        frozen=True,
    )

    brokers: str = Field("localhost:9092", description="Kafka's addresses, comma-separated")
    group_id: str = Field(
        "streamer",
        pattern=r"^[\w.-]+$",
        description="consumer group; workers of one group share the partitions",
    )
    instance_id: str = Field(
        "",
        description="static membership: restarted under its id at its address, a worker has its "
        "partitions at once; stopped for good, it keeps them until the session times out",
    )
    topic_prefix: str = Field("", pattern=r"^[\w.-]*$", description="put before every topic's name")
    partitions: int = Field(
        4,
        ge=1,
        le=10_000,
        description="of every topic that holds customers; not to be changed later",
    )
    replication_factor: int = Field(
        1, ge=1, description="of topics that streamer creates; 3 in production"
    )
    standby_replicas: int = Field(
        0,
        ge=0,
        le=3,
        description="further workers that follow a partition's rows, to take it over without "
        "reading its changelog from the start; each takes the memory of the rows once more",
    )
    processes: int = Field(
        1, ge=1, le=64, description="of one `streamer worker`; they share its partitions"
    )
    create_topics: bool = Field(
        default=True, description="create missing topics when a worker starts"
    )

    http_host: str = Field(
        "127.0.0.1",
        description="where the page, the API, /metrics, /livez and /readyz listen; without a token "
        "on this machine only",
    )
    http_port: int = Field(
        6066, ge=0, le=65_535, description="their port; each further process takes the next"
    )
    http_advertised_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+)?$",
        description="where the other workers reach this one, each further process at the next "
        "port; else its host, or the machine's name, and its port",
    )
    http_read_token: Token | None = Field(
        None, description="whoever bears it may read the API; 16 characters or more"
    )
    http_write_token: Token | None = Field(
        None, description="whoever bears it may send events to the API; 16 characters or more"
    )
    http_admin_token: Token | None = Field(
        None, description="whoever bears it may read and change; 16 characters or more"
    )
    data_dir: Path = Field(
        Path(".streamer"), description="where a worker and the embedded broker keep files"
    )
    store: Literal["memory", "rocksdb"] = Field(
        "memory",
        description="where a worker keeps the rows of its partitions; rocksdb keeps them in "
        "data_dir, so that they may exceed the memory and a restart reads only what is new",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    adapters: dict[TopicName, Literal["segment", "rudderstack", "shopify"]] = Field(
        default_factory=dict,
        description="further input topics, with as many partitions, whose records are another "
        'system\'s, as JSON: {"segment-events": "segment", "shopify": "shopify"}',
    )
    reporting_currency: Currency = Field("USD", description="all money is converted into it")
    rates: dict[Currency, Annotated[Decimal, Field(gt=0)]] = Field(
        default_factory=dict,
        description='units of the reporting currency for one of another, as JSON: {"EUR": "1.08"}',
    )
    horizon_days: float = Field(365, gt=0, le=3653, description="how far ahead scores look")
    lateness_days: float = Field(
        30,
        ge=0,
        le=365,
        description="how far back an event may lie behind its customer's newest of its kind",
    )
    future_tolerance_days: float = Field(
        1, ge=0, description="how far ahead of the clock an event may lie"
    )
    event_bytes_max: int = Field(1_048_576, ge=256, description="longer events are refused unread")
    interval_level: Fraction = Field(0.8, description="nominal coverage of the intervals")
    rhythm_shape: float = Field(
        1, ge=0.01, description="r of the prior of a customer's purchase rate"
    )
    rhythm_scale_days: float = Field(60, gt=0, description="alpha of that prior, in days")
    band_quantiles: tuple[Fraction, Fraction, Fraction] = Field(
        (0.5, 0.8, 0.95),
        description="quantiles of the next gap where risk becomes medium, high, lapsed",
    )
    model: Literal["mbg_nbd", "bg_nbd", "pareto_nbd"] = Field(
        "mbg_nbd", description="of purchasing, for `streamer fit --from-kafka` and scheduled fits"
    )
    fit_interval_hours: float = Field(
        0, ge=0, description="how often one of the workers fits the model anew; 0 is never"
    )
    churn_thresholds: tuple[Fraction, Fraction, Fraction] = Field(
        (0.5, 0.8, 0.95),
        description="churn probabilities where risk becomes medium, high, lapsed by a fitted model",
    )
    churn_hysteresis: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="how far below its threshold a purchase must take the churn probability",
    )
    lifespan_years: float = Field(3, gt=0, description="for the LTV by formula")
    retention_rate: float = Field(0.75, ge=0, lt=1, description="a year, for the LTV by formula")
    discount_rate: float = Field(0.1, ge=0, description="a year")
    referral_programme: bool = Field(
        default=False,
        description="whether one runs; if not, referral value is null where nobody was brought",
    )
    referral_type_one_share: float = Field(
        1,
        ge=0,
        le=1,
        description="share of the customers brought who would not have come otherwise: only their "
        "revenue is referral value",
    )
    referral_depth: int = Field(
        1,
        ge=1,
        le=LEVELS,
        description="levels of the chain of referrals that referral value counts; 1 is direct only",
    )
    referral_decay: float = Field(
        0.5, ge=0, le=1, description="what a level of that chain counts for, beside the one before"
    )
    channel_costs: dict[Text, Cost] = Field(
        default_factory=dict,
        description="what a customer won through a channel costs, where no acquisition_cost event "
        'tells, in the reporting currency, as JSON: {"search": "23.50"}',
    )
    ltv_to_cac_target: float = Field(
        3, gt=0, le=1_000_000, description="customers whose LTV:CAC is below it are flagged"
    )
    rating_low_share_max: float = Field(
        0.2,
        ge=0,
        le=1,
        description="products and categories with surely more ratings below 3 of 5 need a review",
    )
    loyalty_points_per_unit: float = Field(
        1, ge=0, le=1_000_000, description="for a currency unit of revenue net of refunds"
    )
    loyalty_points_per_referral: int = Field(
        0, ge=0, le=1_000_000_000, description="for a customer brought who joined or purchased"
    )
    loyalty_points_per_share: int = Field(0, ge=0, le=1_000_000_000, description="for each share")
    loyalty_tiers: dict[TierName, Annotated[int, Field(ge=0, le=10**15)]] = Field(
        default_factory=dict,
        max_length=20,
        description="points where each tier begins, as JSON: "
        '{"bronze": 0, "silver": 500, "gold": 2000}; none is no loyalty programme',
    )

    catalogue_categories: tuple[CategoryName, ...] = Field(
        (),
        max_length=1000,
        description="the shop's categories as events name them, those to be offered first in "
        'front, as JSON: ["shoes", "hats"]',
    )
    low_order_value: float = Field(
        0,
        ge=0,
        description="average order value below which baskets are worth widening; 0 is none",
    )
    low_margin_rate: float = Field(
        0.2, ge=-1, le=1, description="margin / price below which goods are low-margin"
    )

    announcements: bool = Field(
        default=True,
        description="tell segment changes and recommended actions: a third of the work of a first "
        "order, for those whom nobody listens to",
    )
    segments_file: Path | None = Field(
        None, description="segments besides the built-in ones, as TOML: docs/rows/v14.md"
    )

    actions_file: Path | None = Field(
        None,
        description="rules of recommended actions in the packaged ones' place: docs/rows/v15.md",
    )

    experiments: dict[Text, ExperimentPlan] = Field(
        default_factory=dict,
        description="what was planned, by id, as JSON: "
        '{"free-shipping": {"control": "a", "shares": {"a": 9, "b": 1}, "alpha": 0.05, '
        '"window_days": 30, "planned_customers": 5000}}; all of it optional',
    )
    programme_interval_seconds: float = Field(
        10,
        ge=0.1,
        description="how often programme measures and experiments are published at most",
    )

    emit: Literal["latest", "every_event"] = Field(
        "latest", description="one score per customer and unit of work, or one per event"
    )
    clock: Literal["wall", "stream"] = Field(
        "wall", description="what moves silence on: real time, or event time only (for old data)"
    )
    silence_grace_seconds: float = Field(
        5, ge=0, description="how long an event may travel before silence is told of"
    )
    batch_records_max: int = Field(
        5_000, ge=1, le=100_000, description="records in one unit of work at most"
    )
    rescore_per_second: int = Field(
        2_000, ge=1, description="customers a partition scores anew after a new model"
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        "none", description="of what a worker writes; lz4 where the network or the disk is scarce"
    )
    session_timeout_seconds: float = Field(
        10, ge=1, description="a silent worker loses its partitions after this"
    )

    stall_seconds: float = Field(
        120,
        ge=1,
        description="a partition with records waiting that stands still so long ends liveness",
    )

    @model_validator(mode="after")
    def _bands_rise(self) -> Self:
        for name in ("band_quantiles", "churn_thresholds"):
            levels = getattr(self, name)
            if sorted(set(levels)) != list(levels):
                raise ValueError(f"{name} must rise")
        return self

    @model_validator(mode="after")
    def _adapters_have_topics_of_their_own(self) -> Self:
        taken = sorted(self.adapters.keys() & {*TOPIC_NAMES, WEBHOOK_DEAD_LETTERS})
        if taken:
            raise ValueError(f"adapters must not name streamer's own topics: {', '.join(taken)}")
        return self

    @model_validator(mode="after")
    def _standbys_are_in_memory(self) -> Self:
        if self.standby_replicas and self.store != "memory":
            raise ValueError("standby_replicas keep rows in memory: leave store at memory for them")
        return self

    @model_validator(mode="after")
    def _tiers_differ(self) -> Self:
        if len(set(self.loyalty_tiers.values())) < len(self.loyalty_tiers):
            raise ValueError("loyalty_tiers must begin at different points")
        return self

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        if not (self.guarded or is_loopback(self.http_host)):
            raise ValueError(
                f"http_host {self.http_host} can be reached from elsewhere: set http_read_token, "
                "or leave it at 127.0.0.1"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add ``streamer.toml`` to the sources."""
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, dotenv_settings, toml, file_secret_settings

    @property
    def guarded(self) -> bool:
        """Whether the API asks for a token."""
        tokens = self.http_read_token, self.http_write_token, self.http_admin_token
        return any(token is not None for token in tokens)

    @property
    def takes_events(self) -> bool:
        """Whether somebody bears a token with which to send events to the API."""
        return self.http_write_token is not None or self.http_admin_token is not None

    @property
    def group_instance_id(self) -> str | None:
        """The static member of the group that this worker is; None where it is a dynamic one.

        Whoever comes back at another address is another member: Kafka gives a static one the
        assignment made for its old address, for which Faust's assignor fails, and peers ask there.
        """
        if not self.instance_id:
            return None
        return f"{self.instance_id}-{crc32(self.http_url.encode()):08x}"

    def webhook_group_id(self, endpoint: str) -> str:
        """Return the consumer group that follows the outputs for ``endpoint``."""
        return f"{self.group_id}-webhooks-{endpoint}"

    @property
    def http_url(self) -> str:
        """Where other workers reach this one."""
        if self.http_advertised_url:
            return self.http_advertised_url
        host = gethostname() if self.http_host in {"0.0.0.0", "::", ""} else self.http_host  # noqa: S104 - compared
        return f"http://{f'[{host}]' if ':' in host else host}:{self.http_port}"

    @property
    def topics(self) -> Topics:
        """The topics' names."""
        return Topics(self.topic_prefix)

    @property
    def event_topics(self) -> tuple[str, ...]:
        """Where producers write, without the prefix: events, and what adapters read."""
        return (*EVENT_TOPICS, *self.adapters)

    @property
    def source_topics(self) -> tuple[str, ...]:
        """All that a partition reads, without the prefix."""
        return (*SOURCE_TOPICS, *self.adapters)

    @property
    def trials(self) -> dict[str, Trial]:
        """The experiments that the shop has planned."""
        return {name: plan.trial() for name, plan in self.experiments.items()}

    @property
    def goals(self) -> Goals:
        """What the shop wants of its figures."""
        return Goals(
            ltv_to_cac=self.ltv_to_cac_target, rating_low_share_max=self.rating_low_share_max
        )

    def scoring(self) -> ScoringParameters:
        """Return the parameters of the scores."""
        shared = set(ScoringParameters.__struct_fields__) & set(Settings.model_fields) - {"model"}
        return ScoringParameters(
            currency=self.reporting_currency, **{name: getattr(self, name) for name in shared}
        )

    def decoder(self) -> EventDecoder:
        """Return what reads the shop's events."""
        return EventDecoder(self.reporting_currency, self.rates, self.event_bytes_max)

    @cached_property
    def segmentation(self) -> Segmentation:
        """The segments, compiled.

        Raises:
            ConfigurationError: the file cannot be read.
            StreamerError: it defines what cannot be: the message says where.
        """
        own = {} if self.segments_file is None else read_toml(self.segments_file)
        return segments_of(tomllib.loads(packaged("segments")), own, str(self.segments_file))

    @cached_property
    def playbook(self) -> Playbook:
        """The rules of recommended actions, compiled; raises as ``segmentation``."""
        segments = self.segmentation
        if self.actions_file is None:
            return playbook_of(tomllib.loads(packaged("actions")), segments, "actions.toml")
        return playbook_of(read_toml(self.actions_file), segments, str(self.actions_file))

    def configuration(self, version: str = "", *, indexed: bool = False) -> Configuration:
        """Return what the pipeline needs of the settings; ``indexed`` where customers are searched.

        Raises:
            StreamerError: a file of segments or actions cannot be read, or says what cannot be.
        """
        return Configuration(
            decoder=self.decoder(),
            scoring=self.scoring(),
            segmentation=self.segmentation if self.announcements else NO_SEGMENTS,
            playbook=self.playbook if self.announcements else NO_ACTIONS,
            topics=self.topics,
            partitions=self.partitions,
            adapters=self.adapters,
            lateness=round(self.lateness_days * DAY),
            future_tolerance=round(self.future_tolerance_days * DAY),
            every_event=self.emit == "every_event",
            trials=self.trials,
            goals=self.goals,
            indexed=indexed,
            version=version,
        )


def packaged(name: str) -> str:
    """Return the text of the file of ``segments`` or ``actions`` that comes with streamer."""
    folder = files("streamer.scoring") / name
    return (folder / f"{name}.toml").read_text(encoding="utf-8")


def read_toml(path: Path) -> dict[str, Any]:
    """Return what ``path`` holds.

    Raises:
        ConfigurationError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from None


def load_settings(**overrides: object) -> Settings:
    """Return the settings, with ``overrides`` above all sources.

    Raises:
        ConfigurationError: naming each setting that cannot be right.
    """
    secrets = os.environ.get("STREAMER_SECRETS_DIR")
    try:
        return Settings(_secrets_dir=secrets, **overrides)  # type: ignore[arg-type] # by name
    except SettingsError as error:
        raise ConfigurationError(
            f"the environment cannot be read: {error}. See `streamer config show`."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"streamer.toml cannot be read: {error}.") from None
    except ValidationError as error:
        faults = "; ".join(_fault(fault["loc"], fault["msg"]) for fault in error.errors())
        raise ConfigurationError(f"{faults}. See `streamer config show`.") from None


def _fault(location: tuple[int | str, ...], message: str) -> str:
    """Return what is wrong; never the value, which may be a secret."""
    if not location:  # of several settings together: the message names them
        return message.removeprefix("Value error, ")
    return f"STREAMER_{'.'.join(map(str, location)).upper()}: {message}"
