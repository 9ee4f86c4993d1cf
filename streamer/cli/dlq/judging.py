"""Whether workers would take a record, as far as the record alone tells."""

from datetime import UTC, datetime

from streamer.records.dead_letters import Rejected
from streamer.records.instants import from_datetime
from streamer.records.kafka import REFERRAL_CREDITS, FileRecord
from streamer.serdes.adapters import ADAPTERS, adapt
from streamer.serdes.rows import decode_internal
from streamer.settings import Settings


class Judge:
    """Reads records as workers of these settings would; whether they are late it cannot know."""

    def __init__(self, settings: Settings) -> None:
        self._decoder = settings.decoder()
        self._tolerance = settings.configuration().future_tolerance
        self._credits = settings.topics[REFERRAL_CREDITS]
        self._adapters = {
            settings.topics[topic]: ADAPTERS[name] for topic, name in settings.adapters.items()
        }

    def customer_of(self, record: FileRecord) -> bytes | None:
        """Return the key of the customer whose event ``record`` is; None of a foreign record.

        Raises:
            Rejected: workers would refuse it.
        """
        latest = from_datetime(datetime.now(UTC)) + self._tolerance
        if record.topic in self._adapters:
            fault = adapt(self._adapters[record.topic], self._decoder, record, latest).fault
            if fault is not None:
                raise fault
            return None
        if record.topic == self._credits:
            return decode_internal(record.value).customer_id.encode()
        event = self._decoder.decode(record.value, record.headers)
        if event.occurred_at > latest:
            raise Rejected("future", "it is ahead of the clock", "occurred_at")
        return event.customer_id.encode()
