"""What is told only when it changes: segments entered and left, actions recommended.

Each announcement is compared with the last one of its customer, which the ``Book`` holds. The
book's changes are part of the unit of work: told and remembered in one transaction.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec.structs import replace

from streamer.pipeline.recommending import Adviser
from streamer.pipeline.unit import Configuration, Message
from streamer.records.announcements import RecommendedActions, SegmentChange
from streamer.records.kafka import RECOMMENDED_ACTIONS, SEGMENT_CHANGES
from streamer.records.scores import ChurnRiskUpdate, LtvUpdate
from streamer.scoring.expressions import Frame
from streamer.scoring.segments import split
from streamer.serdes.rows import decode_told, encode_told
from streamer.serdes.scores import encode_score
from streamer.state.told import NOTHING, Told


class Book:
    """What was told last: as it was committed, and as it is behind this unit of work."""

    def __init__(self, committed: Mapping[str, bytes]) -> None:
        self._committed = committed
        self._changed: dict[str, Told] = {}
        self.alike: Counter[str] = Counter()
        """By segments, joined: how many customers more are in just these."""
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """Of suggestions: by action and what became of it."""

    def last(self, customer_id: str) -> Told:
        """Return what was told of ``customer_id`` last."""
        changed = self._changed.get(customer_id)
        if changed is not None:
            return changed
        value = self._committed.get(customer_id)
        return NOTHING if value is None else decode_told(value)

    def note(self, customer_id: str, last: Told, told: Told) -> None:
        """Remember ``told`` in the place of ``last``."""
        self._changed[customer_id] = told
        if last is not NOTHING:
            self.alike[last.segments] -= 1
        self.alike[told.segments] += 1

    def changes(self) -> dict[str, bytes]:
        """Return what has changed, encoded, by customer."""
        return {customer_id: encode_told(told) for customer_id, told in self._changed.items()}


class Announcer:
    """Tells of customers what differs from what their books say; made for a batch of scores."""

    def __init__(
        self,
        values: Sequence[LtvUpdate],
        risks: Sequence[ChurnRiskUpdate],
        configuration: Configuration,
    ) -> None:
        segmentation, playbook = configuration.segmentation, configuration.playbook
        self._values, self._topics = values, configuration.topics
        self._silent = not segmentation.names and not playbook.rules
        if not self._silent:
            frame = Frame(values, risks)
            self._memberships = segmentation.memberships(frame)
            self._adviser = Adviser(playbook, frame) if playbook.rules else None

    def announced(self, places: range, book: Book) -> dict[str, list[Message]]:
        """Return the announcements of the customers at ``places``, by topic and in their order."""
        if self._silent:
            return {}
        changes: list[SegmentChange] = []
        lists: list[RecommendedActions] = []
        for place in places:
            value, segments = self._values[place], self._memberships[place]
            told = last = book.last(value.customer_id)
            if segments != last.segments:
                changes.append(_change(value, last.segments, segments))
                told = replace(told, segments=segments)
            if self._adviser and (advice := self._adviser.advice(place, told)) is not None:
                told, recommended = advice
                lists.append(recommended)
            if told is not last:
                book.note(value.customer_id, last, told)
        book.outcomes.update(_outcomes(lists))
        by_topic = {SEGMENT_CHANGES: _messages(changes), RECOMMENDED_ACTIONS: _messages(lists)}
        return {self._topics[name]: told for name, told in by_topic.items() if told}


def _outcomes(lists: Iterable[RecommendedActions]) -> Iterator[tuple[str, str]]:
    for one in lists:
        if one.previous is not None:
            yield one.previous.action, one.previous.outcome


@lru_cache(maxsize=4096)
def _difference(before: str, after: str) -> tuple[tuple[str, ...], ...]:
    """Return the segments entered, those left, and all; few combinations are ever met."""
    were, are = split(before), split(after)
    entered = tuple([name for name in are if name not in were])
    return entered, tuple([name for name in were if name not in are]), are


def _change(value: LtvUpdate, before: str, after: str) -> SegmentChange:
    entered, left, segments = _difference(before, after)
    return SegmentChange(
        score_id=value.score_id,
        customer_id=value.customer_id,
        revision=value.revision,
        as_of=value.as_of,
        scored_at=value.scored_at,
        model_version=value.model_version,
        cause=value.cause,
        entered=entered,
        left=left,
        segments=segments,
    )


def _messages(told: Sequence[SegmentChange] | Sequence[RecommendedActions]) -> list[Message]:
    return [Message(one.customer_id.encode(), encode_score(one)) for one in told]
