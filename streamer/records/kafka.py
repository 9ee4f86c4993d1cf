"""A record as it comes from a log, and the names of the logs."""

from typing import Literal, NamedTuple, Protocol

from msgspec import Struct


class Record(Protocol):
    """What the pipeline reads of a record: aiokafka's ``ConsumerRecord`` has it all."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970."""

    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> "Headers": ...  # noqa: D102


Headers = tuple[tuple[str, bytes | None], ...]
"""A header's value may be null."""


class FileRecord(NamedTuple):
    """A record that no broker gave: from a file, or from a test."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Topics(Struct, frozen=True):
    """The topics' names under one prefix."""

    prefix: str = ""

    def __getitem__(self, name: str) -> str:
        """Return the full name of the topic ``name``."""
        return self.prefix + name


EVENT_TOPICS = ("purchases", "referrals", "interactions")
"""Where producers write: all with the same number of partitions."""

REKEYED = "rekeyed"
"""Events whose producer chose another partition than murmur2 of the customer: passed on once."""

REFERRAL_CREDITS = "referral-credits"
"""What a referred customer's row tells its referrer's, and the other way round."""

SOURCE_TOPICS = (*EVENT_TOPICS, REKEYED, REFERRAL_CREDITS)
"""What a partition reads, in the order in which a row counts its applied offsets."""

LTV_UPDATES = "ltv-updates"
CHURN_RISK_UPDATES = "churn-risk-updates"
SEGMENT_CHANGES = "segment-changes"
"""Memberships that began or ended, compacted by customer."""

RECOMMENDED_ACTIONS = "recommended-actions"
"""What to do next for each customer, compacted."""

SCORE_TOPICS = (LTV_UPDATES, CHURN_RISK_UPDATES, SEGMENT_CHANGES, RECOMMENDED_ACTIONS)
"""What is told of each customer, under its id."""

Kind = Literal["ltv", "churn_risk", "segments", "actions"]
KINDS: dict[str, Kind] = {
    LTV_UPDATES: "ltv",
    CHURN_RISK_UPDATES: "churn_risk",
    SEGMENT_CHANGES: "segments",
    RECOMMENDED_ACTIONS: "actions",
}
"""What an update of each is called where it is passed on: by server-sent events, by webhooks."""

DEAD_LETTERS = "dead-letters"
WEBHOOK_DEAD_LETTERS = "webhook-dead-letters"
"""Updates that a webhook's receiver refused. Not ``dead-letters``: those are sent to where they
came from, and nobody may publish a score but a worker."""

PROGRAMME_MEASURES = "programme-measures"
"""Figures of the whole shop, compacted, keyed by measure."""

PROGRAMME_PARTIALS = "programme-partials"
"""The partitions' shares in those figures, compacted: see ``pipeline.partials``."""

MODEL_PARAMS = "model-params"
"""Fitted models, compacted: who scores goes by the newest."""
CHANGELOG = "customers-changelog"
"""The rows, compacted; the empty key holds the checkpoint."""

TOPIC_NAMES = (
    *SOURCE_TOPICS,
    CHANGELOG,
    LTV_UPDATES,
    CHURN_RISK_UPDATES,
    SEGMENT_CHANGES,
    RECOMMENDED_ACTIONS,
    MODEL_PARAMS,
    PROGRAMME_MEASURES,
    PROGRAMME_PARTIALS,
    DEAD_LETTERS,
)
"""All of streamer's own."""

TOPIC_OF_TYPE = {
    "purchase": "purchases",
    "refund": "purchases",
    "payment": "purchases",
    "referral": "referrals",
    "rating": "interactions",
    "share": "interactions",
    "acquisition_cost": "interactions",
    "profile": "interactions",
    "experiment": "interactions",
    "erasure": "interactions",
}
"""Where ``streamer send`` puts an event. A reader goes by the type alone."""
